"""NLI models as zero-shot classifiers, where `--model-type` asks for it."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Mapping, Sequence

from encoderfile.builder import labels
from encoderfile.builder.folder import ModelFolder
from encoderfile.builder.kinds.kind import Facts, Kind
from encoderfile.errors import ModelError
from encoderfile.manifest import GraphSpec, TokenizerSpec
from encoderfile.model.session import ValueInfo
from encoderfile.model.tokenizer import Tokenizer
from encoderfile.tasks.nli import NliSettings


class Nli(Kind):
    """Without `--model-type` such a folder is a sequence classification model of its own labels."""

    model_type = "zero_shot_classification"

    def recognise(self, folder: ModelFolder, outputs: Sequence[ValueInfo], given: str | None) -> str | None:
        return "given by --model-type" if given == self.model_type else None

    def offer(self, folder: ModelFolder, outputs: Sequence[ValueInfo]) -> str | None:
        classifies = any(each.plain == "logits" and len(each.shape) == 2 for each in outputs)
        if not classifies or _entailment(_label_ids(folder)) is None:
            return None
        return (
            "an NLI model can also choose from labels that come with the request: "
            f"encoderfile build {shlex.quote(str(folder.path))} --model-type {self.model_type}"
        )

    def tokenizer_spec(self, folder: ModelFolder, spec: TokenizerSpec) -> TokenizerSpec:
        """The text is truncated and the hypothesis is not."""
        return dataclasses.replace(spec, truncation_strategy="only_first")

    def facts(self, folder: ModelFolder, graph: GraphSpec, output: ValueInfo, tokenizer: Tokenizer) -> Facts:
        count = output.shape[-1] or len(labels.labels(folder))
        if count < 2:
            raise ModelError(
                "an NLI model has at least two labels, entailment and another, and this one has one: "
                "leave --model-type out"
            )
        found = _entailment(_label_ids(folder))
        entailment = count - 1 if found is None else found
        if not 0 <= entailment < count:
            raise ModelError(
                f"label2id in config.json gives entailment the index {entailment} and the graph has {count} logits: "
                "correct it"
            )
        settings = NliSettings(entailment, contradiction=count - 1 if entailment == 0 else 0)
        notes: tuple[str, ...] = ()
        if found is None:
            notes = (
                "no label begins with entail, so the last one is taken for entailment, as transformers does: "
                "give labels their names in id2label and label2id of config.json, if that is wrong",
            )
        return Facts({"task": dataclasses.asdict(settings)}, notes=notes)


def _label_ids(folder: ModelFolder) -> Mapping[str, object]:
    """`label2id` in the order of config.json, which is where the library looks; else made of `id2label`."""
    given = folder.config.get("label2id")
    if isinstance(given, Mapping) and given:
        return {str(label): index for label, index in given.items()}
    return {label: index for index, label in labels.labels(folder).items()}


def _entailment(label_ids: Mapping[str, object]) -> int | None:
    """The index of the first label that says entailment."""
    found = next((index for label, index in label_ids.items() if label.lower().startswith("entail")), None)
    return found if isinstance(found, int) else None
