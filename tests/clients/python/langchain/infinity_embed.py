"""`langchain-community`: `InfinityEmbeddings`."""

import json
import sys

from langchain_community.embeddings import InfinityEmbeddings

url, *texts = sys.argv[1:]

# Setup
embeddings = InfinityEmbeddings(model="embed", infinity_api_url=url)

print(json.dumps({"vectors": embeddings.embed_documents(texts)}))
print(json.dumps({"vectors": [embeddings.embed_query(text) for text in texts]}))
