"""What a model type declares: what it needs of a graph, the options of a request, how outputs become results.

The rest is derived: JSON, JSON Schema, protobuf, OpenAPI, MCP, the flags of `infer`, the comparisons of the builder.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

from encoderfile.errors import InputError, InternalError
from encoderfile.manifest import Manifest
from encoderfile.tasks.abilities import Ability, Extracted
from encoderfile.tasks.entities import WordRules
from encoderfile.tasks.options import Option
from encoderfile.tasks.preprocessor import Preprocessor
from encoderfile.tasks.results import Result, float_fields
from encoderfile.types import EncodedText, FloatArray, PredictRequest, Text

R = TypeVar("R", bound=Result)

NO_TENSORS: Mapping[str, FloatArray] = MappingProxyType({})


class Output(NamedTuple):
    """An output that a graph may have: its usual name, and what its axes are (`batch`, `tokens`, `hidden`)."""

    name: str
    axes: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.name} [{', '.join(self.axes)}]"


class TransformAxes(NamedTuple):
    """The axes of the tensor that a transform takes, and of that which it gives; those of one name are as long."""

    takes: tuple[str, ...]
    gives: tuple[str, ...]
    takes_mask: bool = False
    """Whether it also takes the mask [batch, tokens], because it pools."""


class Task(ABC, Generic[R]):
    """One model type. Stateless after creation, shared by all threads."""

    name: ClassVar[str]
    """The value of `model_type`."""
    result: ClassVar[type[Result]]
    """What `postprocess` gives for one input; its fields are those of the answer."""
    outputs: ClassVar[tuple[Output, ...]]
    """What a graph may give, the best first."""
    architectures: ClassVar[tuple[str, ...]] = ()
    """Endings of the class in config.json's `architectures` that only models of this type have."""
    needs_tokens: ClassVar[bool] = False
    """Whether results carry tokens and offsets (they cost time in the tokenizer)."""
    has_labels: ClassVar[bool] = False
    """Whether the last axis of the output is one logit per label of config.json."""
    decides: ClassVar[bool] = False
    """Whether the numbers of a result belong to labels, so that the largest one decides."""
    pools: ClassVar[bool] = False
    """Whether the model's files say how token vectors become one vector."""
    classifies: ClassVar[bool] = False
    """Whether a result has `logits` and `scores`, one for each of the model's own labels."""
    groups_tokens: ClassVar[bool] = False
    """Whether `extract` makes entities of token labels, by a strategy."""
    takes_prompt: bool = False
    """Whether a request may choose a prompt; a task may say it of one model."""
    takes_prompt_text: bool = True
    """Whether a prompt may be a text of the request, not only one of the model's own by its name."""
    takes_pairs: ClassVar[bool] = False
    """Whether an input may be a pair of texts."""
    needs_pairs: bool = False
    """Whether every input must be a pair; a task may say it of one model."""
    takes_instruction: bool = False
    """Whether a prompt is an instruction for query and text together; a task may say it of one model."""
    options: tuple[Option, ...] = ()
    """What a request may say besides its inputs; a task may leave some out for one model."""
    transform: ClassVar[TransformAxes | None] = None
    """What a transform does for this type; None: there are none."""
    summary: ClassVar[str]
    """The description of the MCP tool."""
    answer: ClassVar[str]
    """Completes `the model gives ...` for an agent."""
    example: ClassVar[Mapping[str, Any]]
    """A request for `/predict`."""

    def __init__(self, manifest: Manifest, tensors: Mapping[str, FloatArray] = NO_TENSORS) -> None:
        """`tensors` are those of the artifact `TENSORS`, by their names.

        Raises `ModelError` where the manifest does not have what the type needs.
        """
        self.manifest = manifest
        self.preprocessor: Preprocessor[R] | None = None
        """How inputs become rows; None where each is one row, as it stands."""
        self.modes = manifest.pooling.modes if manifest.pooling else ("mean",)
        """How token vectors are pooled, by the names of `pooling`."""
        self.labels: tuple[str, ...] = ()
        """The name of each logit; empty for models without labels."""

    @abstractmethod
    def postprocess(self, output: FloatArray, batch: Sequence[EncodedText], mask: FloatArray) -> list[R]:
        """Results of one batch, in order.

        `output` is float32 as the graph gave it, [batch, tokens, width] or [batch, width]; `mask` is
        float32 [batch, tokens], 1 where a token is real. Rows are copied: the batch's memory is not kept.
        """

    def batch_first(self, output: FloatArray) -> FloatArray:
        """The graph's output with the texts of the batch along its first axis."""
        return output

    def fillers(self, batch: Sequence[EncodedText]) -> Sequence[EncodedText]:
        """Rows without a result that are run together with `batch`, where the graph's output has to be larger."""
        return ()

    def add_outputs(
        self, results: Sequence[R], outputs: Mapping[str, FloatArray], batch: Sequence[EncodedText], mask: FloatArray
    ) -> list[R]:
        """`results` with what `GraphSpec.more_outputs` gave, by kind; called for texts that ask for such kinds."""
        return list(results)

    def with_options(self, result: R, options: Mapping[str, Any]) -> R:
        """The result as the options of its request ask for it."""
        return result

    @property
    def fixed_truncation(self) -> bool:
        """Whether texts are truncated on the model's own side alone, for they are read together with others."""
        return self.preprocessor is not None

    @classmethod
    def service(cls) -> str:
        """The gRPC service of this type in `proto/`, without its package."""
        return "".join(word.title() for word in cls.name.split("_"))

    @property
    def width(self) -> int:
        """Numbers of one array of a result; 0 in files of builders that did not write it."""
        return self.manifest.width

    def limit(self, text: EncodedText) -> str:
        """What a truncated text was too long for: how much the model takes."""
        return f"{self.manifest.tokenizer.max_length} tokens"

    def values(self, text: EncodedText) -> int:
        """Maximum numbers in the result of `text`."""
        return self.width * float_fields(self.result) * (len(text) if self.result.rows else 1)

    def as_input(self, text: str) -> Text:
        """Some text as an input that this model reads, to try it."""
        return ("a query", text) if self.needs_pairs else text

    @property
    def defaults(self) -> dict[str, Any]:
        """The options that `infer` and `bench` send where none is given."""
        return {each.name: each.default for each in self.options if each.default is not None}

    @property
    def needed(self) -> dict[str, Any]:
        """The options that every request has to say, as the example has them."""
        return {each.name: self.example[each.name] for each in self.options if each.required}

    @property
    def dims(self) -> Mapping[str, int]:
        """The kinds of vectors that `vectors` gives, with their size: `dense`, `multivector`, `sparse`."""
        return {}

    @property
    def separate_kinds(self) -> frozenset[str]:
        """The kinds of `dims` that are made only where a request asks for them (`Asked.kinds`)."""
        return frozenset()

    @property
    def purposes(self) -> tuple[str, ...]:
        """What texts may be for that `prompt_name` may say although the model has no such prompt."""
        return ()

    @property
    def abilities(self) -> frozenset[Ability]:
        """What the model can do besides `/predict`."""
        return frozenset(map(Ability, self.dims))

    @property
    def in_words(self) -> tuple[str, ...]:
        """The abilities, and what a request may hold beside single texts."""
        takes = {
            "pairs": self.takes_pairs,
            "prompts": self.takes_prompt,
            "labels of the request": any(option.name == "labels" for option in self.options),
        }
        able = [ability.value for ability in Ability if ability in self.abilities]
        return (*able, *(name for name, is_so in takes.items() if is_so))

    @property
    def normalizes(self) -> bool:
        """Whether the vectors of texts have unit length, as the model's own files say."""
        return self.manifest.pooling is not None and self.manifest.pooling.normalize

    @property
    def extract_defaults(self) -> Mapping[str, Any]:
        """Options of `extract` where the request has none, if they are not those of `/predict`."""
        return {}

    @property
    def extract_refuses_overflow(self) -> bool:
        """Whether `extract` refuses a text over the limit where the request does not say what to do, as SIE does."""
        return False

    def check_purpose(self, purpose: str) -> None:
        """Raises `InputError` for texts of a purpose (`query`, `document`) that this file cannot answer."""
        if purpose in self.manifest.other_routes:
            raise InputError(
                f"this file has no vectors for texts of the purpose {purpose}: they take another part of the model, "
                "which is not in its graph"
            )

    def vectors(self, kind: str, results: Sequence[R], normalize: bool | None) -> Iterator[FloatArray]:
        """One array per result, made on the way: `dense` and `sparse` [size], `multivector` [tokens, size].

        `results` are as `postprocess` made them; `normalize` None means the model's own way. `kind` is one of `dims`.
        """
        raise self._unable(kind)

    def token_vectors(self, results: Sequence[R]) -> Iterator[FloatArray]:
        """float32 [tokens, hidden] per result, special tokens included. For models with the ability `TOKENS`."""
        raise self._unable(Ability.TOKENS)

    def score_requests(self, query: str, texts: Sequence[str]) -> Sequence[PredictRequest]:
        """What is asked of the model to score `texts`: one request with pairs, or the query alone and then the texts.

        Where the texts are several requests, each is scored before the next is asked, so that its results need not
        all be in memory. For models with the ability `SCORE`.
        """
        raise self._unable(Ability.SCORE)

    def scores(self, answers: Sequence[Sequence[R]], raw: bool) -> Iterator[float]:
        """How well each text answers the query, made on the way; `raw` leaves out the model's own last function.

        `answers` are the results of the only one of `score_requests`, or of the first and one of the others.
        """
        raise self._unable(Ability.SCORE)

    def extract(self, result: R, text: str, strategy: str, words: WordRules) -> Extracted:
        """What is found in `text`. `strategy` groups token labels. For models with the ability `EXTRACT`."""
        raise self._unable(Ability.EXTRACT)

    def _unable(self, ability: str) -> InternalError:
        return InternalError(f"a {self.name} model has no {ability}")
