"""`litellm`: embeddings by its provider `ollama`."""

import json
import sys

import litellm

url, *texts = sys.argv[1:]

# Setup
settings = {"model": "ollama/embed", "api_base": f"{url}", "api_key": "none"}

answer = litellm.embedding(input=texts, **settings)
print(json.dumps({"vectors": [each["embedding"] for each in answer.data]}))
