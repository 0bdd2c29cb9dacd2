"""`xinference-client`: reranking."""

import json
import sys

from xinference_client import RESTfulClient

url, query, *documents = sys.argv[1:]

# Setup
model = RESTfulClient(url).get_model("rerank")

answer = model.rerank(documents, query, return_documents=True)
assert [each["document"]["text"] for each in answer["results"]] == [
    documents[each["index"]] for each in answer["results"]
]
print(json.dumps({"ranks": [[each["index"], each["relevance_score"]] for each in answer["results"]]}))
