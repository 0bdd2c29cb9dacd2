"""`chromadb`: `OllamaEmbeddingFunction`."""

import json
import sys

from chromadb.utils.embedding_functions import OllamaEmbeddingFunction

url, *texts = sys.argv[1:]

# Setup
embed = OllamaEmbeddingFunction(model_name="embed", url=url)

print(json.dumps({"vectors": [each.tolist() for each in embed(texts)]}))
