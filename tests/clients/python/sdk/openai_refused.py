"""`openai`: vectors of a file that gives labels."""

import json
import sys

from openai import BadRequestError, OpenAI

url, *texts = sys.argv[1:]

# Setup
client = OpenAI(base_url=f"{url}/v1", api_key="none")

try:
    client.embeddings.create(model="sentiment", input=texts)
except BadRequestError as error:
    print(json.dumps({"refused": [type(error).__name__, str(error)]}))
