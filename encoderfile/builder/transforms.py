"""Whether a transform keeps what is promised of answers: tried on made-up tensors, then with the model."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

import numpy as np

from encoderfile.builder.config import BuildConfig
from encoderfile.builder.runtimes import lua
from encoderfile.builder.transform_source import lua_libs, transform_source
from encoderfile.builder.trial_runs import TOLERANCE, compare_alone_and_together, try_lengths
from encoderfile.errors import ConfigError, ModelError
from encoderfile.manifest import DEFAULT_LUA_LIBS, Manifest, PoolingSpec
from encoderfile.model.model import Model
from encoderfile.model.session import ValueInfo
from encoderfile.tasks import TASKS
from encoderfile.tasks.pooling import SPARSE
from encoderfile.transforms.transform import Transform
from encoderfile.types import FloatArray

_LENGTHS = (5, 12, 1, 7, 12, 3)
_ROWS = 40
_PRINTED = 10
"""Lines of a script that are shown: a trial runs it often."""


def transformable(outputs: Sequence[ValueInfo], model_type: str) -> Sequence[ValueInfo]:
    """Those of `outputs` that have the axes that a transform takes; all, where none has."""
    axes = TASKS[model_type].transform
    return [each for each in outputs if axes is not None and len(each.shape) == len(axes.takes)] or outputs


def open_transform(config: BuildConfig, model: Model, kind: str | None) -> tuple[Transform | None, list[str]]:
    """The transform that a build is given, and what its user should know; `kind` is that of a model of its own kind.

    Raises `ConfigError` for a model that takes none, `TransformError` or `ModelError` for a script that does not do.
    """
    if config.transform is None:
        return None, ["lua_libs does nothing without a transform"] if config.lua_libs is not None else []
    axes = model.task.transform
    if axes is None:
        raise ConfigError(f"a {model.manifest.model_type} model takes no transform: leave it out")
    if kind is not None or model.task.preprocessor is not None or any(mode in SPARSE for mode in model.task.modes):
        reason = f" ({kind})" if kind is not None else ""
        raise ConfigError(f"this model makes its answers in a way of its own{reason}: leave the transform out")
    output = next(each for each in model.session.outputs if each.name == model.manifest.graph.output)
    if len(output.shape) != len(axes.takes):
        raise ConfigError(
            f"a transform takes [{', '.join(axes.takes)}], and {output.name} has {len(output.shape)} axes: choose "
            "another output with --output"
        )
    lua.require_installed()
    printed: list[str] = []

    def show(line: str) -> None:
        if len(printed) < _PRINTED:
            printed.append(line)

    libraries = DEFAULT_LUA_LIBS if config.lua_libs is None else lua_libs(config.lua_libs)
    transform = Transform(transform_source(config.transform, "`transform`"), libraries, axes, say=show)
    if config.validate_transform:
        _try(transform, model)
    made = "of the transform" if axes.takes_mask else "that the transform gives"
    notes = [f"answers are made of the numbers {made}: no softmax, normalisation or layer of the model follows"]
    return transform, [*notes, *(f"the transform prints: {line}" for line in printed)]


def with_transform(model: Model, transform: Transform, tolerance: float) -> tuple[Model, float]:
    """`model` with `transform`, and the bound of how far answers alone and in a batch are apart.

    Raises `ModelError` where it is above `tolerance`, `TransformError` where the script fails.
    """
    manifest = _manifest(model.manifest, transform)
    made = Model(manifest, model.tokenizer, model.session, tensors=model.tensors, transform=transform)
    manifest = dataclasses.replace(manifest, width=try_lengths(made))
    made = Model(manifest, model.tokenizer, model.session, tensors=model.tensors, transform=transform)
    return made, compare_alone_and_together(made, tolerance)


def _manifest(manifest: Manifest, transform: Transform) -> Manifest:
    """The transform has the last word: what the model's files say of later steps is left out."""
    pooling = manifest.pooling
    if pooling is not None:
        pooling = PoolingSpec(modes=() if transform.axes.takes_mask else pooling.modes)
    return dataclasses.replace(
        manifest,
        lua_libs=transform.libraries,
        pooling=pooling,
        relevance=None if manifest.id2label is None else "identity",
        matryoshka=False,
        matryoshka_dimensions=(),
    )


def _try(transform: Transform, model: Model) -> None:
    """Runs it on random tensors, with random padding too, whose rows may not change each other's answers."""
    output, mask = _batch(transform, model)
    together = transform(output, mask)
    rows = range(len(output))
    answers = [_answer(each, real) for each, real in zip(together, mask, strict=True)]
    alone = (_answer(transform(output[[row]], mask[[row]])[0], mask[row]) for row in rows)
    _compare(
        answers, alone, "with the other texts of its batch: no operation may go along axis 1 or the whole tensor"
    )
    reversed_ = transform(output[::-1].copy(), mask[::-1].copy())[::-1]
    others = (_answer(each, real) for each, real in zip(reversed_, mask, strict=True))
    _compare(answers, others, "with its place in the batch: each row has to be treated in the same way")
    if output.ndim == 3:
        advice = "use the mask" if transform.axes.takes_mask else "no operation may go along axis 2, the tokens"
        trimmed = (_trimmed(transform, output[row], mask[row]) for row in rows)
        _compare(answers, trimmed, f"with the padding of its batch: {advice}")


def _batch(transform: Transform, model: Model) -> tuple[FloatArray, FloatArray]:
    """Random rows of several lengths, padded as the model's are."""
    lengths = np.resize(_LENGTHS, _ROWS)
    tokens = max(_LENGTHS)
    mask = (np.arange(tokens) < lengths[:, None]).astype(np.float32)
    if model.manifest.tokenizer.padding_side == "left":
        mask = np.ascontiguousarray(mask[:, ::-1])
    sizes = {"batch": _ROWS, "tokens": tokens}
    shape = [sizes.get(axis, model.manifest.width) for axis in transform.axes.takes]
    return np.random.default_rng(42).standard_normal(shape, np.float32), mask


def _answer(row: FloatArray, mask: FloatArray) -> FloatArray:
    """What is kept of one text's row: its real tokens, or all of what is no longer by tokens."""
    return row[mask > 0] if row.ndim == 2 else row


def _trimmed(transform: Transform, row: FloatArray, mask: FloatArray) -> FloatArray:
    """The answer for a text without its padding."""
    real = mask > 0
    answer: FloatArray = transform(row[None, real], mask[None, real])[0]
    return answer


def _compare(expected: Sequence[FloatArray], found: Iterable[FloatArray], how: str) -> None:
    """Raises `ModelError` for answers that are not the same."""
    for a, b in zip(expected, found, strict=True):
        largest = float(np.abs(a, where=np.isfinite(a), out=np.zeros_like(a)).max(initial=1))
        if not np.allclose(a, b, rtol=0, atol=TOLERANCE * largest, equal_nan=True):
            raise ModelError(f"the transform's answer for a text changes {how}")
