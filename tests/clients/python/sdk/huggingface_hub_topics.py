"""`huggingface_hub`: labels of the request's own."""

import json
import sys

from huggingface_hub import InferenceClient

url, *texts = sys.argv[1:]

# Setup
client = InferenceClient(base_url=url)

answers = [client.zero_shot_classification(text, ["travel", "film"]) for text in texts]
print(json.dumps({"topics": [[[each.label, each.score] for each in one] for one in answers]}))
