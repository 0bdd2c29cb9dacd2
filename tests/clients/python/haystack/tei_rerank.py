"""`huggingface-api-haystack`: reranking by text-embeddings-inference."""

import json
import sys

from haystack import Document
from haystack_integrations.components.rankers.huggingface_api import HuggingFaceTEIRanker

url, query, *documents = sys.argv[1:]

# Setup
ranker = HuggingFaceTEIRanker(url=url, top_k=10)

answer = ranker.run(query, [Document(content=text, id=str(at)) for at, text in enumerate(documents)])
print(json.dumps({"ranks": [[int(each.id), each.score] for each in answer["documents"]]}))
