"""`llama-index-embeddings-text-embeddings-inference`: embeddings."""

import json
import sys

from llama_index.embeddings.text_embeddings_inference import TextEmbeddingsInference

url, *texts = sys.argv[1:]

# Setup
embedding = TextEmbeddingsInference(model_name="embed", base_url=url, text_instruction="", query_instruction="")

print(json.dumps({"vectors": embedding.get_text_embedding_batch(texts)}))
print(json.dumps({"vectors": [embedding.get_query_embedding(text) for text in texts]}))
