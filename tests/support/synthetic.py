"""A model folder that exists in memory only: what the small files say, without any file."""

from pathlib import Path
from typing import Any

from encoderfile.builder.folder import ModelFolder
from encoderfile.model.session import ValueInfo


def folder(**parts: Any) -> ModelFolder:
    """`parts` are parsed files, as the fields of `ModelFolder` name them; the rest is empty."""
    fields: dict[str, Any] = {
        "path": Path("model"),
        "onnx": Path("model/model.onnx"),
        "config": {},
        "tokenizer_config": {},
        "modules": (),
        "pooling": {},
        "sentence_bert": {},
        "sentence_transformers": {},
        "tokenizer_json": {},
        "files": {},
    }
    return ModelFolder(**(fields | parts))


def output(name: str, *shape: int | None) -> ValueInfo:
    """An output of the graph; None is a free dimension."""
    return ValueInfo(name, "float32", shape)
