"""Runs a graph on a few texts: alone, in a batch, and at the limit of its length."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

import numpy as np

from encoderfile.errors import InputError, InternalError, ModelError, TransformError
from encoderfile.model.model import Model
from encoderfile.model.text_inputs import resized
from encoderfile.tasks.results import Result, numbers
from encoderfile.types import Asked, EncodedText, FloatArray

TOLERANCE = 1e-3
"""Largest difference between a text alone and in a batch, relative to the largest value where that is above 1."""
HALF_TOLERANCE = 2e-2
"""The same for graphs that give float16, which has three digits."""
BOUNDS = tuple(float(f"1e{power}") for power in range(-6, 7))
"""What a manifest says of the difference: its digits depend on the processor, and the bytes of a file must not."""
LONGEST_TRIAL = 1024
"""A text at the limit is tried with up to this many tokens; attention beyond it would cost gigabytes."""

TEXTS = (
    "Hello world!",
    "The quick brown fox jumps over the lazy dog, and the dog does not mind at all.",
    "Zürich ist schön – naïve café, 東京 and 😀 in one line.",
    "a",
)
LONG = (
    "It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of foolishness, "
    "it was the epoch of belief, it was the epoch of incredulity, it was the season of light. "
) * 3
"""So long that the others are mostly padding beside it."""
PAIR = ("How many people live in Berlin?", "Berlin has 3.7 million inhabitants, more than any other city of the EU.")


def example(model: Model, purpose: str | None = None) -> Asked:
    """What a request asks that has the options of the model type's example."""
    return Asked(purpose=purpose, options=model.task.needed, kinds=tuple(model.task.separate_kinds), undecided=True)


def _examples(model: Model) -> list[Asked]:
    """One without a purpose, and one for each that texts may have."""
    return [example(model, purpose) for purpose in (None, *model.task.purposes)]


def _to_run(model: Model, texts: Sequence[str], asked: Asked) -> list[EncodedText]:
    """Those that are not answered without a run of the graph."""
    encoded = model.encode(list(map(model.task.as_input, texts)), asked)
    preprocessor = model.task.preprocessor
    return encoded if preprocessor is None else [each for each in encoded if preprocessor.needs_run(each)]


def try_lengths(model: Model) -> int:
    """Runs one short text and one at the limit; returns the size of the output's last axis. Raises `ModelError`."""
    graph, asked = model.manifest.graph, example(model)
    try:
        columns = int(_output(model, model.encode([model.task.as_input(TEXTS[0])], asked)).shape[-1])
    except TransformError:
        raise
    except InternalError as error:
        constants = [f"{each.name}={each.value:g}" for each in graph.inputs if each.value]
        advice = f"give another value for --input {', '.join(constants)}" if constants else "export the model again"
        cause = " ".join(str(error.__cause__).split())[:300]
        raise ModelError(f"the graph fails on a short text ({cause}): {advice}") from error
    limit = min(model.manifest.tokenizer.max_length, LONGEST_TRIAL)
    for asked in _examples(model):
        for each in _to_run(model, [" ".join(TEXTS) + " and so on" * (limit // 2)], asked)[:1]:
            long = resized(each, min(limit, len(each))) if model.task.preprocessor is None else each
            try:
                _output(model, [long])
            except TransformError:
                raise
            except InternalError as error:
                raise ModelError(
                    f"the graph fails on a text of {len(long)} tokens: give the length it was made for with "
                    "--max-length"
                ) from error
    return columns


def _output(model: Model, texts: Sequence[EncodedText]) -> FloatArray:
    batch = texts[: model.manifest.graph.fixed_batch]
    feeds, mask = model.inputs.feeds(batch)
    output = model.session.run(feeds, model.manifest.graph.output)
    if not model.manifest.has_transform:
        return output
    return model.transformed(output[: len(batch)], batch, mask[: len(batch)])


def compare_alone_and_together(model: Model, tolerance: float) -> float:
    """A bound of the difference between answers alone and in a padded batch: one of `BOUNDS`, or `tolerance`.

    Raises `ModelError` when it is above `tolerance`, or an answer is not finite.
    """
    texts = [text for asked in _examples(model) for text in _to_run(model, [*TEXTS, LONG], asked)]
    if model.task.takes_pairs:
        # A short limit may leave no room beside the text of a pair that truncation_strategy never truncates.
        with contextlib.suppress(InputError):
            texts += model.encode([PAIR], example(model))
    difference, allowed = _differences(model, texts, tolerance)
    if difference > allowed and model.manifest.has_transform:
        raise ModelError(
            f"answers change by {difference:.2g} when a text is in a batch with others (at most {allowed:.2g} is "
            "allowed), and without the transform they do not: use its mask, and let it combine no two texts"
        )
    if difference > allowed:
        side = model.manifest.tokenizer.padding_side
        other = "right" if side == "left" else "left"
        on_the_other_side, _ = _differences(model.padded_on(other), texts, tolerance)
        advice = "the graph ignores attention_mask, export it again"
        if on_the_other_side <= allowed:
            advice = f"set padding_side to {other} in tokenizer_config.json, where answers stay the same"
        raise ModelError(
            f"answers change by {difference:.2g} when a text is padded on the {side} in a batch with longer ones (at "
            f"most {allowed:.2g} is allowed): {advice}"
        )
    return min((bound for bound in (*BOUNDS, tolerance) if bound >= difference), default=difference)


def _differences(model: Model, texts: Sequence[EncodedText], tolerance: float) -> tuple[float, float]:
    """How far answers alone are from those in one batch, and how far they may be."""
    try:
        together = [_finite(each) for each in model.run(texts)]
    except TransformError:
        raise
    except InternalError as error:
        raise ModelError(
            f"the graph runs one text and fails on {len(texts)} together: export it with a dynamic batch size"
        ) from error
    alone = [_finite(result) for text in texts for result in model.run([text])]
    difference = max(float(np.abs(a - b).max(initial=0)) for a, b in zip(alone, together, strict=True))
    return difference, tolerance * max(1.0, *(float(np.abs(each).max(initial=0)) for each in alone))


def _finite(result: Result | InternalError) -> FloatArray:
    if isinstance(result, InternalError):
        raise ModelError(f"{str(result).removeprefix('Internal error: ')}: its weights are damaged, export it again")
    return numbers(result)
