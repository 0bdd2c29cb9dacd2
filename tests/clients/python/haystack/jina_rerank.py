"""`jina-haystack`: reranking."""

import json
import sys

from haystack import Document
from haystack.utils import Secret
from haystack_integrations.components.rankers.jina import JinaRanker

url, query, *documents = sys.argv[1:]

# Setup
ranker = JinaRanker(model="rerank", api_key=Secret.from_token("none"), base_url=f"{url}/v1/rerank")

answer = ranker.run(query, [Document(content=text, id=str(at)) for at, text in enumerate(documents)])
print(json.dumps({"ranks": [[int(each.id), each.score] for each in answer["documents"]]}))
