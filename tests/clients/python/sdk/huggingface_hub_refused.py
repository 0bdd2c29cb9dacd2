"""`huggingface_hub`: similarities of a file that gives labels."""

import json
import sys

from huggingface_hub import InferenceClient
from huggingface_hub.errors import HfHubHTTPError

url, *texts = sys.argv[1:]

# Setup
client = InferenceClient(base_url=url)

try:
    client.sentence_similarity(texts[0], other_sentences=texts[1:])
except HfHubHTTPError as error:
    print(json.dumps({"refused": [type(error).__name__, str(error)]}))
