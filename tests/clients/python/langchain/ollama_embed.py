"""`langchain-ollama`: embeddings."""

import json
import sys

from langchain_ollama import OllamaEmbeddings

url, *texts = sys.argv[1:]

# Setup
embeddings = OllamaEmbeddings(model="embed", base_url=url)

print(json.dumps({"vectors": embeddings.embed_documents(texts)}))
print(json.dumps({"vectors": [embeddings.embed_query(text) for text in texts]}))
