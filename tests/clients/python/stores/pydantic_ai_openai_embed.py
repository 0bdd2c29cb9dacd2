"""`pydantic-ai`: embeddings as OpenAI's."""

import json
import sys

from pydantic_ai import Embedder
from pydantic_ai.embeddings.openai import OpenAIEmbeddingModel
from pydantic_ai.providers.openai import OpenAIProvider

url, *texts = sys.argv[1:]

# Setup
embedder = Embedder(OpenAIEmbeddingModel("embed", provider=OpenAIProvider(base_url=f"{url}/v1", api_key="none")))

print(json.dumps({"vectors": [list(each) for each in embedder.embed_documents_sync(texts).embeddings]}))
