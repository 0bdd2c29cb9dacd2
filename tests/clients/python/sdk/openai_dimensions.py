"""`openai`: shorter vectors of a model that was not trained for them."""

import json
import sys

from openai import OpenAI

url, *texts = sys.argv[1:]

# Setup
client = OpenAI(base_url=f"{url}/v1", api_key="none")

answer = client.embeddings.create(model="embed", input=texts, dimensions=16)
print(json.dumps({"beginnings": [each.embedding for each in answer.data]}))
