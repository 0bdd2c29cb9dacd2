"""`chromadb`: `CohereEmbeddingFunction`, which takes the address from the environment."""

import json
import os
import sys

url, *texts = sys.argv[1:]

# Setup
os.environ.update(CO_API_URL=url, COHERE_API_KEY="none")

from chromadb.utils.embedding_functions import CohereEmbeddingFunction  # noqa: E402

embed = CohereEmbeddingFunction(model_name="embed")
print(json.dumps({"vectors": [each.tolist() for each in embed(texts)]}))
