"""`chromadb`: `HuggingFaceEmbeddingServer`."""

import json
import sys

from chromadb.utils.embedding_functions import HuggingFaceEmbeddingServer

url, *texts = sys.argv[1:]

# Setup
embed = HuggingFaceEmbeddingServer(url=f"{url}/embed")

print(json.dumps({"vectors": [each.tolist() for each in embed(texts)]}))
