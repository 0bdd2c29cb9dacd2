"""Asks a built file over HTTP, with nothing but the standard library.

python http_client.py http://localhost:8080 TEXT...
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from show import show


def predict(url: str, texts: list[str]) -> Any:
    """The body of `POST /predict`, whatever the model's type."""
    with urlopen(f"{url}/model") as response:
        model = json.load(response)
    body: dict[str, Any] = {"inputs": texts}
    if model["model_type"] == "embedding":
        body["normalize"] = True  # required for this type alone
    request = Request(f"{url}/predict", json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urlopen(request) as response:
        return json.load(response)


def main() -> None:
    """Prints the answer; a refusal is one sentence."""
    parser = argparse.ArgumentParser(description="Ask a built file over HTTP.")
    parser.add_argument("url", metavar="URL", help="such as http://localhost:8080")
    parser.add_argument("texts", nargs="+", metavar="TEXT")
    options = parser.parse_args()
    try:
        show(options.texts, predict(options.url, options.texts))
    except HTTPError as error:
        sys.exit(f"{error.code}: {error.read().decode()}")
    except OSError as error:
        sys.exit(f"{options.url} does not answer: {error}")


if __name__ == "__main__":
    main()
