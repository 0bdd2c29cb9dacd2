"""`langchain-cohere`: reranking."""

import json
import sys

from langchain_cohere import CohereRerank

url, query, *documents = sys.argv[1:]

# Setup
reranker = CohereRerank(model="rerank", base_url=url, cohere_api_key="none")

answer = reranker.rerank(documents, query, top_n=len(documents))
print(json.dumps({"ranks": [[each["index"], each["relevance_score"]] for each in answer]}))
