"""`llama-index-embeddings-ollama`: embeddings."""

import json
import sys

from llama_index.embeddings.ollama import OllamaEmbedding

url, *texts = sys.argv[1:]

# Setup
embedding = OllamaEmbedding(model_name="embed", base_url=url)

print(json.dumps({"vectors": embedding.get_text_embedding_batch(texts)}))
print(json.dumps({"vectors": [embedding.get_query_embedding(text) for text in texts]}))
