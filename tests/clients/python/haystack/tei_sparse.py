"""`huggingface-api-haystack`: sparse embeddings from text-embeddings-inference."""

import json
import sys

from haystack import Document
from haystack_integrations.components.embedders.huggingface_api import (
    HuggingFaceTEISparseDocumentEmbedder,
    HuggingFaceTEISparseTextEmbedder,
)

url, *texts = sys.argv[1:]

# Setup
embedder = HuggingFaceTEISparseTextEmbedder(api_base_url=url)

found = [embedder.run(text)["sparse_embedding"] for text in texts]
print(json.dumps({"sparse": [[each.indices, each.values] for each in found]}))
answer = HuggingFaceTEISparseDocumentEmbedder(api_base_url=url, progress_bar=False).run(
    [Document(content=text) for text in texts]
)
found = [each.sparse_embedding for each in answer["documents"]]
print(json.dumps({"sparse": [[each.indices, each.values] for each in found]}))
