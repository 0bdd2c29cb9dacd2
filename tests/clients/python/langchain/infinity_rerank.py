"""`langchain-community`: `InfinityRerank`."""

import json
import sys

from infinity_client import Client
from langchain_community.document_compressors.infinity_rerank import InfinityRerank

url, query, *documents = sys.argv[1:]

# Setup
reranker = InfinityRerank(model="rerank", client=Client(base_url=url))

answer = reranker.rerank(documents, query, top_n=len(documents))
print(json.dumps({"ranks": [[each["index"], each["relevance_score"]] for each in answer]}))
