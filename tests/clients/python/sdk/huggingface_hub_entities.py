"""`huggingface_hub`: token classification."""

import json
import sys

from huggingface_hub import InferenceClient

url, *texts = sys.argv[1:]

# Setup
client = InferenceClient(base_url=url)

answers = [client.token_classification(text) for text in texts]
print(
    json.dumps(
        {"entities": [[[each.entity_group, each.start, each.end, each.score] for each in one] for one in answers]}
    )
)
