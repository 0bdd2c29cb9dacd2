"""GLiNER models (uni-encoder), span level and token level."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from encoderfile.builder.folder import ModelFolder
from encoderfile.builder.kinds.kind import Facts, Kind
from encoderfile.errors import ConfigError, ModelError
from encoderfile.manifest import GraphSpec, TokenizerSpec
from encoderfile.model import word_inputs
from encoderfile.model.session import ValueInfo
from encoderfile.model.tokenizer import Tokenizer
from encoderfile.tasks.gliner import GlinerSettings

_CONFIG = "gliner_config.json"
_SUBTOKENS = {"first": "first", "last": "last", "mean": "all", "max": "all"}
"""What `subtoken_pooling` selects; the graph takes the mean or the largest by itself."""
_TOKEN_LEVEL = "token_level"
_ATTENTION_BYTES = 4 * (4 * 16 + 1)
"""For each pair of tokens, where no file says how many heads there are: those of a large DeBERTa, with positions."""


class Gliner(Kind):
    """The defaults are those of the package's `BaseGLiNERConfig`."""

    model_type = "zero_shot_token_classification"
    files = (_CONFIG,)
    library_limit = 8192
    """The package has no limit of its own, only one in words."""
    roles: ClassVar[Mapping[str, str]] = {role: role for role in word_inputs.ROLES}

    def replaces_config(self, files: Mapping[str, bytes]) -> bool:
        return _CONFIG in files

    def recognise(self, folder: ModelFolder, outputs: Sequence[ValueInfo], given: str | None) -> str | None:
        if _CONFIG not in folder.files:
            return None
        if given not in (None, self.model_type):
            raise ConfigError(f"this is a GLiNER model, and not of the type {given}: leave --model-type out")
        return f"it has a {_CONFIG}"

    def config(self, folder: ModelFolder) -> Mapping[str, Any]:
        """A vocabulary of -1 is that of the backbone."""
        config = {**folder.config, **folder.json(_CONFIG)}
        return {name: value for name, value in config.items() if name != "vocab_size" or _is_size(value)}

    def tokenizer_spec(self, folder: ModelFolder, spec: TokenizerSpec) -> TokenizerSpec:
        return dataclasses.replace(spec, truncation_side="right")

    def facts(self, folder: ModelFolder, graph: GraphSpec, output: ValueInfo, tokenizer: Tokenizer) -> Facts:
        config = folder.config
        fed = {each.role or each.name for each in graph.inputs}
        span_level = config.get("span_mode", "markerV0") != _TOKEN_LEVEL
        _refuse_unsupported(config, fed, span_level)
        marker, separator = str(config.get("ent_token") or "<<ENT>>"), str(config.get("sep_token") or "<<SEP>>")
        for token in (marker, separator):
            if tokenizer.token_to_id(token) is None:
                raise ModelError(
                    f"the token {token}, which {_CONFIG} names, is not in tokenizer.json: the two belong to "
                    "different models, export the model again"
                )
        marker_id = tokenizer.token_to_id(marker)
        named = config.get("class_token_index", -1)
        if named not in (-1, marker_id):
            raise ModelError(
                f"the token {marker} has the id {marker_id} in tokenizer.json and {named} in {_CONFIG} "
                "(class_token_index): the two belong to different models, export the model again"
            )
        settings = GlinerSettings(
            max_words=int(config.get("max_len") or 384),
            max_width=int(config.get("max_width") or 12),
            span_level=span_level,
            marker=marker,
            separator=separator,
            marker_token_id=int(marker_id or 0),
            subtokens=_SUBTOKENS[str(config.get("subtoken_pooling", "first"))],
        )
        widths = f", spans of at most {settings.max_width} words" if span_level else ""
        limit = tokenizer.spec.max_length
        note = f"reads {settings.max_words} words of a text, and {limit} tokens together with the labels{widths}"
        facts: dict[str, Any] = {"task": dataclasses.asdict(settings)}
        if not isinstance(config.get("encoder_config"), Mapping):
            facts["attention_bytes"] = _ATTENTION_BYTES
        return Facts(facts, notes=(note,))


def _is_size(value: object) -> bool:
    return isinstance(value, int) and value > 0


def _refuse_unsupported(config: Mapping[str, Any], fed: set[str], span_level: bool) -> None:
    """Raises `ModelError`."""
    splitter = config.get("words_splitter_type", "whitespace")
    if splitter != "whitespace":
        raise ModelError(
            f"GLiNER models with the word splitter {splitter} are not supported: words_splitter_type in {_CONFIG} "
            "should be whitespace"
        )
    pooling = config.get("subtoken_pooling", "first")
    if pooling not in _SUBTOKENS:
        raise ModelError(f"subtoken_pooling in {_CONFIG} is {pooling}: it should be one of {', '.join(_SUBTOKENS)}")
    if config.get("labels_encoder"):
        raise ModelError(
            "GLiNER models with an encoder of their own for labels (bi-encoders) are not supported: export a "
            "uni-encoder"
        )
    if config.get("precomputed_prompts_mode") or config.get("relations_layer"):
        raise ModelError(
            "GLiNER models for relations or with labels of their own are not supported: export a uni-encoder"
        )
    needed = word_inputs.ROLES if span_level else word_inputs.ROLES[:2]
    missing = [role for role in needed if role not in fed]
    if missing:
        raise ModelError(
            f"the graph does not take {', '.join(missing)}, which a GLiNER model of the span_mode "
            f"{config.get('span_mode')} needs: export it with the gliner package's export_to_onnx"
        )
