"""`litellm`: embeddings by its provider `voyage`."""

import json
import sys

import litellm

url, *texts = sys.argv[1:]

# Setup
settings = {"model": "voyage/embed", "api_base": f"{url}/v1/embeddings", "api_key": "none"}

answer = litellm.embedding(input=texts, **settings)
print(json.dumps({"vectors": [each["embedding"] for each in answer.data]}))
