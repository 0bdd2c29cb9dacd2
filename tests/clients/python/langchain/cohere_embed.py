"""`langchain-cohere`: embeddings."""

import json
import sys

from langchain_cohere import CohereEmbeddings

url, *texts = sys.argv[1:]

# Setup
embeddings = CohereEmbeddings(model="embed", base_url=url, cohere_api_key="none")

print(json.dumps({"vectors": embeddings.embed_documents(texts)}))
print(json.dumps({"vectors": [embeddings.embed_query(text) for text in texts]}))
