"""`langchain-openai` with its defaults, which sends the token ids of another tokenizer."""

import json
import sys

import tiktoken.registry
from langchain_openai import OpenAIEmbeddings
from openai import BadRequestError

url, *texts = sys.argv[1:]
# In the place of OpenAI's vocabulary, which is downloaded: a token for each byte.
ranks = {bytes([byte]): 15000 + byte for byte in range(256)}
tiktoken.registry.ENCODINGS["cl100k_base"] = tiktoken.Encoding(
    "cl100k_base", pat_str=r"\w+|\W", mergeable_ranks=ranks, special_tokens={}
)

# Setup
embeddings = OpenAIEmbeddings(model="embed", base_url=f"{url}/v1", api_key="none")

try:
    embeddings.embed_documents(texts)
except BadRequestError as error:
    print(json.dumps({"refused": [type(error).__name__, str(error)]}))
