"""`cohere`: vectors of a file that gives labels."""

import json
import sys

import cohere

url, *texts = sys.argv[1:]

# Setup
client = cohere.ClientV2("none", base_url=url)

try:
    client.embed(texts=texts, model="sentiment", input_type="search_query", embedding_types=["float"])
except cohere.BadRequestError as error:
    print(json.dumps({"refused": [type(error).__name__, str(error)]}))
