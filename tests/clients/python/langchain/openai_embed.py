"""`langchain-openai`, with its defaults, by which it sends text or token ids of another tokenizer."""

import json
import sys

from langchain_openai import OpenAIEmbeddings

url, *texts = sys.argv[1:]

# Setup
embeddings = OpenAIEmbeddings(model="embed", base_url=f"{url}/v1", api_key="none", check_embedding_ctx_length=False)

print(json.dumps({"vectors": embeddings.embed_documents(texts)}))
print(json.dumps({"vectors": [embeddings.embed_query(text) for text in texts]}))
