"""`infinity-client`: classification."""

import json
import sys

from infinity_client import Client
from infinity_client.api.default import classify
from infinity_client.models import ClassifyInput

url, *texts = sys.argv[1:]

# Setup
client = Client(base_url=url)

answer = classify.sync(client=client, body=ClassifyInput.from_dict({"model": "sentiment", "input": texts}))
print(json.dumps({"labels": [[[each.label, each.score] for each in one] for one in answer.data]}))
