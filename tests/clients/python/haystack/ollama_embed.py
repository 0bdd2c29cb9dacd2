"""`ollama-haystack`: embeddings."""

import json
import sys

from haystack import Document
from haystack_integrations.components.embedders.ollama import OllamaDocumentEmbedder, OllamaTextEmbedder

url, *texts = sys.argv[1:]

# Setup
embedder = OllamaTextEmbedder(model="embed", url=url)

print(json.dumps({"vectors": [embedder.run(text)["embedding"] for text in texts]}))
answer = OllamaDocumentEmbedder(model="embed", url=url, progress_bar=False).run(
    [Document(content=text) for text in texts]
)
print(json.dumps({"vectors": [each.embedding for each in answer["documents"]]}))
