"""`huggingface-api-haystack`: embeddings from text-embeddings-inference."""

import json
import sys

from haystack import Document
from haystack_integrations.components.embedders.huggingface_api import (
    HuggingFaceAPIDocumentEmbedder,
    HuggingFaceAPITextEmbedder,
)

url, *texts = sys.argv[1:]

# Setup
settings = {"api_type": "text_embeddings_inference", "api_params": {"url": url}, "normalize": True}
embedder = HuggingFaceAPITextEmbedder(**settings)

documents = HuggingFaceAPIDocumentEmbedder(**settings, progress_bar=False)
print(json.dumps({"vectors": [embedder.run(text)["embedding"] for text in texts]}))
answer = documents.run([Document(content=text) for text in texts])
print(json.dumps({"vectors": [each.embedding for each in answer["documents"]]}))
