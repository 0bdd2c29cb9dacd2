"""`huggingface-api-haystack`: reranking by a file that gives vectors."""

import json
import sys

from haystack import Document
from haystack_integrations.components.rankers.huggingface_api import HuggingFaceTEIRanker

url, *texts = sys.argv[1:]

# Setup
ranker = HuggingFaceTEIRanker(url=url, max_retries=1)

try:
    ranker.run(texts[0], [Document(content=text) for text in texts])
except Exception as error:
    print(json.dumps({"refused": [type(error).__name__, str(error)]}))
