"""Is this folder a model we can serve exactly? Finds out before anything is written."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import encoderfile
from encoderfile.builder import calls, drift, graph_inputs, labels, modules, outputs, patterns, precision, prompts
from encoderfile.builder.config import BuildConfig
from encoderfile.builder.drift import Drift
from encoderfile.builder.folder import ModelFolder, open_folder
from encoderfile.builder.limits import first_position
from encoderfile.builder.matryoshka import matryoshka
from encoderfile.builder.onnx_graph import OnnxGraph
from encoderfile.builder.precision import Changed, PrecisionWishes
from encoderfile.builder.tables import looked_up
from encoderfile.builder.tokenizer_spec import tokenizer_spec
from encoderfile.errors import InputError, InternalError, ModelError
from encoderfile.manifest import GraphInput, GraphSpec, Manifest
from encoderfile.model import padding
from encoderfile.model.device import Device
from encoderfile.model.model import Model
from encoderfile.model.padding import CONSTANT
from encoderfile.model.session import Session, ValueInfo
from encoderfile.model.tokenizer import Tokenizer
from encoderfile.tasks import TASKS
from encoderfile.tasks.results import Result, numbers
from encoderfile.types import EncodedText, FloatArray

TOLERANCE = 1e-3
"""Largest difference between a text alone and in a batch, relative to the largest value where that is above 1."""
HALF_TOLERANCE = 2e-2
"""The same for graphs that give float16, which holds three digits."""
LONGEST_TRIAL = 1024
"""A text at the limit is tried with up to this many tokens; attention beyond it would cost gigabytes."""

_HEADS = ("num_attention_heads", "n_heads", "n_head", "num_heads")
_ONE_OPERATOR = frozenset({"Attention", "GroupQueryAttention", "MultiHeadAttention", "PackedMultiHeadAttention"})

_HERE = Device("cpu", "checks run here")
_RUNS_ALONE = "the graph quantises activations over the whole batch, so each text is run alone"

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
"""So long beside the others that they are mostly padding."""
PAIR = ("How many people live in Berlin?", "Berlin has 3.7 million inhabitants, more than any other city of the EU.")


@dataclass(frozen=True)
class Checked:
    """A folder that passed: what the manifest will say, and what a user wants to see of it."""

    folder: ModelFolder
    graph: OnnxGraph
    manifest: Manifest
    type_reason: str
    notes: tuple[str, ...] = ()
    changed: Changed | None = None
    """Keeps a changed graph on disk until it is written."""

    def rows(self) -> list[tuple[str, str]]:
        """The findings as label and value, for a table."""
        manifest = self.manifest
        weights = sum(tensor.length for tensor in self.graph.tensors)
        rows = [
            ("graph", f"{self.folder.onnx.name}, {weights / 1e6:.1f} MB of weights"),
            ("model type", f"{manifest.model_type} ({self.type_reason})"),
            ("inputs", ", ".join(_words(each) for each in manifest.graph.inputs)),
            ("output", manifest.graph.output),
            ("limit", f"{manifest.tokenizer.max_length} tokens"),
        ]
        if manifest.id2label is not None:
            rows.append(("labels", ", ".join(manifest.id2label.values())))
        if manifest.pooling is not None:
            normalized = "normalised" if manifest.pooling.normalize else "not normalised"
            rows.append(("pooling", f"{' + '.join(manifest.pooling.modes) or 'in the graph'}, {normalized}"))
        if manifest.prompts:
            rows.append(("prompts", manifest.prompts_in_words))
        rows.append(("alone or in a batch", f"answers differ by at most {manifest.max_padding_difference:.1e}"))
        rows += [("note", note) for note in self.notes]
        return rows


def _words(each: GraphInput) -> str:
    """An input, with what it is fed where its name does not say it."""
    if each.role != CONSTANT:
        return f"{each.name} as {each.role}" if each.role else each.name
    return f"{each.name} empty" if 0 in each.shape else f"{each.name} = {each.value:g}"


def check(config: BuildConfig) -> Checked:
    """Reads a folder, loads its graph and runs it on a few texts, alone and together.

    Raises `ModelError` or `ConfigError` with one sentence that says what is wrong and what to do.
    """
    try:
        return _check(config, open_folder(config.path, config.onnx, config.files))
    except (TypeError, ValueError, LookupError, AttributeError, ArithmeticError, RecursionError) as error:
        raise ModelError(
            f"a JSON file of {config.path} holds a value of an unexpected kind ({_reason(error)}): "
            "export the model again"
        ) from error
    except MemoryError as error:
        raise ModelError(
            f"{config.path} asks for more memory than there is: lower the limit with --max-length"
        ) from error
    except OSError as error:
        raise ModelError(f"cannot read {error.filename or config.path}: {error.strerror}") from error


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"


def _check(config: BuildConfig, folder: ModelFolder) -> Checked:
    original = OnnxGraph(folder.onnx)
    changed = precision.changed(folder.onnx, config.precision)
    onnx_graph = OnnxGraph(changed.onnx) if config.precision.changes else original
    session = Session(*onnx_graph.in_place(), device=_HERE, threads=0)
    outputs.refuse_generators(folder, [each.name for each in session.inputs], session.outputs)
    inputs = graph_inputs.graph_inputs(folder, session.inputs, config.inputs)
    choice = outputs.choose_type(folder, session.outputs, config.model_type, config.output)
    fit = session.outputs if config.output else prompts.poolable(folder, session.outputs)
    output = outputs.choose_output(folder, choice.model_type, fit, config.output)
    pooling = modules.vector_pooling(folder, choice.model_type, output)
    calls.refuse_others(folder, output)
    if output.dtype == "bfloat16":
        output = _widened(output, original, onnx_graph)
        session = Session(*onnx_graph.in_place(), device=_HERE, threads=0)
    graph = GraphSpec(
        inputs,
        output.name,
        batchable=not any(kind.startswith("DynamicQuantize") for kind in onnx_graph.op_types),
        first_position=first_position(folder.config),
    )
    spec = tokenizer_spec(folder, config.tokenizer, graph.fixed_tokens, looked_up(original))
    patterns.refuse_endless(folder.tokenizer_json)
    words = Tokenizer(folder.files["tokenizer.json"], spec)
    _check_vocabulary(folder, words)
    columns = _try_lengths(session, words, graph)
    shorter, sizes = matryoshka(folder)
    manifest = Manifest(
        name=config.model_name,
        version=config.version,
        model_type=choice.model_type,
        builder_version=encoderfile.__version__,
        graph=graph,
        tokenizer=spec,
        pooling=pooling,
        width=columns,
        matryoshka=shorter,
        matryoshka_dimensions=sizes,
        other_routes=folder.other_routes,
        attention_bytes=_attention_bytes(folder, onnx_graph),
        **prompts.facts(folder, choice.model_type, output),
        **_scoring(folder, choice.model_type, columns),
    )
    tolerance = TOLERANCE if output.dtype == "float32" else HALF_TOLERANCE
    model = Model(manifest, words, session)
    difference = _compare_alone_and_together(model, tolerance)
    if config.precision.changes:
        found = _drift(model, original, config.precision)
        manifest = dataclasses.replace(manifest, precision=config.precision.words(), drift=found.to_json())
        changed = dataclasses.replace(changed, notes=(*changed.notes, found.words()))
    manifest = dataclasses.replace(manifest, max_padding_difference=difference)
    manifest.to_bytes()  # lone surrogates in a label or a prompt are no text that could be written
    return Checked(
        folder=folder,
        graph=onnx_graph,
        manifest=manifest,
        type_reason=choice.reason,
        notes=(*folder.notes, *changed.notes, *_notes(folder, manifest)),
        changed=changed,
    )


def _widened(output: ValueInfo, *graphs: OnnxGraph) -> ValueInfo:
    """A bfloat16 output, which numpy lacks, as float32: each of the graphs casts it."""
    for each in {id(graph): graph for graph in graphs}.values():
        wide = each.widen(output.name, output.shape)
    return dataclasses.replace(output, name=wide)


def _scoring(folder: ModelFolder, model_type: str, columns: int) -> dict[str, Any]:
    """What the manifest says of labels and of the way from logits to scores; nothing for vectors."""
    if not TASKS[model_type].has_labels:
        return {}
    of_texts = model_type == "sequence_classification"
    problem = labels.problem_type(folder)
    return {
        "id2label": labels.labels(folder, columns),
        "multi_label": problem == "multi_label_classification",
        "regression": of_texts and problem == "regression",
        "relevance": labels.relevance(folder) if of_texts and columns == 1 else None,
    }


def _drift(model: Model, original: OnnxGraph, wishes: PrecisionWishes) -> Drift:
    """How far `model` is from the exported graph. Raises `ModelError` when that is too far."""
    texts = drift.read_texts(wishes.calibrate)
    before = model.with_session(Session(*original.in_place(), device=_HERE, threads=0))
    found = drift.measure(before, model, texts)
    drift.refuse(found, drift.MAX_FLIPS if wishes.max_flips is None else wishes.max_flips)
    return found


def _check_vocabulary(folder: ModelFolder, tokenizer: Tokenizer) -> None:
    rows = folder.config.get("vocab_size")
    size = tokenizer.vocabulary_size()
    if isinstance(rows, int) and size > rows:
        raise ModelError(
            f"tokenizer.json has {size} tokens and the model {rows} (vocab_size in config.json): "
            "the tokenizer belongs to another model, export it again"
        )


def _try_lengths(session: Session, tokenizer: Tokenizer, graph: GraphSpec) -> int:
    """Runs one short text and one at the limit; returns the size of the output's last axis."""
    short = tokenizer(TEXTS[:1], with_tokens=False)
    feeds, _ = padding.feeds(short, graph, tokenizer.spec)
    try:
        columns = int(session.run(feeds, graph.output).shape[-1])
    except InternalError as error:
        constants = [f"{each.name}={each.value:g}" for each in graph.inputs if each.value]
        advice = f"give another value for --input {', '.join(constants)}" if constants else "export the model again"
        cause = " ".join(str(error.__cause__).split())[:300]
        raise ModelError(f"the graph fails on a short text ({cause}): {advice}") from error
    limit = min(tokenizer.spec.max_length, LONGEST_TRIAL)
    (long,) = tokenizer([" ".join(TEXTS) + " and so on" * limit], with_tokens=False)
    feeds, _ = padding.feeds([_first(long, limit)], graph, tokenizer.spec)
    try:
        session.run(feeds, graph.output)
    except InternalError as error:
        raise ModelError(
            f"the graph fails on a text of {limit} tokens: give the length it was made for with --max-length"
        ) from error
    return columns


def _first(text: EncodedText, count: int) -> EncodedText:
    """The first `count` tokens of a text."""
    return dataclasses.replace(
        text,
        input_ids=text.input_ids[:count],
        token_type_ids=text.token_type_ids[:count],
        special_tokens_mask=text.special_tokens_mask[:count],
        tokens=text.tokens[:count],
    )


def _notes(folder: ModelFolder, manifest: Manifest) -> tuple[str, ...]:
    """What a user should know of how the model will be run."""
    notes = [] if manifest.graph.batchable else [_RUNS_ALONE]
    if folder.other_routes:
        routes = ", ".join(folder.other_routes)
        notes.append(f"texts of the purpose {routes} go through other modules and are refused")
    return (*notes, *_long_text_notes(manifest.tokenizer.max_length, manifest.attention_bytes))


def _long_text_notes(limit: int, attention_bytes: int) -> tuple[str, ...]:
    """What a limit costs that is too long to be tried."""
    if limit <= LONGEST_TRIAL:
        return ()
    tried = f"tried with up to {LONGEST_TRIAL} tokens of {limit}"
    if not attention_bytes:
        return (tried,)
    needed = attention_bytes * limit * limit
    return (f"{tried}; attention over a text that long takes up to {needed / 1e9:.1f} GB, --max-length lowers it",)


def _attention_bytes(folder: ModelFolder, graph: OnnxGraph) -> int:
    """Memory for each pair of tokens: scores and their softmax of each head, and the mask, in float32.

    0 where attention is one operator, which may do without, and where config.json names no heads.
    """
    heads = next((folder.config[key] for key in _HEADS if isinstance(folder.config.get(key), int)), 0)
    return 0 if graph.op_types & _ONE_OPERATOR or not heads else 4 * (2 * heads + 1)


def _compare_alone_and_together(model: Model, tolerance: float) -> float:
    """The largest difference between answers alone and in a padded batch. Raises above `tolerance`."""
    texts = model.encode([*TEXTS, LONG])
    if model.manifest.model_type == "sequence_classification":
        # A short limit leaves no room beside the half of a pair that truncation_strategy never cuts.
        with contextlib.suppress(InputError):
            texts += model.encode([PAIR])
    difference, allowed = _differences(model, texts, tolerance)
    if difference > allowed:
        side = model.manifest.tokenizer.padding_side
        other = "right" if side == "left" else "left"
        turned, _ = _differences(model.padded_on(other), texts, tolerance)
        advice = "the graph ignores attention_mask, export it again"
        if turned <= allowed:
            advice = f"set padding_side to {other} in tokenizer_config.json, where answers stay as they are"
        raise ModelError(
            f"answers change by {difference:.2g} when a text is padded on the {side} beside longer ones (at most "
            f"{allowed:.2g} is allowed): {advice}"
        )
    return difference


def _differences(model: Model, texts: Sequence[EncodedText], tolerance: float) -> tuple[float, float]:
    """How far answers alone are from those in one batch, and how far they may be."""
    try:
        together = [_numbers(each) for each in model.run(texts)]
    except InternalError as error:
        raise ModelError(
            f"the graph runs one text and fails on {len(texts)} together: export it with a free batch"
        ) from error
    alone = [_numbers(result) for text in texts for result in model.run([text])]
    difference = max(float(np.abs(a - b).max(initial=0)) for a, b in zip(alone, together, strict=True))
    return difference, tolerance * max(1.0, *(float(np.abs(each).max(initial=0)) for each in alone))


def _numbers(result: Result | InternalError) -> FloatArray:
    if isinstance(result, InternalError):
        raise ModelError(f"{str(result).removeprefix('Internal error: ')}: its weights are damaged, export it again")
    return numbers(result)
