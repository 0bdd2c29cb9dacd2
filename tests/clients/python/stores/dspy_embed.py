"""`dspy`: `Embedder`."""

import json
import sys

import dspy

url, *texts = sys.argv[1:]

# Setup
embed = dspy.Embedder("openai/embed", api_base=f"{url}/v1", api_key="none")

print(json.dumps({"vectors": embed(texts).tolist()}))
