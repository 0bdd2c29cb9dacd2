"""`pydantic-ai`: embeddings as Cohere's."""

import json
import sys

from cohere import AsyncClientV2
from pydantic_ai import Embedder
from pydantic_ai.embeddings.cohere import CohereEmbeddingModel
from pydantic_ai.providers.cohere import CohereProvider

url, *texts = sys.argv[1:]

# Setup
client = AsyncClientV2("none", base_url=url)
embedder = Embedder(CohereEmbeddingModel("embed", provider=CohereProvider(cohere_client=client)))

print(json.dumps({"vectors": [list(each) for each in embedder.embed_documents_sync(texts).embeddings]}))
