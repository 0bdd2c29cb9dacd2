"""msgpack or JSON, both ways; and requests that try to be more than texts."""

import msgpack
import numpy as np
import pytest

from encoderfile.errors import InputError
from encoderfile.transports.http.sie import wire
from support.dialects import JSON, MSGPACK, Sie, SieServers, code, unpacked

HELLO = {"items": [{"text": "Hello world"}]}


@pytest.mark.proves("SIE Wire format", "Answers are msgpack unless JSON is asked for")
@pytest.mark.parametrize("accept", [None, "", "*/*", "text/html", "application/msgpack", "application/x-msgpack"])
def test_the_answer_is_msgpack_unless_json_is_asked_for(accept: str | None, dense: Sie) -> None:
    headers = {} if accept is None else {"accept": accept}
    content = unpacked(dense.post(f"/v1/encode/{dense.id}", HELLO, headers))
    values = content["items"][0]["dense"]["values"]
    assert (values.dtype.str, values.shape) == ("<f4", (128,))


@pytest.mark.proves("SIE Wire format", "Answers are msgpack unless JSON is asked for")
@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("application/json", "application/json"),
        ("application/json;q=0.9", "application/json"),
        ("text/html, Application/JSON", "application/json"),
        ("application/json, application/msgpack", "application/msgpack"),
        ("application/x-msgpack, application/json", "application/msgpack"),
    ],
)
def test_json_is_the_answer_where_json_is_asked_for_and_msgpack_is_not(accept: str, form: str, dense: Sie) -> None:
    response = dense.post(f"/v1/encode/{dense.id}", HELLO, {"accept": accept})
    assert (response.status_code, response.headers["content-type"]) == (200, form)


@pytest.mark.proves("SIE Wire format", "In JSON arrays are lists")
def test_json_lists_hold_the_same_numbers_as_msgpack_arrays(dense: Sie) -> None:
    listed = dense.post(f"/v1/encode/{dense.id}", HELLO).json()["items"][0]["dense"]["values"]
    packed = unpacked(dense.post(f"/v1/encode/{dense.id}", HELLO, {}))["items"][0]["dense"]["values"]
    assert np.array_equal(np.array(listed, dtype=np.float32), packed)


@pytest.mark.proves("SIE Wire format", "Requests may be msgpack, by Content-Type")
@pytest.mark.parametrize(
    "content_type", ["application/msgpack", "application/x-msgpack", "application/msgpack; charset=x"]
)
def test_a_request_may_be_msgpack(content_type: str, dense: Sie) -> None:
    response = dense.http.request(
        "POST",
        f"/v1/encode/{dense.id}",
        content=msgpack.packb({**HELLO, "params": {"output_dtype": "int8"}}),
        headers={**JSON, "content-type": content_type},
    )
    assert response.json()["items"][0]["dense"]["dtype"] == "int8"


@pytest.mark.proves("SIE Wire format", "Requests may be msgpack, by Content-Type")
@pytest.mark.parametrize("content_type", [None, "text/plain", "application/octet-stream"])
def test_every_other_request_is_read_as_json(content_type: str | None, dense: Sie) -> None:
    headers = JSON if content_type is None else {**JSON, "content-type": content_type}
    body = b'{"items": [{"text": "Hello world"}]}'
    response = dense.http.request("POST", f"/v1/encode/{dense.id}", content=body, headers=headers)
    assert response.status_code == 200


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", "application/json"),
        (b"{oops", "application/json"),
        (b"[]", "application/json"),
        (b"", "application/msgpack"),
        (b"not valid msgpack", "application/msgpack"),
        (b"\x81\xa5items", "application/msgpack"),
        (msgpack.packb({1: 2}), "application/msgpack"),
        (b"\x81\xa5items\x91\x81\xa4text\xa2\xff\xfe", "application/msgpack"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused(body: bytes, content_type: str, dense: Sie) -> None:
    response = dense.http.request(
        "POST", f"/v1/encode/{dense.id}", content=body, headers={"content-type": content_type}
    )
    assert code(response) == (400, "INVALID_INPUT")


@pytest.mark.proves("SIE Wire format", "numpy arrays travel in msgpack as they are")
def test_an_array_is_packed_byte_for_byte_as_clients_expect_it() -> None:
    content = {"dense": {"dims": 2, "dtype": "float32", "values": np.array([1, -0.5], dtype=np.float32)}}
    assert b"".join(wire.packed(content)) == bytes.fromhex(
        "81a564656e736583a464696d7302a56474797065a7666c6f61743332a676616c75657385"
        "c4026e64c3c40474797065a33c6634c4046b696e64c400c40573686170659102c40464617461c4080000803f000000bf"
    )


def test_nothing_but_arrays_and_plain_values_is_packed() -> None:
    with pytest.raises(TypeError):
        list(wire.packed({"score": np.float32(1)}))


def test_arrays_of_objects_in_a_request_stay_bytes(dense: Sie) -> None:
    evil = {b"nd": True, b"type": "|O", b"kind": b"O", b"shape": [1], b"data": b"cos\nsystem\n(S'true'\ntR."}
    assert wire.unpack(msgpack.packb({"items": [evil]})) == {"items": [evil]}
    response = dense.http.request(
        "POST", f"/v1/encode/{dense.id}", content=msgpack.packb({"items": [evil]}), headers=MSGPACK
    )
    assert code(response) == (400, "INVALID_INPUT")


def test_extension_types_that_nobody_knows_are_ignored(dense: Sie) -> None:
    body = msgpack.packb({"items": [{"text": "a", "vector": msgpack.ExtType(78, b"\0\0\0\0")}]})
    response = dense.http.request("POST", f"/v1/encode/{dense.id}", content=body, headers=MSGPACK)
    assert response.status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b"\x91" * 5000 + b"\x90",
        b"\xdd\x00\x3f\xff\xff" * 1000,
        b"\xdf\xff\xff\xff\xff",
        b"\xdd" + (1 << 15).to_bytes(4, "big") + (b"\x94" + b"\x90" * 4) * (1 << 15),
    ],
    ids=["too deep", "long lists that are not there", "a long map that is not there", "too many lists"],
)
def test_a_body_beyond_the_limits_of_msgpack_is_refused(body: bytes) -> None:
    with pytest.raises(InputError):
        wire.unpack(body)


def test_a_body_over_the_limit_is_413(own: SieServers) -> None:
    small = own.serve(own.model("dense"), max_body_bytes=1000)
    assert code(small.encode("a" * 2000)) == (413, "INPUT_TOO_LONG")
