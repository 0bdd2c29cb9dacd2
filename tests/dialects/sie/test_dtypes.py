"""`output_dtype`: SIE's formulas, to the last number."""

from typing import Any, get_args

import numpy as np
import pytest

from encoderfile.transports.http.sie import dtypes
from support.dialects import Sie, SieServers, code, unpacked

X = np.array([0.5, -1, 0.25, 0, 1e-9, -0.125, 0.75, -0.0, 0.003], dtype=np.float32)


@pytest.mark.proves(
    "SIE POST /v1/encode/:model", "params.output_dtype: float32, float16, int8, binary; float32 when left out"
)
@pytest.mark.parametrize(
    ("name", "reported", "values", "numpy_name"),
    [
        ("int8", "int8", [64, -127, 32, 0, 0, -16, 95, 0, 0], "|i1"),
        ("uint8", "uint8", [219, 0, 182, 146, 146, 128, 255, 146, 146], "|u1"),
        ("binary", "binary", [170, 128], "|u1"),
        ("ubinary", "binary", [170, 128], "|u1"),
    ],
)
def test_a_vector_becomes_the_recorded_numbers(name: str, reported: str, values: list[int], numpy_name: str) -> None:
    found, numbers = dtypes.convert(X, name)
    assert (found, numbers.tolist(), numbers.dtype.str) == (reported, values, numpy_name)


@pytest.mark.proves(
    "SIE POST /v1/encode/:model", "params.output_dtype: float32, float16, int8, binary; float32 when left out"
)
def test_float16_is_a_cast() -> None:
    name, numbers = dtypes.convert(X, "float16")
    assert (name, numbers.dtype.str) == ("float16", "<f2")
    assert np.array_equal(numbers, X.astype(np.float16))


@pytest.mark.parametrize("name", ["int8", "uint8", "binary"])
def test_a_vector_of_zeros_divides_by_nothing(name: str) -> None:
    assert not dtypes.convert(np.zeros((2, 8), dtype=np.float32), name)[1].any()


def test_a_constant_vector_is_zero_in_uint8() -> None:
    assert not dtypes.convert(np.full(8, 0.3, dtype=np.float32), "uint8")[1].any()


@pytest.mark.parametrize("name", get_args(dtypes.Dtype))
def test_each_row_is_converted_on_its_own(name: str) -> None:
    rows = np.stack([X, X * 7, -X])
    _, together = dtypes.convert(rows, name)
    for row, converted in zip(rows, together, strict=True):
        assert np.array_equal(dtypes.convert(row, name)[1], converted)


@pytest.mark.parametrize("name", ["int8", "uint8"])
def test_small_numbers_keep_the_likeness_of_vectors(name: str) -> None:
    rows = np.random.default_rng(7).standard_normal((50, 128)).astype(np.float32)
    small = dtypes.convert(rows, name)[1].astype(np.float32)
    assert np.corrcoef(np.corrcoef(rows).ravel(), np.corrcoef(small).ravel())[0, 1] > 0.99


@pytest.mark.proves(
    "SIE POST /v1/encode/:model", "params.output_dtype: float32, float16, int8, binary; float32 when left out"
)
@pytest.mark.parametrize(
    ("name", "numpy_name", "shape"),
    [
        ("float32", "<f4", 128),
        ("float16", "<f2", 128),
        ("int8", "|i1", 128),
        ("uint8", "|u1", 128),
        ("binary", "|u1", 16),
    ],
)
def test_dense_vectors_keep_their_dims_whatever_their_dtype(
    name: str, numpy_name: str, shape: int, dense: Sie
) -> None:
    body = {"items": [{"text": "a"}, {"text": "b"}], "params": {"output_dtype": name}}
    for item in unpacked(dense.post(f"/v1/encode/{dense.id}", body, {}))["items"]:
        assert (item["dense"]["dims"], item["dense"]["dtype"]) == (128, name)
        assert (item["dense"]["values"].dtype.str, item["dense"]["values"].shape) == (numpy_name, (shape,))


@pytest.mark.proves(
    "SIE POST /v1/encode/:model", "params.output_dtype: float32, float16, int8, binary; float32 when left out"
)
@pytest.mark.parametrize(("name", "width"), [("float16", 128), ("int8", 128), ("uint8", 128), ("binary", 16)])
def test_multivectors_are_converted_per_token(name: str, width: int, sie: SieServers) -> None:
    tokens = sie["tokens"]
    plain = tokens.vectors("multivector", "Hello world")[0].astype(np.float32)
    found = tokens.encode("Hello world", output_types=["multivector"], output_dtype=name).json()["items"][0]
    multivector = found["multivector"]
    assert (multivector["token_dims"], multivector["num_tokens"], multivector["dtype"]) == (128, len(plain), name)
    assert np.array(multivector["values"]).shape == (len(plain), width)
    if name == "binary":
        assert np.array_equal(np.array(multivector["values"]), np.packbits(plain > 0, axis=-1))


@pytest.mark.proves(
    "SIE POST /v1/encode/:model", "params.output_dtype: float32, float16, int8, binary; float32 when left out"
)
@pytest.mark.parametrize(
    ("asked", "reported"), [("float16", "float16"), ("int8", "float32"), ("uint8", "float32"), ("binary", "float32")]
)
def test_sparse_weights_stay_floats(asked: str, reported: str, sie: SieServers) -> None:
    sparse = sie["sparse"].encode("a", output_dtype=asked).json()["items"][0]["sparse"]
    assert sparse["dtype"] == reported


@pytest.mark.proves(
    "SIE POST /v1/encode/:model", "params.output_dtype: float32, float16, int8, binary; float32 when left out"
)
@pytest.mark.parametrize("name", ["bfloat16", "foo", 8])
def test_a_dtype_that_nobody_knows_is_refused(name: Any, dense: Sie) -> None:
    assert code(dense.encode("a", output_dtype=name)) == (400, "INVALID_INPUT")
