"""ColBERT models, as pylate or its exporter writes them, and as Stanford's library does (`artifact.metadata`).

The defaults are those of pylate's `ColBERT`, which reads both (pylate/models/colbert.py).
"""

from __future__ import annotations

import dataclasses
import json
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from encoderfile.builder.folder import ModelFolder
from encoderfile.builder.kinds.colbert_layers import layers_beside
from encoderfile.builder.kinds.kind import Facts, Kind, Outputs
from encoderfile.builder.vocabulary import Vocabulary, added_token, content_of
from encoderfile.errors import ConfigError, ModelError
from encoderfile.manifest import GraphSpec
from encoderfile.model.session import ValueInfo
from encoderfile.model.tokenizer import Tokenizer
from encoderfile.tasks.colbert import ColbertSettings

_METADATA = "artifact.metadata"
_CONFIG = "config_sentence_transformers.json"
_STANFORD = "HF_ColBERT"
_NAMES = ("output", "contextual", "token_embeddings", "last_hidden_state")
"""Names of the output, the best first."""


@dataclass(frozen=True, slots=True)
class _Written:
    """What the files say, whichever they are."""

    query_prefix: str
    document_prefix: str
    query_length: int
    document_length: int
    expands: bool
    attends: bool
    skiplist: Sequence[str]
    size: int | None
    """Of a token's vector."""
    ids: Mapping[str, Any]
    """`query_prefix_id`, `document_prefix_id` and `pad_token_id`, where they are written as well."""


class Colbert(Kind):
    """Queries and documents are told apart by `prompt_name`."""

    model_type = "embedding"
    files = (_METADATA,)

    def replaces_config(self, files: Mapping[str, bytes]) -> bool:
        try:
            config = json.loads(files.get(_CONFIG, b"{}"))
        except (ValueError, RecursionError):
            return False
        return isinstance(config, dict) and "query_prefix_id" in config

    def recognise(self, folder: ModelFolder, outputs: Sequence[ValueInfo], given: str | None) -> str | None:
        config = folder.sentence_transformers
        if config.get("model_type") == "ColBERT" or config.get("similarity_fn_name") == "MaxSim":
            reason = f"{_CONFIG} is that of a ColBERT model"
        elif _METADATA in folder.files or folder.architecture == _STANFORD:
            what = _METADATA if _METADATA in folder.files else "config.json"
            reason = f"{what} is that of a ColBERT model"
        else:
            return None
        if given not in (None, self.model_type):
            raise ConfigError(f"this is a ColBERT model, and not of the type {given}: leave --model-type out")
        return reason

    def adapt(self, folder: ModelFolder) -> ModelFolder:
        """With the limit of documents as that of the model, prefixes among the tokens, and no pooling."""
        written = _read(folder)
        tokenizer = dict(folder.tokenizer_json)
        vocabulary = Vocabulary(tokenizer)
        prefixes = [each for each in (written.query_prefix, written.document_prefix) if vocabulary.id_of(each)]
        vocabulary.add([added_token({"content": each}) for each in prefixes], None)
        tokenizer["added_tokens"] = vocabulary.added_tokens()
        files = {**folder.files, "tokenizer.json": json.dumps(tokenizer, ensure_ascii=False).encode()}
        ignored = ("tokenizer_args", "processor_kwargs", "processing_kwargs")
        limits = {name: value for name, value in folder.sentence_bert.items() if name not in ignored}
        return dataclasses.replace(
            folder,
            modules=tuple(module for module in folder.modules if module.kind == "Transformer"),
            pooling={},
            sentence_bert={**limits, "max_seq_length": written.document_length},
            tokenizer_json=tokenizer,
            files=files,
        )

    def outputs(self, folder: ModelFolder, outputs: Sequence[ValueInfo]) -> Outputs | None:
        vectors = {each.plain: each for each in outputs if len(each.shape) == 3 and "float" in each.dtype}
        named = next((vectors[name] for name in _NAMES if name in vectors), None)
        found = next(iter(vectors.values())) if len(vectors) == 1 else named
        return None if found is None else Outputs(found)

    def facts(self, folder: ModelFolder, graph: GraphSpec, output: ValueInfo, tokenizer: Tokenizer) -> Facts:
        written = _read(folder)
        layers = layers_beside(folder, output, written.size)
        settings = _settings(folder, written, tokenizer)
        for purpose in ("query", "document"):
            length, prefix = settings.length(purpose), settings.prefix_id(purpose)
            if length <= tokenizer.specials(pair=False) + (prefix is not None):
                raise ModelError(
                    f"{purpose}_length is {length}, which leaves no room beside the special tokens: correct it"
                )
        task = {**dataclasses.asdict(settings), "skiplist": list(settings.skiplist)}
        return Facts({"task": task}, layers, _notes(settings, tokenizer, folder))


def _read(folder: ModelFolder) -> _Written:
    if _METADATA in folder.files or folder.architecture == _STANFORD:
        return _of_stanford(folder.json(_METADATA))
    config = folder.sentence_transformers
    skiplist = config.get("skiplist_words")
    return _Written(
        query_prefix=_or(config.get("query_prefix"), "[Q] "),
        document_prefix=_or(config.get("document_prefix"), "[D] "),
        query_length=int(_or(config.get("query_length"), 32)),
        document_length=int(_or(config.get("document_length"), 180)),
        expands=bool(_or(config.get("do_query_expansion"), True)),
        attends=bool(config.get("attend_to_expansion_tokens")),
        skiplist=[str(each) for each in _or(skiplist, string.punctuation)],
        size=config.get("embedding_dim"),
        ids=config,
    )


def _of_stanford(metadata: Mapping[str, Any]) -> _Written:
    """`mask_punctuation` is Stanford's: pylate leaves punctuation out in any case."""
    return _Written(
        query_prefix=_or(metadata.get("query_token_id"), "[unused0]"),
        document_prefix=_or(metadata.get("doc_token_id"), "[unused1]"),
        query_length=int(_or(metadata.get("query_maxlen"), 32)),
        document_length=int(_or(metadata.get("doc_maxlen"), 180)),
        expands=True,
        attends=bool(metadata.get("attend_to_mask_tokens")),
        skiplist=list(string.punctuation) if _or(metadata.get("mask_punctuation"), True) else [],
        size=metadata.get("dim"),
        ids={},
    )


def _or(value: Any, default: Any) -> Any:
    return default if value is None else value


def _settings(folder: ModelFolder, written: _Written, tokenizer: Tokenizer) -> ColbertSettings:
    most = tokenizer.spec.max_length
    chosen = most != written.document_length
    query, document = (
        _prefix_id(prefix, written.ids.get(f"{purpose}_prefix_id"), tokenizer)
        for purpose, prefix in (("query", written.query_prefix), ("document", written.document_prefix))
    )
    expansion = _expansion_id(folder, written, tokenizer) if written.expands else None
    put_in = [each for each in (query, document, expansion) if each is not None]
    return ColbertSettings(
        query_length=min(written.query_length, most) if chosen else written.query_length,
        document_length=most,
        query_prefix_id=query,
        document_prefix_id=document,
        expansion_id=expansion,
        attend_to_expansion=written.expands and written.attends,
        skiplist=_skipped(written.skiplist, tokenizer),
        spellings={str(each): tokenizer.spell(each) for each in put_in},
    )


def _prefix_id(prefix: str, given: object, tokenizer: Tokenizer) -> int | None:
    """The token by its id, as it is written, else by its spelling. Raises `ModelError`."""
    if not prefix:
        return None
    found = tokenizer.token_to_id(prefix)
    if found is None:
        raise ModelError(
            f"tokenizer.json has no token {prefix!r}, which this ColBERT model puts before its texts: export the "
            "tokenizer again"
        )
    if given not in (None, found):
        raise ModelError(
            f"the token {prefix!r} has the id {found} in tokenizer.json and {given} in {_CONFIG}: the two belong to "
            "different models, export the model again"
        )
    return found


def _expansion_id(folder: ModelFolder, written: _Written, tokenizer: Tokenizer) -> int:
    """The token that pylate pads with: [MASK], else the one at the end, else that for padding."""
    given = written.ids.get("pad_token_id")
    named = (content_of(folder.tokenizer_config.get(f"{name}_token")) for name in ("mask", "eos", "pad"))
    ids = [given, *(tokenizer.token_to_id(token) for token in named if token is not None)]
    found = next((each for each in ids if isinstance(each, int)), None)
    if found is None or not tokenizer.spell(found):
        raise ModelError(
            "queries are expanded with [MASK] tokens, and the tokenizer has none: name the token as mask_token in "
            "tokenizer_config.json"
        )
    return found


def _skipped(words: Sequence[str], tokenizer: Tokenizer) -> tuple[int, ...]:
    """The id of each word, as `convert_tokens_to_ids` gives it: that of [UNK] for a word that is no token."""
    ids = {_or(tokenizer.token_to_id(word), tokenizer.spec.unknown_token_id) for word in words}
    return tuple(sorted(each for each in ids if each is not None))


def _notes(settings: ColbertSettings, tokenizer: Tokenizer, folder: ModelFolder) -> tuple[str, ...]:
    filled = "" if settings.expansion_id is None else f", filled up with {tokenizer.spell(settings.expansion_id)}"
    notes = [
        f"queries have up to {settings.query_length} tokens{filled}; documents up to {settings.document_length}, "
        f"without the vectors of {len(settings.skiplist)} tokens for punctuation",
    ]
    if settings.expansion_id is None and "query_prefix_id" in folder.sentence_transformers:
        notes.append(
            "pylate-onnx-export writes do_query_expansion false for every model: if this one was trained with query "
            f"expansion, write true in {_CONFIG}"
        )
    return tuple(notes)
