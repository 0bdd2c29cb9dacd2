"""`infinity-client`: embeddings."""

import json
import sys

from infinity_client import Client
from infinity_client.api.default import embeddings, models
from infinity_client.models import OpenAIEmbeddingInputText

url, *texts = sys.argv[1:]

# Setup
client = Client(base_url=url)

answer = embeddings.sync(client=client, body=OpenAIEmbeddingInputText.from_dict({"input": texts, "model": "embed"}))
print(json.dumps({"vectors": [each.embedding for each in answer.data]}))
assert [model.id for model in models.sync(client=client).data] == ["embed"]
