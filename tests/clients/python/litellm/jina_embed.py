"""`litellm`: embeddings by its provider `jina_ai`."""

import json
import sys

import litellm

url, *texts = sys.argv[1:]

# Setup
settings = {"model": "jina_ai/embed", "api_base": f"{url}/v1", "api_key": "none"}

answer = litellm.embedding(input=texts, **settings)
print(json.dumps({"vectors": [each["embedding"] for each in answer.data]}))
