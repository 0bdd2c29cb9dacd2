"""Writes entities.json: what the reference pipeline finds. Needs transformers and torch, which no test does.

The pipeline's own preprocess and postprocess run around the logits of our exports, so that nothing but the
grouping is compared. Run: python tests/exports/remake_entities.py
"""

import json
from pathlib import Path
from typing import Any

import onnxruntime as ort
import torch
import transformers
from transformers import AutoTokenizer, TokenClassificationPipeline

ROOT = Path(__file__).parents[2]
FOLDERS = {
    "demo-ner": ROOT / "examples/ner/model",
    "bert-tok": ROOT / "tests/models/bert-tok",
    "xlmr-tok": ROOT / "tests/models/xlmr-tok",
}
SENTENCE = "Maria Kowalski of Siemens flew from Berlin to Paris, and Anna-Lena Schmidt-Rottluff met Zygmunt in Rome. "
TEXTS = (
    "Maria Kowalski works for Siemens in New York and Szczebrzeszyn.",
    "Dr. O'Neill-Żółkiewski (ACME/Globex) didn't visit Saint-Étienne-du-Rouvray on 3/4!",
    "ＡＣＭＥ ﬁnances\u2028Zoë & naïve İstanbul 東京 😀👩\u200d💻 <mask> [UNK] e\u0301te\u0301",
    "  leading, trailing   and    inner\tspaces\n",
    "x",
    " ",
)
LONG = SENTENCE * 5
KEPT_APART = ("special_tokens_mask", "offset_mapping", "sentence", "is_last", "word_ids", "word_to_chars_map")


class Reference:
    """One export as the reference pipeline answers."""

    def __init__(self, folder: Path) -> None:
        labels = json.loads((folder / "config.json").read_text(encoding="utf-8"))["id2label"]
        self.session = ort.InferenceSession(folder / "model.onnx")
        self.names = [each.name for each in self.session.get_inputs()]
        # Made without its constructor, which wants a PyTorch model.
        self.pipeline = TokenClassificationPipeline.__new__(TokenClassificationPipeline)
        self.pipeline.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.pipeline.framework = "pt"
        config = type("Config", (), {"id2label": {int(index): label for index, label in labels.items()}})
        self.pipeline.model = type("Model", (), {"config": config})

    def case(self, text: str, strategy: str, stride: int | None) -> dict[str, Any]:
        """A text and its entities: group, score, word, start, end."""
        before, _, after = self.pipeline._sanitize_parameters(aggregation_strategy=strategy, stride=stride)
        before = {"is_split_into_words": False, "delimiter": None} | before
        outputs = []
        for inputs in self.pipeline.preprocess(text, **before):
            apart = {name: inputs.pop(name, None) for name in KEPT_APART}
            (logits,) = self.session.run(["logits"], {name: inputs[name].numpy() for name in self.names})
            outputs.append({"logits": torch.tensor(logits), **apart, **inputs})
        entities = [
            [
                each.get("entity_group", each.get("entity")),
                round(float(each["score"]), 5),
                *(each[key] for key in ("word", "start", "end")),
            ]
            for each in self.pipeline.postprocess(outputs, **after)
        ]
        return {"text": text, "strategy": strategy, "stride": stride, "entities": entities}


def main() -> None:
    models = {}
    for name, folder in FOLDERS.items():
        reference = Reference(folder)
        models[name] = [
            reference.case(text, strategy, None)
            for text in TEXTS
            for strategy in ("none", "simple", "first", "average", "max")
        ] + [
            reference.case(LONG, strategy, stride)
            for strategy in ("simple", "first", "average", "max")
            for stride in ((None, 0, 5, 20) if strategy == "simple" else (5,))
        ]
    made_with = f"transformers {transformers.__version__}"
    body = json.dumps({"made_with": made_with, "models": models}, ensure_ascii=False, separators=(",", ":"))
    Path(__file__).with_name("entities.json").write_text(body + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
