"""A client with small requests, one after the other, until its standard input ends; prints what it saw.

Half of the requests come on a connection that is kept, half on new ones.
"""

from __future__ import annotations

import http.client
import json
import sys
import threading
import time

TEXT = "The quick brown fox jumps over the lazy dog. " * 13
"""600 characters: too long to be tokenised in passing."""
_PATIENCE = 30.0


def main(port: int) -> None:
    """Asks until told to stop."""
    stop = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.readline(), stop.set()), daemon=True).start()
    body = json.dumps({"inputs": [TEXT], "normalize": True})
    took: list[float] = []
    failed = 0
    kept = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE)
    while not stop.is_set():
        fresh = len(took) % 2 == 1
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE) if fresh else kept
        started = time.perf_counter()
        try:
            failed += ask(client, body) != 200
        except (OSError, http.client.HTTPException):
            client.close()
            failed += 1 if fresh else retried(client, body) != 200
        took.append(time.perf_counter() - started)
        if fresh:
            client.close()
        if len(took) == 1:
            sys.stdout.write("first\n")
            sys.stdout.flush()
        stop.wait(0.02)
    took.sort()
    sys.stdout.write(json.dumps({"requests": len(took), "failed": failed, "p99": took[int(len(took) * 0.99)]}))


def ask(client: http.client.HTTPConnection, body: str) -> int:
    """The status of one request."""
    client.request("POST", "/predict", body, {"Content-Type": "application/json"})
    answer = client.getresponse()
    answer.read()
    return answer.status


def retried(client: http.client.HTTPConnection, body: str) -> int:
    """The same once more: a kept connection may be closed while a request is on its way, and clients ask again."""
    try:
        return ask(client, body)
    except (OSError, http.client.HTTPException):
        client.close()
        return 0


if __name__ == "__main__":
    main(int(sys.argv[1]))
