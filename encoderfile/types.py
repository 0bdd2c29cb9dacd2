"""Frozen values that cross a border between packages. Arrays stay float32 from the session to the edge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

if TYPE_CHECKING:  # `--help` and `info` need no numpy, and it takes longer to import than they to answer
    import numpy as np
    import numpy.typing as npt

    FloatArray = npt.NDArray[np.float32]
    IntArray = npt.NDArray[np.int64]
else:
    FloatArray = IntArray = Any

Text = str | tuple[str, str]
"""One input: a text, or a pair of them (query and passage, premise and hypothesis) that is read as one."""


@dataclass(frozen=True, slots=True)
class TokenIds:
    """A text that a client has tokenised already, with this model's tokenizer: it is read as it stands.

    So `ids` hold the special tokens too, and no prompt is put before them.
    """

    ids: Sequence[int]


Input = Text | TokenIds
"""What one input of a request may be."""


@dataclass(frozen=True, slots=True)
class Words:
    """A text that is split into words before it is tokenised: no token crosses the border of two words."""

    words: Sequence[str]


@dataclass(frozen=True, slots=True)
class WordNumbers:
    """Which tokens stand for the words of a text, for graphs that read words."""

    mask: IntArray
    """int64 [tokens]: the number of a word, from 1, at the tokens that stand for it; 0 elsewhere."""
    count: int
    """Words of the text, also those without a token."""
    max_width: int
    """Words of the longest span that is scored."""


@dataclass(frozen=True, slots=True)
class Followed:
    """A text and what directly follows it, each tokenised on its own; the text alone is truncated."""

    text: str
    by: str


STRATEGIES = ("none", "simple", "first", "average", "max")
"""How token labels become entities, as the reference's `aggregation_strategy`: no grouping, neighbours of one type,
and three ways to settle the label of a word first."""


class TokenInfo(NamedTuple):
    """One token. `start` and `end` are code points of the input text, `end` exclusive; specials are 0, 0."""

    token: str
    token_id: int
    start: int
    end: int


class Spelled(NamedTuple):
    """All tokens of a text, and which of them are special (1) or not (0)."""

    tokens: tuple[TokenInfo, ...]
    special: Sequence[int]


@dataclass(frozen=True, slots=True)
class EncodedText:
    """One tokenised text, with special tokens and without padding; the arrays are int64 [tokens].

    `tokens` is empty when the task does not ask for it. `truncated` says that the text was longer than the limit.
    """

    input_ids: IntArray
    token_type_ids: IntArray
    special_tokens_mask: IntArray
    tokens: tuple[TokenInfo, ...]
    truncated: bool
    unpooled: int = 0
    """How many tokens at the beginning are not pooled: those of a prompt, if the model's files say so."""
    attention_mask: IntArray | None = None
    """int64 [tokens], where the graph is not to attend to all tokens; padding never counts among them."""
    word_ids: IntArray | None = None
    """int64 [tokens], of `Words`: the index of the word that a token belongs to; -1 for special tokens."""
    numbered: WordNumbers | None = None
    """Where the graph reads words."""
    kept: Any = None
    """What `Row.kept` was."""
    kinds: Sequence[str] = ()
    """As in `Asked`."""
    unpadded: bool = False
    """Whether padding would change what the graph gives for it, so that it runs with rows of its own length."""

    def __len__(self) -> int:
        return len(self.input_ids)


R_co = TypeVar("R_co", covariant=True)


@dataclass(frozen=True, slots=True)
class AskedPrompt:
    """The prompt that a request asks for, by one of these or by none, for the default."""

    name: str | None = None
    text: str | None = None
    """The prompt itself; empty for none."""
    input_type: str | None = None
    """What the texts are for (`query`, `document`), as embedding clients say it."""


DEFAULT_PROMPT = AskedPrompt()


@dataclass(frozen=True, slots=True)
class Truncation:
    """What becomes of a text over the model's limit, where a request says it."""

    refuse: bool | None = None
    """Whether it is refused and not truncated; None: the server's setting."""
    side: str | None = None
    """The side on which it is truncated, `left` or `right`, where that is not the model's own."""


AS_CONFIGURED = Truncation()


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks of each of its inputs, its prompt found."""

    prompt: str = ""
    """What is put before each text."""
    purpose: str | None = None
    """What the texts are for, where the request says it: `query` or `document`."""
    options: Mapping[str, Any] = field(default_factory=dict)
    kinds: Sequence[str] = ()
    """Kinds of vectors to make beside the result: those of `Task.separate_kinds` that are wanted."""
    truncation_side: str | None = None
    """As in `Truncation`."""
    undecided: bool = False
    """Whether results are all of the model's own scores, before a threshold chooses among them; for comparisons."""
    prepared: Any = None
    """What `Preprocessor.prepare` made of the options, once for all inputs of the request."""


AS_IT_STANDS = Asked()


@dataclass(frozen=True, slots=True)
class PredictRequest:
    """What every transport hands to the service."""

    inputs: Sequence[Input]
    options: Mapping[str, Any] = field(default_factory=dict)
    """By the names that the model type declares (`tasks.options`)."""
    metadata: Mapping[str, str] | None = None
    allow_empty: bool = False
    """Whether a text may be empty, and is answered by its special tokens alone."""
    truncation: Truncation = AS_CONFIGURED
    prompt: AskedPrompt = DEFAULT_PROMPT
    raw: bool = False
    """Whether results are left as `Task.postprocess` makes them, for the task's other abilities."""
    kinds: Sequence[str] = ()
    """The kinds of vectors that are wanted of `raw` results; those of `Task.separate_kinds` are made only then."""
    max_values: int | None = None
    """Maximum numbers in the answer, where a transport takes fewer than the server does."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds spent on one request, as measured."""

    tokenization: float = 0.0
    queue: float = 0.0
    inference: float = 0.0


@dataclass(frozen=True, slots=True)
class Prediction(Generic[R_co]):
    """The answer to one request: one result per input, in order."""

    results: Sequence[R_co]
    model_id: str
    metadata: Mapping[str, str] | None = None
    truncated_inputs: int = 0
    token_count: int = 0
    timing: Timing = field(default_factory=Timing)


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A request for people to try."""

    texts: tuple[str, ...]
    query: str = ""
    """What the texts are compared with, if there is such a text."""
    second: str = ""
    """The second text of a pair, whose first is the only one of `texts`."""
    labels: tuple[str, ...] = ()
    """For models whose labels a request names."""
    title: str = ""


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What a caller may know of the model; the manifest has the same fields."""

    model_id: str
    version: str
    model_type: str
    id2label: Mapping[int, str] | None
    max_length: int
    """In tokens."""
    truncation_side: str = "right"
    prompts: Mapping[str, str] = field(default_factory=dict)
    default_prompt_name: str | None = None
    matryoshka: bool = False
    matryoshka_dimensions: tuple[int, ...] = ()
    served_names: tuple[str, ...] = ()
    """More names that clients may call the model by."""
    license: str = ""
    languages: tuple[str, ...] = ()
    examples: tuple[Example, ...] = ()
    """From the model's card, for people."""

    def to_json(self) -> dict[str, Any]:
        """The body of `GET /model`: no `id2label` key for embedding models."""
        body: dict[str, Any] = {"model_id": self.model_id, "model_type": self.model_type}
        if self.id2label is not None:
            body["id2label"] = {str(index): label for index, label in self.id2label.items()}
        return body
