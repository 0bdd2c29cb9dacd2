"""`ollama`: embeddings by both of its routes, and the list of models."""

import json
import sys

from ollama import Client

url, *texts = sys.argv[1:]

# Setup
client = Client(host=url)

print(json.dumps({"vectors": [list(each) for each in client.embed("embed", texts).embeddings]}))
print(json.dumps({"vectors": [list(client.embeddings("embed", text).embedding) for text in texts]}))
assert [model.model.partition(":")[0] for model in client.list().models] == ["embed"]
assert "embedding" in (client.show("embed").capabilities or [])
