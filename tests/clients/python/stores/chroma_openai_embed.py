"""`chromadb`: `OpenAIEmbeddingFunction`."""

import json
import os
import sys

from chromadb.utils.embedding_functions import OpenAIEmbeddingFunction

url, *texts = sys.argv[1:]
os.environ["OPENAI_API_KEY"] = "none"

# Setup
embed = OpenAIEmbeddingFunction(model_name="embed", api_base=f"{url}/v1")

print(json.dumps({"vectors": [each.tolist() for each in embed(texts)]}))
