"""`voyageai`: vectors of a file that gives labels."""

import json
import sys

import voyageai

url, *texts = sys.argv[1:]

# Setup
client = voyageai.Client(api_key="none", base_url=f"{url}/v1")

try:
    client.embed(texts, model="sentiment")
except voyageai.error.VoyageError as error:
    print(json.dumps({"refused": [type(error).__name__, str(error)]}))
