"""`cohere-haystack`: embeddings."""

import json
import sys

from haystack.utils import Secret
from haystack_integrations.components.embedders.cohere import CohereTextEmbedder

url, *texts = sys.argv[1:]

# Setup
embedder = CohereTextEmbedder(api_key=Secret.from_token("none"), model="embed", api_base_url=url)

print(json.dumps({"vectors": [embedder.run(text)["embedding"] for text in texts]}))
