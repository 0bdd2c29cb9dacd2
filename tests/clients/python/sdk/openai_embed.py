"""`openai`: embeddings as base64, its default, and as lists."""

import json
import sys

from openai import OpenAI

url, *texts = sys.argv[1:]

# Setup
client = OpenAI(base_url=f"{url}/v1", api_key="none")

default = client.embeddings.create(model="embed", input=texts)
floats = client.embeddings.create(model="embed", input=texts, encoding_format="float")
assert [model.id for model in client.models.list()] == ["embed"]
print(json.dumps({"vectors": [each.embedding for each in default.data]}))
print(json.dumps({"vectors": [each.embedding for each in floats.data]}))
