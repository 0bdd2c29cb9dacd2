"""`jina-haystack`: embeddings."""

import json
import sys

from haystack.utils import Secret
from haystack_integrations.components.embedders.jina import JinaTextEmbedder

url, *texts = sys.argv[1:]

# Setup
embedder = JinaTextEmbedder(api_key=Secret.from_token("none"), model="embed", base_url=f"{url}/v1/embeddings")

print(json.dumps({"vectors": [embedder.run(text)["embedding"] for text in texts]}))
