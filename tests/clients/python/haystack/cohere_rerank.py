"""`cohere-haystack`: reranking."""

import json
import sys

from haystack import Document
from haystack.utils import Secret
from haystack_integrations.components.rankers.cohere import CohereRanker

url, query, *documents = sys.argv[1:]

# Setup
ranker = CohereRanker(model="rerank", api_key=Secret.from_token("none"), api_base_url=url)

answer = ranker.run(query, [Document(content=text, id=str(at)) for at, text in enumerate(documents)])
print(json.dumps({"ranks": [[int(each.id), each.score] for each in answer["documents"]]}))
