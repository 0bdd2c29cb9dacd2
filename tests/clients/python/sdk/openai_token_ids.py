"""`openai`: texts as the ids of the model's own tokenizer."""

import json
import os
import sys

from openai import OpenAI
from tokenizers import Tokenizer

url, *texts = sys.argv[1:]
tokenizer = Tokenizer.from_file(os.path.join(os.environ["FOLDER"], "tokenizer.json"))
tokenizer.no_padding()

# Setup
client = OpenAI(base_url=f"{url}/v1", api_key="none")

ids = [tokenizer.encode(text).ids for text in texts]
print(json.dumps({"vectors": [each.embedding for each in client.embeddings.create(model="embed", input=ids).data]}))
one = [client.embeddings.create(model="embed", input=each).data[0].embedding for each in ids]
print(json.dumps({"vectors": one}))
