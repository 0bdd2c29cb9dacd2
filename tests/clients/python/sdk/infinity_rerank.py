"""`infinity-client`: reranking."""

import json
import sys

from infinity_client import Client
from infinity_client.api.default import rerank
from infinity_client.models import RerankInput

url, query, *documents = sys.argv[1:]

# Setup
client = Client(base_url=url)

body = RerankInput.from_dict({"model": "rerank", "query": query, "documents": documents, "return_documents": True})
answer = rerank.sync(client=client, body=body)
assert [each.document for each in answer.results] == [documents[each.index] for each in answer.results]
print(json.dumps({"ranks": [[each.index, each.relevance_score] for each in answer.results]}))
