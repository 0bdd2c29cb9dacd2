"""`haystack-ai`: `OpenAITextEmbedder` and `OpenAIDocumentEmbedder`."""

import json
import sys

from haystack import Document
from haystack.components.embedders import OpenAIDocumentEmbedder, OpenAITextEmbedder
from haystack.utils import Secret

url, *texts = sys.argv[1:]

# Setup
embedder = OpenAITextEmbedder(api_key=Secret.from_token("none"), model="embed", api_base_url=f"{url}/v1")

documents = OpenAIDocumentEmbedder(
    api_key=Secret.from_token("none"), model="embed", api_base_url=f"{url}/v1", progress_bar=False
)
print(json.dumps({"vectors": [embedder.run(text)["embedding"] for text in texts]}))
answer = documents.run([Document(content=text) for text in texts])
print(json.dumps({"vectors": [each.embedding for each in answer["documents"]]}))
