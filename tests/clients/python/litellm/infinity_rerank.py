"""`litellm`: reranking by its provider `infinity`."""

import json
import sys

import litellm

url, query, *documents = sys.argv[1:]

# Setup
settings = {"model": "infinity/rerank", "api_base": f"{url}", "api_key": "none"}

answer = litellm.rerank(query=query, documents=documents, top_n=len(documents), **settings)
print(json.dumps({"ranks": [[each["index"], each["relevance_score"]] for each in answer.results]}))
