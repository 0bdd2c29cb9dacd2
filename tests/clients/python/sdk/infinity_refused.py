"""`infinity-client`: labels of a file that gives vectors."""

import json
import sys

from infinity_client import Client
from infinity_client.api.default import classify
from infinity_client.errors import UnexpectedStatus
from infinity_client.models import ClassifyInput

url, *texts = sys.argv[1:]

# Setup
client = Client(base_url=url, raise_on_unexpected_status=True)

try:
    classify.sync(client=client, body=ClassifyInput.from_dict({"model": "embed", "input": texts}))
except UnexpectedStatus as error:
    print(json.dumps({"refused": [type(error).__name__, str(error)]}))
