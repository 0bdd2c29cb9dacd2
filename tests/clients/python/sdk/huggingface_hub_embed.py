"""`huggingface_hub`: features and similarities."""

import json
import sys

from huggingface_hub import InferenceClient

url, *texts = sys.argv[1:]

# Setup
client = InferenceClient(base_url=url)

print(json.dumps({"vectors": [client.feature_extraction(text).reshape(-1).tolist() for text in texts]}))
print(json.dumps({"vectors": client.feature_extraction(texts).tolist()}))
print(json.dumps({"similarities": client.sentence_similarity(texts[0], other_sentences=texts[1:])}))
