"""`voyageai`: reranking."""

import json
import sys

import voyageai

url, query, *documents = sys.argv[1:]

# Setup
client = voyageai.Client(api_key="none", base_url=f"{url}/v1")

answer = client.rerank(query, documents, model="rerank")
print(json.dumps({"ranks": [[each.index, each.relevance_score] for each in answer.results]}))
