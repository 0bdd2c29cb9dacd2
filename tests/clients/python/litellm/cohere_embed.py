"""`litellm`: embeddings by its provider `cohere`."""

import json
import sys

import litellm

url, *texts = sys.argv[1:]

# Setup
settings = {"model": "cohere/embed", "api_base": f"{url}/v2/embed", "api_key": "none"}

answer = litellm.embedding(input=texts, **settings)
print(json.dumps({"vectors": [each["embedding"] for each in answer.data]}))
