"""Rerankers that are language models: the logits of yes and no at the last token (Qwen3-Reranker)."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from encoderfile.builder import onnx_parts
from encoderfile.builder.folder import ModelFolder
from encoderfile.builder.kinds.kind import Facts, Kind, Outputs
from encoderfile.builder.labels import relevance
from encoderfile.builder.onnx_graph import Node, OnnxGraph
from encoderfile.builder.vocabulary import Vocabulary
from encoderfile.errors import ModelError
from encoderfile.manifest import GraphSpec, TokenizerSpec
from encoderfile.model.session import ValueInfo
from encoderfile.model.tokenizer import Tokenizer
from encoderfile.tasks.yes_no import YesNoSettings

_LOGITS = "logits"
_SCORE = "relevance_logits"
_QWEN3 = YesNoSettings(
    before="<|im_start|>system\nJudge whether the Document meets the requirements based on the Query and the "
    'Instruct provided. Note that the answer can only be "yes" or "no".<|im_end|>\n<|im_start|>user\n<Instruct>: ',
    before_query="\n<Query>: ",
    before_document="\n<Document>: ",
    after="<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n",
    instruction="Given a web search query, retrieve relevant passages that answer the query",
)


class YesNo(Kind):
    """A cross-encoder whose one logit is that of yes less that of no, as `LogitScore` has it."""

    model_type = "sequence_classification"
    library_limit = 8192
    """`max_length` of the model's page."""
    constants: ClassVar[Mapping[str, str]] = {"num_logits_to_keep": "1", "logits_to_keep": "1"}
    reads_messages = True

    def recognise(self, folder: ModelFolder, outputs: Sequence[ValueInfo], given: str | None) -> str | None:
        generates = folder.architecture.endswith("ForCausalLM")
        if not generates or _logits(outputs) is None or given not in (None, self.model_type):
            return None
        if given is not None:
            return "given by --model-type"
        if any(module.kind == "LogitScore" for module in folder.modules):
            return "modules.json has a LogitScore module, which reads yes and no"
        if folder.sentence_transformers.get("model_type") == "CrossEncoder":
            return "config_sentence_transformers.json is that of a CrossEncoder"
        names = (str(folder.config.get("_name_or_path", "")), folder.path.resolve().name)
        named = next((name for name in names if "rerank" in name.lower()), None)
        return None if named is None else f"{named} is a reranker by its name"

    def change_graphs(self, folder: ModelFolder, graphs: Sequence[OnnxGraph], outputs: Sequence[ValueInfo]) -> bool:
        """One number for each text instead of a logit for each token and word, which is never computed."""
        yes, no = _answers(folder)
        found = _logits(outputs)
        assert found is not None
        for graph in graphs:
            graph.drop_outputs()
            graph.add(*_last_logits(graph, found.name), *_difference(yes, no))
            graph.add(onnx_parts.float32_output(_SCORE, (None, 1)))
        return True

    def outputs(self, folder: ModelFolder, outputs: Sequence[ValueInfo]) -> Outputs | None:
        return Outputs(next(each for each in outputs if each.name == _SCORE))

    def tokenizer_spec(self, folder: ModelFolder, spec: TokenizerSpec) -> TokenizerSpec:
        """Padded on the left, where the last token is the last of its row."""
        return dataclasses.replace(spec, padding_side="left", truncation_side="right")

    def facts(self, folder: ModelFolder, graph: GraphSpec, output: ValueInfo, tokenizer: Tokenizer) -> Facts:
        if tokenizer.specials(pair=False):
            raise ModelError(
                "the tokenizer adds special tokens to a text, and this reranker is read at the last token of its "
                "question: use the tokenizer of the original model"
            )
        missing = [token for token in ("<|im_start|>", "<|im_end|>") if tokenizer.token_to_id(token) is None]
        if missing or _has_roles(folder):
            reason = f"tokenizer.json has no {missing[0]}" if missing else "its chat template has roles of its own"
            raise ModelError(
                f"only rerankers that are asked in the words of Qwen3-Reranker are supported, and {reason}: export a "
                "version of the model for sequence classification"
            )
        facts: dict[str, Any] = {
            "task": dataclasses.asdict(_QWEN3),
            "id2label": {0: "yes"},
            "multi_label": False,
            "regression": False,
            "relevance": relevance(folder),
        }
        note = (
            "a pair is asked as the page of Qwen3-Reranker says; the prompt of a request, or the instruction of SIE, "
            f"is the instruction, else: {_QWEN3.instruction}"
        )
        return Facts(facts, notes=(note,))


def _logits(outputs: Sequence[ValueInfo]) -> ValueInfo | None:
    return next((each for each in outputs if each.plain == _LOGITS and len(each.shape) == 3), None)


def _has_roles(folder: ModelFolder) -> bool:
    """Whether the chat template speaks of queries and documents: then it says how the model is asked."""
    template = folder.tokenizer_config.get("chat_template")
    return isinstance(template, str) and all(f'"{role}"' in template for role in ("query", "document"))


def _answers(folder: ModelFolder) -> tuple[int, int | None]:
    """The tokens of yes and no; no may be None (`LogitScore`). Raises `ModelError`."""
    module = next((each for each in folder.modules if each.kind == "LogitScore"), None)
    if module is not None:
        yes, no = module.config.get("true_token_id"), module.config.get("false_token_id")
    else:
        vocabulary = Vocabulary(folder.tokenizer_json)
        yes, no = (vocabulary.id_of(word) for word in ("yes", "no"))
        if no is None:
            yes = None
    size = folder.config.get("vocab_size")
    ids = [each for each in (yes, no) if each is not None]
    if yes is None or not all(isinstance(each, int) and 0 <= each < (size or 1 << 31) for each in ids):
        raise ModelError(
            "a language model that reranks answers with the tokens yes and no, which are not in tokenizer.json or "
            "not in the vocabulary of the graph: export a version of the model for sequence classification"
        )
    return int(yes), None if no is None else int(no)


def _last_logits(graph: OnnxGraph, logits: str) -> list[bytes]:
    """`last` [batch, vocabulary]: of the last token alone, where the logits are its hidden state times a matrix."""
    before = {node.outputs[0]: node for node in graph.nodes() if node.outputs}
    casts: list[Node] = []
    node = before.get(logits)
    while node is not None and node.op_type in ("Cast", "Identity"):
        casts.append(node)
        node = before.get(node.inputs[0])
    last = onnx_parts.int64s("index_of_last", [-1])
    if node is None or node.op_type != "MatMul":
        gathered = onnx_parts.node("Gather", [logits, "index_of_last"], "last_of_all", axis=1)
        return [last, gathered, _squeezed("last_of_all"), onnx_parts.node("Cast", ["last_row"], "last", to=_FLOAT)]
    return [
        last,
        onnx_parts.node("Gather", [node.inputs[0], "index_of_last"], "last_of_all", axis=1),
        onnx_parts.node("MatMul", ["last_of_all", node.inputs[1]], "last_logits"),
        _squeezed("last_logits"),
        onnx_parts.node("Cast", ["last_row"], "last", to=_FLOAT),
    ]


_FLOAT = onnx_parts.FLOAT


def _squeezed(name: str) -> bytes:
    """`last_row` [batch, width], of [batch, 1, width]."""
    return onnx_parts.node("Flatten", [name], "last_row", axis=1)


def _difference(yes: int, no: int | None) -> list[bytes]:
    """The score from `last`, [batch, 1]."""
    if no is None:
        return [onnx_parts.int64s("yes_id", [yes]), onnx_parts.node("Gather", ["last", "yes_id"], _SCORE, axis=1)]
    return [
        onnx_parts.int64s("yes_id", [yes]),
        onnx_parts.int64s("no_id", [no]),
        onnx_parts.node("Gather", ["last", "yes_id"], "logit_of_yes", axis=1),
        onnx_parts.node("Gather", ["last", "no_id"], "logit_of_no", axis=1),
        onnx_parts.node("Sub", ["logit_of_yes", "logit_of_no"], _SCORE),
    ]
