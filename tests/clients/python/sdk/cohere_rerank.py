"""`cohere`: reranking by its first and its second API."""

import json
import sys

import cohere

url, query, *documents = sys.argv[1:]

# Setup
client = cohere.ClientV2("none", base_url=url)

first = cohere.Client("none", base_url=url).rerank(model="rerank", query=query, documents=documents)
second = client.rerank(model="rerank", query=query, documents=documents, top_n=len(documents))
for answer in (first, second):
    print(json.dumps({"ranks": [[each.index, each.relevance_score] for each in answer.results]}))
