"""`llama-index-embeddings-openai`: embeddings."""

import json
import sys

from llama_index.embeddings.openai import OpenAIEmbedding

url, *texts = sys.argv[1:]

# Setup
embedding = OpenAIEmbedding(model_name="embed", api_base=f"{url}/v1", api_key="none")

print(json.dumps({"vectors": embedding.get_text_embedding_batch(texts)}))
print(json.dumps({"vectors": [embedding.get_query_embedding(text) for text in texts]}))
