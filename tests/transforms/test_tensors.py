"""The methods of a script's tensors, compared with numpy."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from encoderfile.transforms import tensors
from support.scripts_in_lua import POOLED, SOFTMAX, SOFTMAX_OF_TOKENS, UNIT_TOKENS, failure, postprocess, run

T = np.random.default_rng(0).standard_normal((2, 3, 4), np.float32)
MASK = np.array([[1, 1, 0], [1, 1, 1]], np.float32)
ROWS = np.array([[1, 2, 3], [4, 5, 6]], np.float32)


def close(found: Any, expected: Any) -> None:
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    assert np.shape(found) == np.shape(expected)


def softmax(array: np.ndarray, axis: int) -> np.ndarray:
    powers = np.exp(array - array.max(axis, keepdims=True))
    return powers / powers.sum(axis, keepdims=True)


def norm(array: np.ndarray, p: float, axis: int) -> np.ndarray:
    return np.linalg.norm(array, p, axis, keepdims=True)


@pytest.mark.parametrize(
    ("lua", "expected"),
    [
        ("t", lambda t: t),
        ("t:exp()", np.exp),
        ("t:transpose()", lambda t: t.swapaxes(1, 2)),
        ("t:softmax(1)", lambda t: softmax(t, 0)),
        ("t:softmax(2)", lambda t: softmax(t, 1)),
        ("t:softmax(3)", lambda t: softmax(t, 2)),
        ("t:softmax(3.0)", lambda t: softmax(t, 2)),
        ("(t * 1000):softmax(3)", lambda t: softmax(t * 1000, 2)),
        ("t:sum_axis(1)", lambda t: t.sum(0)),
        ("t:sum_axis(3)", lambda t: t.sum(2)),
        ("t:layer_norm(3, 1e-5)", lambda t: (t - t.mean(2, keepdims=True)) / np.sqrt(t.var(2, keepdims=True) + 1e-5)),
        ("t:layer_norm(1, 0.5)", lambda t: (t - t.mean(0, keepdims=True)) / np.sqrt(t.var(0, keepdims=True) + 0.5)),
        ("t:lp_normalize(2, 3)", lambda t: t / norm(t, 2, 2)),
        ("t:lp_normalize(1, 2)", lambda t: t / norm(t, 1, 1)),
        ("t:lp_normalize(3, 1)", lambda t: t / norm(t, 3, 0)),
        ("t:lp_normalize(math.huge, 3)", lambda t: t / norm(t, np.inf, 2)),
        ("(t * 0):lp_normalize(2, 3)", lambda t: t * 0),
        ("t:truncate_axis(3, 2)", lambda t: t[:, :, :2]),
        ("t:truncate_axis(2, 500)", lambda t: t),
        ("t:truncate_axis(1, 0)", lambda t: t[:0]),
        ("t:clamp(-0.5, 0.5)", lambda t: t.clip(-0.5, 0.5)),
        ("t:clamp(nil, 0)", lambda t: t.clip(None, 0)),
        ("t:clamp(0, nil)", lambda t: t.clip(0, None)),
        ("t:clamp()", lambda t: t),
        ("t:clamp(5, 2)", lambda t: np.full_like(t, 2)),
        ("t:clamp(0/0)", lambda t: np.full_like(t, np.nan)),
        ("t + 1", lambda t: t + 1),
        ("1 + t", lambda t: t + 1),
        ("t - t:sum_axis(1)", lambda t: t - t.sum(0)),
        ("3 - t", lambda t: 3 - t),
        ("t * t", lambda t: t * t),
        ("t / 4", lambda t: t / 4),
        ("1 / t", lambda t: 1 / t),
        ("t / 0", lambda t: t / np.float32(0)),
        ("t + Tensor{{{1}, {2}, {3}}}", lambda t: t + np.array([[[1], [2], [3]]])),
        ("t:map_axis(1, function(x) return x * 2 end)", lambda t: t * 2),
        ("t:map_axis(3, function(x) return x:exp() end)", np.exp),
        ("t:map_axis(2, function(x) return x:sum_axis(2) end)", lambda t: t.sum(2)),
        ("t:map_axis(1, function(x) return {x:mean(), x:max()} end)", lambda t: [[x.mean(), x.max()] for x in t]),
        ("t:fold_axis(1, function(acc, x) return acc + x end)", lambda t: t.sum((1, 2))),
        ("t:fold_axis(3, 1, function(acc, x) return acc * x end)", lambda t: t.prod((0, 1))),
        ("t:mean_pool({{1, 1, 1}, {1, 0, 0}})", lambda t: [t[0].mean(0), t[1, 0]]),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_a_tensor_is_what_numpy_makes_of_it(lua: str, expected: Callable[[np.ndarray], Any]) -> None:
    with np.errstate(all="ignore"):
        close(run(postprocess(f"return {lua}"), T), expected(T))


@pytest.mark.parametrize(
    ("lua", "expected"),
    [
        ("t:mean()", T.mean()),
        ("t:sum()", T.sum()),
        ("t:min()", T.min()),
        ("t:max()", T.max()),
        ("t:std(0)", T.std()),
        ("t:std(1)", T.std(ddof=1)),
        ("t:std()", T.std()),
        ("t:ndim()", 3),
        ("t:sum_axis(1):ndim()", 2),
        ("#t", 24),
        ("#Tensor{}", 0),
        ("Tensor{}:sum()", 0),
        ("Tensor{}:max()", -np.inf),
        ("Tensor{}:mean() == nil and 1 or 2", 1),
        ("t == t and 1 or 2", 1),
        ("t == t * 1 and 1 or 2", 1),
        ("t == t * 2 and 1 or 2", 2),
        ("t == t:transpose() and 1 or 2", 2),
        ("t == {} and 1 or 2", 2),
        ("t == 1 and 1 or 2", 2),
        ("Tensor(t) == t and 1 or 2", 1),
        ("Tensor.new{1, 2} == Tensor{1, 2} and 1 or 2", 1),
    ],
    ids=str,
)
def test_a_number_is_what_numpy_makes_of_it(lua: str, expected: float) -> None:
    close(run(postprocess(f"return {{{lua}}}"), T), [expected])


@pytest.mark.parametrize(
    ("table", "shape"),
    [
        ("{}", (0,)),
        ("{1}", (1,)),
        ("{{}, {}}", (2, 0)),
        ("{{1, 2}, {3, 4}, {5, 6}}", (3, 2)),
        ("{{{{{{{{1}}}}}}}}", (1,) * 8),
    ],
    ids=str,
)
def test_nested_tables_become_a_tensor(table: str, shape: tuple[int, ...]) -> None:
    assert run(postprocess(f"return Tensor({table})"), T).shape == shape


def test_a_large_table_keeps_its_order() -> None:
    found = run(postprocess("local n = {} for i = 1, 1000 do n[i] = {i, -i} end return Tensor(n)"), T)
    assert found.tolist() == [[each, -each] for each in range(1, 1001)]


def test_a_fold_sees_all_numbers_of_a_long_slice_in_their_order() -> None:
    long = np.arange(5000, dtype=np.float32).reshape(1, 2, 2500)
    body = "local last = -1 return t:fold_axis(1, function(n, x) n = n + (x - last) last = x return n end)"
    assert run(postprocess(body), long).tolist() == [5000]


def test_the_numbers_of_a_large_batch_can_be_folded_and_mapped_one_by_one() -> None:
    large = np.ones((16, 128, 384), np.float32)
    assert run(postprocess("return t:fold_axis(3, function(n, x) return n + x end)"), large).tolist() == [2048] * 384
    assert run(postprocess("return t:map_axis(2, function(x) return x:exp() end)"), large).shape == large.shape


def test_a_tensor_as_text_has_its_numbers() -> None:
    lines: list[str] = []
    run(postprocess("print(tostring(t), #t) return t"), ROWS, say=lines.append)
    assert lines == ["[[1., 2., 3.],\n [4., 5., 6.]]\t6"]
    lines.clear()
    run(postprocess("print(t) return t"), np.ones((30, 40), np.float32), say=lines.append)
    assert lines[0].startswith("[30, 40] beginning with [1., 1.,")
    assert len(lines[0]) < 1000


def test_the_scripts_of_encoderfile_0_7_give_what_they_gave() -> None:
    close(run(UNIT_TOKENS, T), T / norm(T, 2, 2))
    close(run(SOFTMAX, T[:, 0]), softmax(T[:, 0], 1))
    close(run(SOFTMAX_OF_TOKENS, T), softmax(T, 2))
    pooled = np.stack([T[0, :2].mean(0), T[1].mean(0)])
    close(run(POOLED, T, MASK), pooled / norm(pooled, 2, 1))


def test_a_mask_may_have_several_axes() -> None:
    deep = np.arange(1, 13, dtype=np.float32).reshape(1, 2, 3, 2)
    mask = np.array([[[1, 1, 0], [1, 1, 0]]], np.float32)
    close(run(postprocess("return t:mean_pool(u)"), deep, mask), [deep[0, :, :2].reshape(-1, 2).mean(0)])


SHAPE = "of the shape [2, 3, 4]"


@pytest.mark.parametrize(
    ("lua", "said"),
    [
        ("t:softmax(4)", f"there is no axis 4 in a tensor {SHAPE}: axes count from 1"),
        ("t:softmax(0)", f"there is no axis 0 in a tensor {SHAPE}: axes count from 1"),
        ("t:sum_axis(-1)", f"there is no axis -1 in a tensor {SHAPE}: axes count from 1"),
        ("t:map_axis(4, print)", f"there is no axis 4 in a tensor {SHAPE}: axes count from 1"),
        ("t:fold_axis(9, print)", f"there is no axis 9 in a tensor {SHAPE}: axes count from 1"),
        ("t:softmax(1.5)", "the axis should be an integer, got 1.5"),
        ("t:softmax()", "the axis should be an integer, got nil"),
        ("t:truncate_axis(1, -1)", "truncate_axis needs a length of 0 or more, got -1"),
        ("t:lp_normalize(0, 1)", "lp_normalize needs a p other than 0"),
        ("Tensor{}:lp_normalize(2, 1)", "lp_normalize needs elements, and the tensor has none"),
        ("Tensor{}:layer_norm(1, 0)", "layer_norm needs elements, and the tensor has none"),
        ("t:layer_norm(1)", "eps should be a number, got nil"),
        ("t:clamp('a')", "the minimum should be a number, got a"),
        ("t:std(24)", "std needs a ddof from 0 to less than the number of elements, 24"),
        ("Tensor{1}:transpose()", "transpose needs two axes, and the tensor has the shape [1]"),
        ("t + Tensor{1, 2, 3}", "+ does not fit tensors of the shapes [2, 3, 4] and [3]"),
        ("t / Tensor{{1, 2}}", "/ does not fit tensors of the shapes [2, 3, 4] and [1, 2]"),
        ("t + 'x'", "a tensor cannot be combined with a string"),
        ("{} + t", "a tensor cannot be combined with a table"),
        ("t:mean_pool(t)", "mean_pool does not fit tensors of the shapes [2, 3, 4] and [2, 3, 4]"),
        ("t:mean_pool({{1, 2}})", "mean_pool does not fit tensors of the shapes [2, 3, 4] and [1, 2]"),
        ("t:mean_pool()", "mean_pool takes a mask, not a nil"),
        ("t:map_axis(1)", "map_axis takes a function, not a nil"),
        ("t:map_axis(1, type)", "the function of map_axis should return a Tensor, and returned a string"),
        (
            "(function() local n = 0 return t:map_axis(2, function(x) n = n + 1 return x:truncate_axis(2, n) end) "
            "end)()",
            "map_axis needs tensors of one shape, and got [2, 1] and [2, 2]",
        ),
        (
            "t:map_axis(3, function(x) return x:sum_axis(1):sum_axis(1) end)",
            "map_axis cannot put tensors of the shape [] on axis 3",
        ),
        ("t:fold_axis(1, type)", "the function of fold_axis should return a number, and returned a string"),
        ("t:fold_axis(1, 'a', print)", "the first value should be a number, got a"),
        ("Tensor(1)", "Tensor takes nested tables of numbers, not a number"),
        ("Tensor{1, 'a'}", "a tensor holds numbers, not a string"),
        ("Tensor{{1}, {2, 3}}", "the tables of a tensor should have one length on each axis"),
        ("Tensor{{1}, 2}", "the tables of a tensor should have one length on each axis"),
        ("Tensor{t}", "a tensor holds numbers, not a table"),
        ("Tensor{{{{{{{{{1}}}}}}}}}", "a tensor has at most 8 axes"),
        ("t.softmax(2)", "call softmax with a colon, as in tensor:softmax(...)"),
        ("t:argmax()", "attempt to call a nil value (method 'argmax')"),
        ("5", "Postprocess should return a Tensor, and returned a number"),
    ],
    ids=str,
)
def test_what_cannot_be_done_is_an_error_of_the_script(lua: str, said: str) -> None:
    assert failure(postprocess(f"local made = {lua} return made"), T).removeprefix("transform:1: ") == said


def test_an_error_names_the_line_of_the_script() -> None:
    script = (
        "function Postprocess(t)\n  local made = t:softmax(1)\n  local other = made:softmax(7)\n  return other\nend"
    )
    assert failure(script, T).startswith("transform:3: there is no axis 7")


def test_a_tensor_cannot_be_changed() -> None:
    assert failure(postprocess("t[1] = 2"), T) == "transform:1: a tensor cannot be changed"
    before = T.copy()
    run(postprocess("local a = t:exp():clamp(0, 1) + 1 return t:softmax(1) * a"), T)
    assert np.array_equal(before, T)


@pytest.fixture
def little_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensors, "ELEMENTS", 200)


@pytest.mark.usefixtures("little_room")
def test_tensors_that_are_no_longer_used_make_room() -> None:
    close(run(postprocess("for i = 1, 100 do t = t * 0.5 end return t * 2^100"), T), T)


@pytest.mark.parametrize(
    "body",
    [
        "local all = {} while true do all[#all + 1] = t + 1 end",
        "local all = {} while true do all[#all + 1] = Tensor{1, 2, 3} end",
        "return t:map_axis(1, function(x) return x:map_axis(1, function(y) return t end) end)",
        "local column = {} for i = 1, 10 do column[i] = {{{1}}} end return t + Tensor(column)",
        "local row = {} for i = 1, 20 do row[i] = i end local all = {} for i = 1, 20 do all[i] = row end Tensor(all)",
    ],
)
@pytest.mark.usefixtures("little_room")
def test_tensors_that_would_take_too_much_memory_are_never_made(body: str) -> None:
    assert failure(postprocess(body), T).removeprefix("transform:1: ") == "the tensors take too much memory"
