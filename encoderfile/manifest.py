"""What is inside a file: all that the runtime must know of the model, and the checksum of every part."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import encoderfile
from encoderfile.errors import ContainerError
from encoderfile.types import Example

T = TypeVar("T")

FORMAT_VERSION = 1
"""Raised when an older runtime could not read a newer payload."""

GRAPH = "graph.onnx"
"""Artifact: the ONNX graph, its large tensors replaced by references into `WEIGHTS`."""
WEIGHTS = "weights.bin"
"""Artifact: the large tensors, each page-aligned so that it is mapped and never copied."""
TOKENIZER = "tokenizer.json"
"""Artifact: the tokenizer as exported."""
TENSORS = "tensors.safetensors"
"""Artifact: layers and tables that are applied outside of the graph."""

TRANSFORM = "transform.lua"
"""Artifact: the script that changes the graph's output."""

CUDA_LIBRARIES, CUFFT_LIBRARIES = "cuda-libraries.pack", "cufft-libraries.pack"
"""Artifacts: packs of libraries that a start with CUDA unpacks. They are no part of the model."""
LIBRARIES = (CUDA_LIBRARIES, CUFFT_LIBRARIES)
LUA = "lua.pack"
"""Artifact: a pack with Lua, for files with a transform."""
PACKS = (*LIBRARIES, LUA)
"""Artifacts that are unpacked when they are needed."""

LUA_LIBS = ("coroutine", "math", "string", "table", "utf8")
"""The standard libraries of Lua that a transform can have."""
DEFAULT_LUA_LIBS = ("math", "string", "table")
"""Those that it has where a build names none."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """One part of the payload. `offset` counts bytes from the start of the payload."""

    name: str
    offset: int
    length: int
    sha256: str


@dataclass(frozen=True, slots=True)
class GraphInput:
    """One input of the graph. `dtype` is a numpy name; `batch` and `tokens` are set where they are fixed."""

    name: str
    dtype: str
    batch: int | None = None
    tokens: int | None = None
    role: str = ""
    """What it is fed with: `input_ids`, `attention_mask`, ..., or `constant`; empty: what its name says."""
    value: float | None = None
    """Of a constant: what every element is."""
    shape: tuple[int | None, ...] = ()
    """Of a constant: its first None is the number of rows, the next the number of tokens."""


@dataclass(frozen=True, slots=True)
class GraphSpec:
    """How to feed the graph and which output to take."""

    inputs: tuple[GraphInput, ...]
    output: str
    batchable: bool = True
    """False if an answer depends on the rest of its batch (dynamic quantisation): each text runs alone."""
    dtype: str = ""
    """What most bytes of the weights are (`float32`, `float16`, `int8`); empty in files of older builders."""
    first_position: int = 0
    """The position of a text's first token, for graphs that ask for `position_ids`."""
    more_outputs: Mapping[str, str] = field(default_factory=dict)
    """Outputs of the same run beside `output`, by the kind of vector that they are (`sparse`)."""

    @property
    def fixed_batch(self) -> int | None:
        """The only batch size to run, or None."""
        return self.rows if self.batchable else 1

    @property
    def rows(self) -> int | None:
        """The only number of rows that the graph takes, or None."""
        return next((i.batch for i in self.inputs if i.batch is not None), None)

    @property
    def fixed_tokens(self) -> int | None:
        """The only length the graph runs, in tokens, or None."""
        return next((i.tokens for i in self.inputs if i.tokens is not None), None)


@dataclass(frozen=True, slots=True)
class TokenizerSpec:
    """How texts are truncated and padded, whatever a request says. Lengths in tokens."""

    max_length: int
    pad_token_id: int = 0
    pad_token_type_id: int = 0
    token_types: bool = True
    """Whether the second text of a pair has token type 1; otherwise graphs that ask get zeros."""
    padding_side: str = "right"
    pad_to: int | None = None
    """Every text is padded to this length; None: to the longest of its batch."""
    truncation_side: str = "right"
    truncation_strategy: str = "longest_first"
    stride: int = 0
    split_special_tokens: bool = False
    """Whether a special token spelled out in a text (`[SEP]`) is text like any other."""
    unknown_token_id: int | None = None
    """The token for what is not in the vocabulary; only the grouping of entities asks for it."""


@dataclass(frozen=True, slots=True)
class LayerSpec:
    """What a vector goes through after the pooling: a `dense` layer, a `layer_norm`, or `normalize`."""

    kind: str
    name: str = ""
    """Of its tensors in the artifact `TENSORS`: `name.weight`, `name.bias`."""
    activation: str = "Identity"
    """The class in torch.nn that a dense layer ends with."""


@dataclass(frozen=True, slots=True)
class PoolingSpec:
    """How token vectors become one vector; several `modes` are concatenated, as sentence-transformers does."""

    modes: tuple[str, ...] = ("mean",)
    normalize: bool = False
    """Whether the vector is normalised at the end, where a request does not say otherwise."""
    layers: tuple[LayerSpec, ...] = ()
    """Between the two, in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What the model's own card says of it, for people."""

    title: str = ""
    license: str = ""
    languages: tuple[str, ...] = ()
    examples: tuple[Example, ...] = ()


@dataclass(frozen=True, slots=True)
class Manifest:
    """The whole description of one file."""

    name: str
    version: str
    model_type: str
    """The name of its `Task`."""
    builder_version: str
    graph: GraphSpec
    tokenizer: TokenizerSpec
    id2label: Mapping[int, str] | None = None
    multi_label: bool = False
    regression: bool = False
    """Whether the logits of a text are values and not scores of labels."""
    pooling: PoolingSpec | None = None
    max_padding_difference: float = 0.0
    width: int = 0
    """Size of the output's last axis: of a vector, or the number of labels; 0 in files of older builders."""
    prompts: Mapping[str, str] = field(default_factory=dict)
    """What may be put before a text, by name (config_sentence_transformers.json)."""
    default_prompt_name: str | None = None
    include_prompt: bool = True
    """Whether a prompt's tokens are pooled with those of the text."""
    similarity: str | None = None
    """How vectors are compared, as the model's files say it: `cosine`, `dot`, `euclidean`, `manhattan`."""
    matryoshka: bool = False
    """Whether the beginning of a vector is a vector too, so that callers may ask for fewer dimensions."""
    matryoshka_dimensions: tuple[int, ...] = ()
    """The only sizes that it may be truncated to; empty: any."""
    precision: str = "as exported"
    """What the builder did to the graph: `int8`, `optimized`, both, or nothing."""
    drift: Mapping[str, float | None] | None = None
    """How far answers moved by that, as `builder.drift` measured."""
    relevance: str | None = None
    """For a cross-encoder, what makes its logit a score: a name of `tasks.numerics`."""
    other_routes: tuple[str, ...] = ()
    """Purposes (`query`) whose texts take a part of the model that is not in this graph: they are refused."""
    attention_bytes: int = 0
    """Memory that a run takes for each pair of tokens of a text; 0: unknown, or another rule."""
    task: Mapping[str, Any] = field(default_factory=dict)
    """What the model type alone needs to know, as its task declares it."""
    lua_libs: tuple[str, ...] | None = None
    """The standard libraries that the script of the file may use; None: there is no script."""
    abilities: tuple[str, ...] = ()
    """What the model can do and what a request to it may hold, as `Task.in_words` has it; for people."""
    card: Card = Card()
    artifacts: tuple[Artifact, ...] = ()

    def artifact(self, name: str) -> Artifact | None:
        """The part called `name`."""
        return next((a for a in self.artifacts if a.name == name), None)

    @property
    def has_transform(self) -> bool:
        """Whether a script makes the numbers that results are made of."""
        return self.lua_libs is not None

    @property
    def transform_in_words(self) -> str:
        """The language and the libraries of the script, for a table."""
        return (
            f"in Lua, with the libraries {', '.join(self.lua_libs)}" if self.lua_libs else "in Lua, without libraries"
        )

    @property
    def model_bytes(self) -> int:
        """The size of the graph and its weights."""
        return sum(each.length for each in self.artifacts if each.name in (GRAPH, WEIGHTS))

    @property
    def prompts_in_words(self) -> str:
        """The names of the prompts and the default, for a table."""
        name = self.default_prompt_name
        default = "none unless a request names one" if name is None else f"{name} unless a request names another"
        return f"{', '.join(self.prompts)}; {default}"

    def to_json(self) -> dict[str, Any]:
        """Plain values, ready for `json.dumps`."""
        body = dataclasses.asdict(self)
        if self.id2label is not None:
            body["id2label"] = {str(index): label for index, label in self.id2label.items()}
        return {"format_version": FORMAT_VERSION, **body}

    def to_bytes(self) -> bytes:
        """The same bytes for the same manifest, always."""
        return json.dumps(self.to_json(), sort_keys=True, ensure_ascii=False, indent=1).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Manifest:
        """Reads what `to_bytes` wrote. Raises `ContainerError` for other bytes, or those of a newer builder."""
        try:
            body = json.loads(data)
            version = body.get("builder_version")
            return _manifest(body)
        except _UnknownError as unknown:
            known = isinstance(version, str) and re.fullmatch(r"[\w.+-]{1,40}", version)
            maker = f"a newer encoderfile ({version})" if known else "a newer encoderfile"
            raise ContainerError(
                f"this file was made by {maker}: encoderfile {encoderfile.__version__} does not know its {unknown}; "
                "upgrade encoderfile, or build the file again with this version"
            ) from unknown
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ContainerError("the manifest inside the file cannot be read: the file is damaged") from error


class _UnknownError(Exception):
    """Something that a later version added."""


def _manifest(body: dict[str, Any]) -> Manifest:
    found = body.pop("format_version")
    if found != FORMAT_VERSION:
        raise _UnknownError(f"format {found!r:.60}")
    if not isinstance(body["model_type"], str):
        raise TypeError(f"{body['model_type']!r} is not a model type")
    graph, pooling, labels = body["graph"], body["pooling"], body["id2label"]
    inputs = (_made(GraphInput, each, shape=tuple(each.get("shape", ()))) for each in graph["inputs"])
    return _made(
        Manifest,
        body,
        graph=_made(GraphSpec, graph, inputs=tuple(inputs)),
        tokenizer=_made(TokenizerSpec, body["tokenizer"]),
        pooling=None if pooling is None else _pooling(pooling),
        id2label=None if labels is None else {int(index): label for index, label in labels.items()},
        artifacts=tuple(_artifact(each) for each in body["artifacts"]),
        matryoshka_dimensions=tuple(body.get("matryoshka_dimensions", ())),
        other_routes=tuple(body.get("other_routes", ())),
        abilities=tuple(body.get("abilities", ())),
        card=_card(body.get("card", {})),
        lua_libs=None if body.get("lua_libs") is None else tuple(body["lua_libs"]),
    )


def _card(body: Mapping[str, Any]) -> Card:
    examples = (
        _made(Example, each, texts=tuple(each["texts"]), labels=tuple(each.get("labels", ())))
        for each in body.get("examples", ())
    )
    return _made(Card, body, languages=tuple(body.get("languages", ())), examples=tuple(examples))


def _pooling(body: Mapping[str, Any]) -> PoolingSpec:
    layers = tuple(_made(LayerSpec, each) for each in body.get("layers", ()))
    return _made(PoolingSpec, body, modes=tuple(body["modes"]), layers=layers)


def _made(kind: type[T], body: Mapping[str, Any], **changed: Any) -> T:
    """A `kind` with the fields in `body`, those in `changed` in another form. Raises `_UnknownError` for others."""
    unknown = sorted(body.keys() - kind.__annotations__.keys())
    if unknown:
        raise _UnknownError(f"field {unknown[0]!r:.60}")
    return kind(**{**body, **changed})


def _artifact(body: Mapping[str, Any]) -> Artifact:
    """Raises `ValueError` or `TypeError` for a place or a name that no builder writes."""
    artifact = _made(Artifact, body)
    places = (artifact.offset, artifact.length)
    if not all(type(place) is int and 0 <= place < 1 << 63 for place in places):
        raise ValueError(f"the artifact {artifact.name!r} lies at {places}")
    if not isinstance(artifact.name, str) or not artifact.name or "\0" in artifact.name:
        raise ValueError(f"an artifact is called {artifact.name!r}")
    return artifact
