"""SIE's own Python client, unchanged, and the decoder it is made with.

Name Pythons that have it in ENCODERFILE_TEST_SIE_PYTHON, several separated by `:` (`pip install sie-sdk`, which
wants Python 3.12; the lines 0.3 and 0.10 were tried). msgpack-numpy comes with it.
"""

import os

import pytest

from support.dialects import Sie, SieServers
from support.external_clients import run_with

VARIABLE = "ENCODERFILE_TEST_SIE_PYTHON"


@pytest.fixture(params=(os.environ.get(VARIABLE) or "none").split(":"))
def python(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The variable under which the Python of this case is found."""
    if request.param != "none":
        monkeypatch.setenv(VARIABLE, request.param)
    return VARIABLE


def start(client: Sie) -> str:
    return f"""
        import warnings
        warnings.simplefilter("error")
        import numpy as np
        from sie_sdk import SIEClient
        client = SIEClient("{client.url}")
        """


def test_the_client_encodes(python: str, sie: SieServers) -> None:
    run_with(
        python,
        "sie_sdk",
        start(sie["tokens"])
        + """
        one = client.encode("org/tokens", {"text": "Hello world"})
        assert one["dense"].shape == (128,) and one["dense"].dtype == np.float32
        several = client.encode(
            "org/tokens", [{"text": "a", "id": "x"}, {"text": ""}], output_types=["dense", "multivector"],
            output_dtype="int8", is_query=True, instruction="Find",
        )
        assert [item.get("id") for item in several] == ["x", None]
        assert [item["multivector"].ndim for item in several] == [2, 2]
        assert client.get_model("org/tokens")["dims"]["dense"] == 128
        assert [model["name"] for model in client.list_models()] == ["org/tokens"]
        """,
    )


def test_the_client_reads_sparse_vectors(python: str, sie: SieServers) -> None:
    run_with(
        python,
        "sie_sdk",
        start(sie["sparse"])
        + """
        sparse = client.encode("org/sparse", {"text": "a"}, output_types=["sparse"])["sparse"]
        assert sparse["indices"].dtype == np.int32 and len(sparse["indices"]) == len(sparse["values"])
        """,
    )


def test_the_client_scores(python: str, cross: Sie) -> None:
    run_with(
        python,
        "sie_sdk",
        start(cross)
        + """
        found = client.score("org/cross", {"text": "q"}, [{"text": "a"}, {"text": "b", "id": "B"}])
        assert {each["item_id"] for each in found["scores"]} == {"item-0", "B"}
        assert [each["rank"] for each in found["scores"]] == [0, 1]
        """,
    )


def test_the_client_extracts(python: str, ner: Sie) -> None:
    run_with(
        python,
        "sie_sdk",
        start(ner)
        + """
        (item,) = client.extract("org/ner", [{"text": "John lives in Paris"}], labels=["LOC"])
        assert [(each["text"], each["start"], each["end"]) for each in item["entities"]] == [("Paris", 14, 19)]
        """,
    )


def test_the_client_watches(python: str, dense: Sie) -> None:
    run_with(
        python,
        "sie_sdk",
        start(dense)
        + """
        watched = client.watch()
        frames = [next(watched) for _ in range(3)]
        watched.close()
        wanted = {"timestamp", "ready", "loaded_models", "server", "gpus", "models", "counters", "histograms"}
        assert all(wanted <= set(frame) for frame in frames)
        """,
    )


def test_the_client_understands_refusals(python: str, dense: Sie) -> None:
    run_with(
        python,
        "sie_sdk",
        start(dense)
        + """
        from sie_sdk.client.errors import PoolError, RequestError
        def refusal(call):
            try:
                call()
            except RequestError as error:
                return error.code
        assert refusal(lambda: client.encode("other", {"text": "a"})) == "MODEL_NOT_FOUND"
        assert refusal(lambda: client.extract("org/dense", {"text": "a"}, labels=["x"])) == "INVALID_INPUT"
        assert refusal(lambda: client.score("org/dense", {"text": "a"}, [{"text": "b"}])) == "INVALID_INPUT"
        assert refusal(client.get_capacity) == "not_gateway"
        assert client.get_pool("p") is None
        assert client.delete_pool("p") is False
        try:
            client.create_pool("p", {"l4": 1})
            raise SystemExit("a pool was made")
        except PoolError:
            pass
        """,
    )


@pytest.mark.proves("SIE Wire format", "numpy arrays travel in msgpack as they are")
def test_msgpack_numpy_decodes_the_answer(python: str, dense: Sie) -> None:
    run_with(
        python,
        "msgpack_numpy",
        f"""
        import json, urllib.request
        import msgpack, msgpack_numpy
        request = urllib.request.Request(
            "{dense.url}/v1/encode/org/dense", json.dumps({{"items": [{{"text": "a"}}]}}).encode()
        )
        with urllib.request.urlopen(request) as answer:
            body = msgpack.unpackb(answer.read(), object_hook=msgpack_numpy.decode)
        values = body["items"][0]["dense"]["values"]
        assert (values.dtype.str, values.shape) == ("<f4", (128,))
        """,
    )
