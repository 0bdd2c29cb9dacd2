"""`xinference-client`: embeddings."""

import json
import sys

from xinference_client import RESTfulClient

url, *texts = sys.argv[1:]

# Setup
model = RESTfulClient(url).get_model("embed")

print(json.dumps({"vectors": [each["embedding"] for each in model.create_embedding(texts)["data"]]}))
