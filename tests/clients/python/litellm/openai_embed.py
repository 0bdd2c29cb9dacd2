"""`litellm`: embeddings by its provider `openai`."""

import json
import sys

import litellm

url, *texts = sys.argv[1:]

# Setup
settings = {"model": "openai/embed", "api_base": f"{url}/v1", "api_key": "none"}

answer = litellm.embedding(input=texts, **settings)
print(json.dumps({"vectors": [each["embedding"] for each in answer.data]}))
