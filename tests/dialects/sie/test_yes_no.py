"""Rerankers that are language models, over HTTP and gRPC."""

from pathlib import Path

import pytest

from support.dialects import SieServers
from support.models import open_model
from support.yes_no import Reference, make_reranker

QUERY = "how tall is Stone Tower?"
DOCUMENTS = ["Stone Tower rises 312 metres above the ground.", "no"]


def test_rerank_and_score_answer_with_the_instruction_of_the_request(own: SieServers, tmp_path: Path) -> None:
    folder = make_reranker(tmp_path / "a-reranker")
    reference = Reference(folder)
    served = own.serve(open_model(folder))
    ranked = served.post("/rerank", {"query": QUERY, "texts": DOCUMENTS}).json()
    wanted = [reference.score(QUERY, document) for document in DOCUMENTS]
    assert {each["index"]: each["score"] for each in ranked} == pytest.approx(dict(enumerate(wanted)), abs=1e-5)
    body = {"query": {"text": QUERY}, "items": [{"text": DOCUMENTS[0]}], "instruction": "Find poems"}
    found = served.post(f"/v1/score/{folder.name}", body).json()["scores"][0]["score"]
    assert found == pytest.approx(reference.score(QUERY, DOCUMENTS[0], "Find poems"), abs=1e-5)


def test_a_call_of_grpc_sends_the_instruction_as_prompt(own: SieServers, tmp_path: Path) -> None:
    folder = make_reranker(tmp_path / "a-reranker")
    servers = own.servers
    client = servers.client("grpc", servers.service(open_model(folder)))
    pair = {"text": QUERY, "text_pair": DOCUMENTS[0]}
    found = client.predict([pair], prompt="Find poems").results[0]["scores"][0]
    assert found == pytest.approx(Reference(folder).score(QUERY, DOCUMENTS[0], "Find poems"), abs=1e-5)
