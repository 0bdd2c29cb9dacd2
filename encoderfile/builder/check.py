"""Can this folder be served with exactly the answers of its own library? Finds out before anything is written."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import encoderfile
from encoderfile.builder import drift
from encoderfile.builder.config import BuildConfig
from encoderfile.builder.drift import Drift
from encoderfile.builder.folder import ModelFolder, open_folder
from encoderfile.builder.graph_inputs import graph_inputs
from encoderfile.builder.kinds import FILES, Kind, Outputs, offers, recognised, replace_config
from encoderfile.builder.labels import check_labels, label_facts
from encoderfile.builder.layers import layer_tensors
from encoderfile.builder.model_card import read_card
from encoderfile.builder.model_type import Choice, choose_output, choose_type, refuse_generators, unusual
from encoderfile.builder.onnx_graph import OnnxGraph
from encoderfile.builder.pooling_config import vector_pooling
from encoderfile.builder.precision import Changed, PrecisionOptions
from encoderfile.builder.regex_backtracking import refuse_backtracking
from encoderfile.builder.sentence_config import matryoshka, poolable, prompt_facts, refuse_unsupported, similarity
from encoderfile.builder.tokenizer_spec import (
    attention_bytes,
    first_position,
    long_text_notes,
    tables_of,
    tokenizer_spec,
)
from encoderfile.builder.transforms import open_transform, transformable, with_transform
from encoderfile.builder.trial_runs import HALF_TOLERANCE, TOLERANCE, compare_alone_and_together, try_lengths
from encoderfile.errors import ConfigError, ModelError, TransformError
from encoderfile.manifest import GraphInput, GraphSpec, LayerSpec, Manifest, TokenizerSpec
from encoderfile.model.device import Device
from encoderfile.model.model import Model
from encoderfile.model.padding import CONSTANT
from encoderfile.model.session import Session, ValueInfo
from encoderfile.model.tokenizer import Tokenizer
from encoderfile.transforms.transform import Transform
from encoderfile.types import FloatArray

_CPU = Device("cpu", "checks run on the CPU")


def check(config: BuildConfig) -> Checked:
    """Reads a folder, loads its graph and runs it on a few texts, alone and together.

    Raises `ModelError` or `ConfigError` with one sentence that says what is wrong and what to do.
    """
    try:
        return _check(config, open_folder(config.path, config.onnx, config.files, FILES, replace_config))
    except (TypeError, ValueError, LookupError, AttributeError, ArithmeticError, RecursionError) as error:
        reason = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        raise ModelError(
            f"a JSON file of {config.path} holds a value of an unexpected kind ({reason}): export the model again"
        ) from error
    except TransformError as error:
        raise ModelError(f"the transform fails: {error.reason}") from error
    except MemoryError as error:
        raise ModelError(
            f"checking {config.path} needs more memory than there is: lower the limit with --max-length"
        ) from error
    except OSError as error:
        raise ModelError(f"cannot read {error.filename or config.path}: {error.strerror}") from error


def _check(config: BuildConfig, folder: ModelFolder) -> Checked:
    original = OnnxGraph(folder.onnx)
    changed = Changed(folder.onnx, config.precision)
    graph = OnnxGraph(changed.onnx) if config.precision.changes else original
    session = _session(graph)
    kind, choice, also = _kind(config, folder, session)
    folder = kind.adapt(dataclasses.replace(folder, config=kind.config(folder)))
    if kind.change_graphs(folder, list({id(each): each for each in (original, graph)}.values()), session.outputs):
        session = _session(graph)
    inputs = graph_inputs(folder, session.inputs, {**_present(kind, session), **config.inputs}, kind.roles)
    taken, reasons = _taken(config, folder, kind, choice, session.outputs)
    refuse_unsupported(folder, taken.main, reads_messages=kind.reads_messages)
    if taken.main.dtype == "bfloat16":
        taken = dataclasses.replace(taken, main=_cast_to_float32(taken.main, original, graph))
        session = _session(graph)
    graph_spec = GraphSpec(
        inputs,
        taken.main.name,
        batchable=not any(each.startswith("DynamicQuantize") for each in graph.op_types),
        dtype=graph.weights_dtype(),
        first_position=first_position(folder.config),
        more_outputs=taken.more,
    )
    spec = tokenizer_spec(folder, config.tokenizer, graph_spec.fixed_tokens, tables_of(original), kind.library_limit)
    spec = kind.tokenizer_spec(folder, spec)
    refuse_backtracking(folder.tokenizer_json)
    tokenizer = Tokenizer(folder.files["tokenizer.json"], spec)
    _check_vocabulary(folder, tokenizer)
    facts = kind.facts(folder, graph_spec, taken.main, tokenizer)
    card, of_card = read_card(folder.path)
    manifest = dataclasses.replace(_manifest(config, folder, choice, taken.main, graph_spec, spec), card=card)
    manifest = dataclasses.replace(manifest, attention_bytes=attention_bytes(folder, graph))
    task = {**facts.manifest.get("task", {}), **taken.task}
    manifest = dataclasses.replace(manifest, **{**facts.manifest, "task": task})
    tensors = {**layer_tensors(folder, manifest.pooling), **facts.tensors}
    width = try_lengths(Model(manifest, tokenizer, session, tensors=tensors))
    model = Model(dataclasses.replace(manifest, width=width), tokenizer, session, tensors=tensors)
    check_labels(folder, model.manifest)
    tolerance = TOLERANCE if taken.main.dtype == "float32" else HALF_TOLERANCE
    difference = compare_alone_and_together(model, tolerance)
    transform, remarks = open_transform(config, model, None if type(kind) is Kind else choice.reason)
    if transform is not None:
        model, difference = with_transform(model, transform, tolerance)
    manifest = dataclasses.replace(model.manifest, max_padding_difference=difference, abilities=model.task.in_words)
    notes = [*folder.notes, *reasons, *changed.notes, *facts.notes, *also, *of_card, *remarks]
    if config.precision.changes:
        found = _drift(model, original, config.precision)
        manifest = dataclasses.replace(manifest, precision=config.precision.words(), drift=found.to_json())
        notes.append(found.words())
    manifest.to_bytes()  # raises for lone surrogates in a label or a prompt, which cannot be written
    notes += _notes(manifest, graph_spec)
    return Checked(folder, graph, manifest, choice.reason, tuple(notes), changed, tensors, transform)


def _kind(config: BuildConfig, folder: ModelFolder, session: Session) -> tuple[Kind, Choice, list[str]]:
    """The kind of the folder, its model type with the reason, and what else it could be.

    Where no kind is recognised, by the usual rules.
    """
    kind, reason = recognised(folder, session.outputs, config.model_type)
    if kind is not None:
        return kind, Choice(kind.model_type, reason), []
    refuse_generators(folder, [each.name for each in session.inputs], session.outputs)
    choice = choose_type(folder, session.outputs, config.model_type, config.output)
    return Kind(), choice, offers(folder, session.outputs)


def _taken(
    config: BuildConfig, folder: ModelFolder, kind: Kind, choice: Choice, outputs: Sequence[ValueInfo]
) -> tuple[Outputs, list[str]]:
    """The outputs that are taken, and why, where their names do not say it. Raises `ConfigError`, `ModelError`."""
    taken = kind.outputs(folder, outputs)
    if taken is None:
        candidates = outputs if config.output else poolable(folder, outputs)
        if config.transform is not None and not config.output:
            candidates = transformable(candidates, choice.model_type)
        main = choose_output(folder, choice.model_type, candidates, config.output)
        reason = unusual(folder, choice.model_type, main, config.output)
        return Outputs(main), [] if reason is None else [reason]
    if config.output not in (None, taken.main.name):
        raise ConfigError(
            f"--output {config.output}: this model gives {taken.main.name} ({choice.reason}): leave the flag out"
        )
    return taken, []


def _present(kind: Kind, session: Session) -> dict[str, str]:
    """The constants of the kind that the graph has an input for."""
    names = {each.name for each in session.inputs}
    return {name: value for name, value in kind.constants.items() if name in names}


def _manifest(
    config: BuildConfig, folder: ModelFolder, choice: Choice, output: ValueInfo, graph: GraphSpec, spec: TokenizerSpec
) -> Manifest:
    """What the files say by the usual rules."""
    shorter, sizes = matryoshka(folder)
    return Manifest(
        name=config.model_name,
        version=config.version,
        model_type=choice.model_type,
        builder_version=encoderfile.__version__,
        graph=graph,
        tokenizer=spec,
        pooling=vector_pooling(folder, choice.model_type, output),
        matryoshka=shorter,
        matryoshka_dimensions=sizes,
        other_routes=folder.other_routes,
        similarity=similarity(folder, choice.model_type),
        **prompt_facts(folder, choice.model_type, output),
        **label_facts(folder, choice.model_type),
    )


def _session(graph: OnnxGraph) -> Session:
    return Session(*graph.in_place(), device=_CPU, threads=0)


def _cast_to_float32(output: ValueInfo, *graphs: OnnxGraph) -> ValueInfo:
    """A bfloat16 output, for which numpy has no type, as float32: a Cast is added to each of the graphs."""
    for each in {id(graph): graph for graph in graphs}.values():
        name = each.add_float32_output(output.name, output.shape)
    return dataclasses.replace(output, name=name)


def _check_vocabulary(folder: ModelFolder, tokenizer: Tokenizer) -> None:
    rows = folder.config.get("vocab_size")
    size = tokenizer.vocabulary_size
    if isinstance(rows, int) and size > rows:
        raise ModelError(
            f"tokenizer.json has {size} tokens and the model {rows} (vocab_size in config.json): "
            "the tokenizer belongs to another model, export it again"
        )


def _drift(model: Model, original: OnnxGraph, options: PrecisionOptions) -> Drift:
    """How far the answers of `model` are from those of the exported graph. Raises `ModelError` when too far."""
    texts = drift.read_texts(options.calibrate)
    found = drift.measure(model.with_session(_session(original)), model, texts)
    drift.refuse(found, drift.MAX_FLIPS if options.max_flips is None else options.max_flips)
    return found


def _notes(manifest: Manifest, graph: GraphSpec) -> list[str]:
    """What a user should know of how the model will be run; `graph` is as the usual rules have it."""
    notes = []
    if not graph.batchable:
        notes.append("the graph quantises activations over the whole batch, so each text is run alone")
    if manifest.other_routes:
        routes = ", ".join(manifest.other_routes)
        notes.append(f"texts of the purpose {routes} go through other modules and are refused")
    return [*notes, *long_text_notes(manifest.tokenizer.max_length, manifest.attention_bytes)]


@dataclass(frozen=True)
class Checked:
    """A folder that passed."""

    folder: ModelFolder
    graph: OnnxGraph
    manifest: Manifest
    type_reason: str
    notes: tuple[str, ...] = ()
    changed: Changed | None = None
    """Keeps a changed graph on disk until it is written."""
    tensors: Mapping[str, FloatArray] = field(default_factory=dict)
    """What the artifact `TENSORS` holds."""
    transform: Transform | None = None

    def rows(self) -> list[tuple[str, str]]:
        """The findings as label and value, for a table."""
        manifest = self.manifest
        weights = sum(tensor.length for tensor in self.graph.tensors)
        rows = [
            ("graph", f"{self.folder.onnx.name}, {weights / 1e6:.1f} MB of weights"),
            ("model type", f"{manifest.model_type} ({self.type_reason})"),
            ("inputs", ", ".join(_described(each) for each in manifest.graph.inputs)),
            ("output", manifest.graph.output),
            ("limit", f"{manifest.tokenizer.max_length} tokens"),
            ("abilities", ", ".join(manifest.abilities)),
        ]
        if manifest.id2label is not None:
            rows.append(("labels", ", ".join(manifest.id2label.values())))
        if manifest.pooling is not None:
            normalized = "normalised" if manifest.pooling.normalize else "not normalised"
            in_place = "by the transform" if manifest.has_transform else "in the graph"
            steps = [" + ".join(manifest.pooling.modes) or in_place, *map(_layer, manifest.pooling.layers)]
            rows.append(("pooling", ", ".join([*steps, normalized])))
        if manifest.has_transform:
            rows.append(("transform", manifest.transform_in_words))
        if manifest.similarity is not None:
            rows.append(("similarity", manifest.similarity))
        if manifest.prompts:
            rows.append(("prompts", manifest.prompts_in_words))
        rows.append(("alone or in a batch", f"answers differ by at most {manifest.max_padding_difference:.0e}"))
        rows += [("note", note) for note in self.notes]
        return rows


def _layer(each: LayerSpec) -> str:
    if each.kind == "normalize":
        return "normalised"
    return f"{each.name} {each.activation}" if each.kind == "dense" else each.name


def _described(each: GraphInput) -> str:
    """An input, with what it is fed where its name does not say so."""
    if each.role != CONSTANT:
        return f"{each.name} as {each.role}" if each.role else each.name
    return f"{each.name} empty" if 0 in each.shape else f"{each.name} = {each.value:g}"
