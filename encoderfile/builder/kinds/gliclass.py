"""GLiClass models (uni-encoder)."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from encoderfile.builder.folder import ModelFolder
from encoderfile.builder.kinds.kind import Facts, Kind
from encoderfile.errors import ConfigError, ModelError
from encoderfile.manifest import GraphSpec, TokenizerSpec
from encoderfile.model.session import ValueInfo
from encoderfile.model.tokenizer import Tokenizer
from encoderfile.tasks.gliclass import LABEL, GliclassSettings

_UNI_ENCODER = "uni-encoder"
_SCORERS = ("simple", "weighted-dot", "mlp", "cross-attn")
"""Those that score each label by itself, however many more the graph has a column for."""
_UNPADDED = frozenset({"first", "pass"})
"""Ways of pooling that padding on the right does not change: the others take in all of a row."""


class Gliclass(Kind):
    """The defaults are those of `GLiClassModelConfig`."""

    model_type = "zero_shot_classification"
    library_limit = 1024
    """`max_length` of the package's pipelines."""

    def recognise(self, folder: ModelFolder, outputs: Sequence[ValueInfo], given: str | None) -> str | None:
        if folder.config.get("model_type") != "GLiClass" and not folder.architecture.startswith("GLiClass"):
            return None
        if given not in (None, self.model_type):
            raise ConfigError(f"this is a GLiClass model, and not of the type {given}: leave --model-type out")
        return "config.json is that of a GLiClass model"

    def tokenizer_spec(self, folder: ModelFolder, spec: TokenizerSpec) -> TokenizerSpec:
        """Padded on the right, where the first token stays the first."""
        return dataclasses.replace(spec, padding_side="right")

    def facts(self, folder: ModelFolder, graph: GraphSpec, output: ValueInfo, tokenizer: Tokenizer) -> Facts:
        config = folder.config
        _refuse_unsupported(folder)
        marker = config.get("class_token_index", -1)
        if marker == -1:
            marker = config.get("vocab_size")
        if tokenizer.token_to_id(LABEL) != marker:
            raise ModelError(
                f"the token {LABEL} has the id {tokenizer.token_to_id(LABEL)} in tokenizer.json and {marker} in "
                "config.json (class_token_index): the two belong to different models, export the model again"
            )
        settings = GliclassSettings(
            label_token_id=marker,
            prompt_first=bool(config.get("prompt_first", False)),
            max_num_classes=int(config.get("max_num_classes", 25)),
        )
        facts = {"task": dataclasses.asdict(settings)}
        pooling = config.get("pooling_strategy", "first")
        if pooling in _UNPADDED:
            return Facts(facts)
        alone = dataclasses.replace(graph, batchable=False)
        return Facts(
            {**facts, "graph": alone}, notes=(f"the pooling {pooling} takes in padding, so each text is run alone",)
        )


def _refuse_unsupported(folder: ModelFolder) -> None:
    config = folder.config
    architecture = config.get("architecture_type", _UNI_ENCODER)
    if architecture != _UNI_ENCODER:
        raise ModelError(
            f"GLiClass models of the architecture {architecture} are not supported: export one whose "
            f"architecture_type is {_UNI_ENCODER}"
        )
    scorer = config.get("scorer_type", "simple")
    if scorer not in _SCORERS:
        raise ModelError(
            f"GLiClass models with the scorer {scorer} are not supported: export one whose scorer_type is "
            f"{' or '.join(_SCORERS)}"
        )
    if config.get("use_segment_embeddings"):
        raise ModelError(
            "GLiClass models with use_segment_embeddings are not supported, because an exported graph keeps the "
            "segments of the text that it was exported with: export one without"
        )
