"""`ollama`: vectors of a file that gives labels."""

import json
import sys

from ollama import Client, ResponseError

url, *texts = sys.argv[1:]

# Setup
client = Client(host=url)

try:
    client.embed("sentiment", texts)
except ResponseError as error:
    print(json.dumps({"refused": [type(error).__name__, str(error)]}))
