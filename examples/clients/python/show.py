"""Prints an answer of any model type so that a person can read it. Takes the body of `POST /predict`.

gRPC and MCP give the same body, so the three clients share this; nothing here talks to a server.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any


def show(texts: Sequence[str], body: dict[str, Any]) -> None:
    """One line or a few per text."""
    for text, result in zip(texts, body["results"], strict=True):
        if "predicted_label" in result:
            score = result["scores"][result["predicted_index"]]
            print(f"{result['predicted_label']} {score:.4f}  {text}")
        elif "tokens" in result:
            print(text)
            for label, score, name in entities(text, result["tokens"]):
                print(f"  {label} {score:.4f}  {name}")
        elif "embeddings" in result:
            print(text)
            for token in result["embeddings"]:
                print(f"  {token['token_info']['token']:<12} {vector(token['embedding'])}")
        else:
            print(f"{vector(result['embedding'])}  {text}")
    similarities(texts, body["results"])


def entities(text: str, tokens: Sequence[dict[str, Any]]) -> Iterator[tuple[str, float, str]]:
    """Names found in `text`: label, score and the words themselves.

    A word takes the label of its first piece; neighbouring words join unless the next one begins a name
    (`B-`) or has another label. `start` and `end` count characters, so `text[start:end]` is the word.
    """
    words: list[dict[str, Any]] = []
    for token in tokens:
        start, end = token["token_info"]["start"], token["token_info"]["end"]
        if words and start == words[-1]["end"] and text[start].isalnum() and text[start - 1].isalnum():
            words[-1]["end"] = end
        else:
            words.append({"start": start, "end": end, "label": token["label"], "score": token["score"]})
    name: dict[str, Any] | None = None
    for word in [*words, {"label": "O"}]:
        prefix, _, label = word["label"].rpartition("-")
        if name is not None and prefix != "B" and label == name["label"]:
            name["end"] = word["end"]
            name["score"] = min(name["score"], word["score"])
            continue
        if name is not None:
            yield name["label"], name["score"], text[name["start"] : name["end"]]
        name = None if label == "O" else {**word, "label": label}


def vector(numbers: Sequence[float]) -> str:
    """The first numbers and how many there are."""
    return "[" + ", ".join(f"{number:.3f}" for number in numbers[:3]) + f", ... {len(numbers)}]"


def similarities(texts: Sequence[str], results: Sequence[dict[str, Any]]) -> None:
    """The cosine of every two texts that have one vector each, the nearest first."""
    vectors = [result["embedding"] for result in results if "embedding" in result]
    pairs = [
        (cosine(vectors[i], vectors[j]), texts[i], texts[j])
        for i in range(len(vectors))
        for j in range(i + 1, len(vectors))
    ]
    for likeness, one, other in sorted(pairs, reverse=True):
        print(f"cosine {likeness:7.4f}  {one} / {other}")


def cosine(a: Sequence[float], b: Sequence[float]) -> float:
    """Dot product over the lengths; the lengths are 1 where the model normalises."""
    dot = sum(x * y for x, y in zip(a, b, strict=True))
    return dot / (sum(x * x for x in a) * sum(y * y for y in b)) ** 0.5
