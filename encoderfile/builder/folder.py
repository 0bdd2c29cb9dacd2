"""A model folder as `optimum-cli export onnx` writes it: finding the files and reading the small ones."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from encoderfile.builder.tokenizer_rules import TokenizerFiles, ruled
from encoderfile.errors import ModelError

_LFS = b"version https://git-lfs"
_ASK_EXPORT = "export it with `optimum-cli export onnx --model MODEL FOLDER`"

SENTENCE_BERT = tuple(
    f"sentence_{kind}_config.json"
    for kind in ("bert", "roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet")
)
"""The names under which sentence-transformers looks for what it does with texts, the first that is there."""

SMALL_FILES = (
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "modules.json",
    *SENTENCE_BERT,
    "config_sentence_transformers.json",
    "1_Pooling/config.json",
)
"""What is read beside the graph, where present, and kept in the file."""


@dataclass(frozen=True)
class ModelFolder:
    """The files of one exported model. JSON files are parsed; `files` keeps their bytes as they were.

    Only tokenizer.json is changed where other files rule it; `tokenizer_config` holds what the tokenizer's class
    assumes too (`tokenizer_rules`).
    """

    path: Path
    onnx: Path
    config: Mapping[str, Any]
    tokenizer_config: Mapping[str, Any]
    modules: tuple[Mapping[str, Any], ...]
    pooling: Mapping[str, Any]
    sentence_bert: Mapping[str, Any]
    sentence_transformers: Mapping[str, Any]
    tokenizer_json: Mapping[str, Any] = field(repr=False)
    files: Mapping[str, bytes] = field(repr=False)

    @property
    def architecture(self) -> str:
        """The first of `architectures` in config.json, or an empty string."""
        names = self.config.get("architectures") or ""
        return str(names[0] if isinstance(names, list) else names)


def open_folder(path: Path, onnx: Path | None = None, explicit: Mapping[str, Path] | None = None) -> ModelFolder:
    """Reads the folder at `path`; `onnx` chooses the graph, `explicit` gives single files by their usual name.

    Raises `ModelError` for whatever is missing or unreadable.
    """
    if not path.is_dir():
        what = "is a file, not a folder" if path.exists() else "does not exist"
        raise ModelError(f"{path} {what}: give the folder that `optimum-cli export onnx` wrote")
    graph = find_onnx(path) if onnx is None else _chosen(path, onnx)
    files = {}
    for name in SMALL_FILES:
        source = (explicit or {}).get(name) or path / name
        if source.is_file():
            files[name] = _read(source)
        elif explicit and name in explicit:
            raise ModelError(f"{source} does not exist: correct the path of {name}")
    if "config.json" not in files:
        raise ModelError(f"{path} has no config.json: copy it from the original model, or {_ASK_EXPORT}")
    if "tokenizer.json" not in files:
        raise ModelError(f"{path} has no tokenizer.json{_other_tokenizer(path)}")
    pooling_name = "1_Pooling/config.json"
    modules = _json(files, "modules.json", list)
    if not all(isinstance(module, dict) for module in modules):
        raise ModelError("modules.json should hold a list of objects: export the model again")
    for module in modules:
        if str(module.get("type", "")).endswith((".Pooling", ".SpladePooling")):
            pooling_name = f"{_inside(module.get('path', '1_Pooling'))}/config.json"
            if pooling_name not in files and (path / pooling_name).is_file():
                files[pooling_name] = _read(path / pooling_name)
    tokenizer = _json(files, "tokenizer.json", dict)
    config = _json(files, "config.json", dict)
    sentence_bert: Mapping[str, Any] = next(
        (found for name in SENTENCE_BERT if (found := _json(files, name, dict))), {}
    )
    effective = ruled(
        TokenizerFiles(
            tokenizer=tokenizer,
            config=_json(files, "tokenizer_config.json", dict),
            special_tokens_map=_json(files, "special_tokens_map.json", dict),
            added_tokens=_json(files, "added_tokens.json", dict),
            model_config=config,
            sentence_bert=sentence_bert,
        )
    )
    if effective.tokenizer != tokenizer:
        files["tokenizer.json"] = json.dumps(effective.tokenizer, ensure_ascii=False).encode()
    return ModelFolder(
        path=path,
        onnx=graph,
        config=config,
        tokenizer_config=effective.config,
        modules=tuple(modules),
        pooling=_json(files, pooling_name, dict),
        sentence_bert=sentence_bert,
        sentence_transformers=_json(files, "config_sentence_transformers.json", dict),
        tokenizer_json=effective.tokenizer,
        files=files,
    )


def find_onnx(path: Path) -> Path:
    """`model.onnx`, in the folder or in its `onnx/`; else the only other graph there. Raises `ModelError`."""
    for usual in (path / "model.onnx", path / "onnx" / "model.onnx"):
        if usual.is_file():
            return usual
    found = sorted(path.glob("*.onnx")) + sorted(path.glob("onnx/*.onnx"))
    if not found:
        raise ModelError(f"{path} has no model.onnx: {_ASK_EXPORT}")
    if len(found) > 1:
        names = ", ".join(str(each.relative_to(path)) for each in found)
        raise ModelError(f"{path} has several ONNX files ({names}): choose one with --onnx FILE")
    return found[0]


def _chosen(path: Path, onnx: Path) -> Path:
    """`onnx` as a path, or as `find_onnx` lists it: by its name inside the folder."""
    for graph in (onnx, path / onnx):
        if graph.is_file():
            return graph
    raise ModelError(f"{onnx} does not exist, here or in the model's folder: give the ONNX file with --onnx")


def _other_tokenizer(path: Path) -> str:
    slow = [
        name
        for name in ("vocab.txt", "vocab.json", "sentencepiece.bpe.model", "spiece.model")
        if (path / name).exists()
    ]
    found = f" (only {', '.join(slow)}, the slow form)" if slow else ""
    return f"{found}: write it with `AutoTokenizer.from_pretrained(MODEL, use_fast=True).save_pretrained(FOLDER)`"


def _inside(name: object) -> str:
    """`name` as a path below the model's folder. Raises `ModelError` for any other: it would be ours to leak."""
    text = str(name)
    if Path(text).is_absolute() or ".." in Path(text).parts:
        raise ModelError(f"modules.json names {text}, outside the model's folder: correct it")
    return text


def _read(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"cannot read {path}: {error.strerror}") from error
    if data.startswith(_LFS):
        raise ModelError(f"{path.name} is a Git LFS pointer: run `git lfs pull` in the folder it came from")
    return data


def _json(files: Mapping[str, bytes], name: str, kind: type) -> Any:
    if name not in files:
        return kind()
    try:
        value = json.loads(files[name])
    except ValueError as error:
        raise ModelError(f"{name} is not valid JSON ({error}): correct it or export the model again") from error
    if not isinstance(value, kind):
        expected = "an object" if kind is dict else "a list"
        raise ModelError(f"{name} should hold {expected}: export the model again")
    return value
