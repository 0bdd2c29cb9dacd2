"""`huggingface_hub`: text classification."""

import json
import sys

from huggingface_hub import InferenceClient

url, *texts = sys.argv[1:]

# Setup
client = InferenceClient(base_url=url)

answers = [client.text_classification(text) for text in texts]
print(json.dumps({"labels": [[[each.label, each.score] for each in one] for one in answers]}))
