"""`litellm`: embeddings by its provider `huggingface`."""

import json
import sys

import litellm

url, *texts = sys.argv[1:]

# Setup
settings = {"model": "huggingface/embed", "api_base": url, "input_type": "feature-extraction"}

answer = litellm.embedding(input=texts, **settings)
print(json.dumps({"vectors": [each["embedding"] for each in answer.data]}))
