"""`voyageai`: embeddings."""

import json
import sys

import voyageai

url, *texts = sys.argv[1:]

# Setup
client = voyageai.Client(api_key="none", base_url=f"{url}/v1")

print(json.dumps({"vectors": client.embed(texts, model="embed", input_type="document").embeddings}))
