"""`llama-index-embeddings-cohere`: embeddings."""

import json
import sys

from llama_index.embeddings.cohere import CohereEmbedding

url, *texts = sys.argv[1:]

# Setup
embedding = CohereEmbedding(model_name="embed-v4.0", base_url=url, api_key="none")

print(json.dumps({"vectors": embedding.get_text_embedding_batch(texts)}))
print(json.dumps({"vectors": [embedding.get_query_embedding(text) for text in texts]}))
