"""`langchain-community`: `JinaRerank`, whose address is only to be changed on its session."""

import json
import sys

import langchain_community.document_compressors.jina_rerank as jina

url, query, *documents = sys.argv[1:]

# Setup
jina.JINA_API_URL = f"{url}/v1/rerank"
reranker = jina.JinaRerank(model="rerank", jina_api_key="none")

answer = reranker.rerank(documents, query, top_n=len(documents))
print(json.dumps({"ranks": [[each["index"], each["relevance_score"]] for each in answer]}))
