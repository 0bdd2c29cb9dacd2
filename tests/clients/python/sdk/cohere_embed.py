"""`cohere`: embeddings by its first and its second API."""

import json
import sys

import cohere

url, *texts = sys.argv[1:]

# Setup
client = cohere.ClientV2("none", base_url=url)

first = cohere.Client("none", base_url=url).embed(texts=texts, model="embed", input_type="search_document")
second = client.embed(texts=texts, model="embed", input_type="search_document", embedding_types=["float"])
print(json.dumps({"vectors": first.embeddings}))
print(json.dumps({"vectors": second.embeddings.float_}))
