"""A model folder as `optimum-cli export onnx` writes it: finding the files and reading the small ones."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from encoderfile.builder import sources
from encoderfile.builder.tokenizer_rules import ruled
from encoderfile.errors import ModelError

_LFS = b"version https://git-lfs"
_HUB = re.compile(r"(?:https?://(?:www\.)?(?:huggingface\.co|hf\.co)/)?([\w.-]+(?:/[\w.-]+)?)/?")
"""A model's name on the hub, or the address of its page."""

SMALL_FILES = (
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "modules.json",
    "sentence_bert_config.json",
    "config_sentence_transformers.json",
    "1_Pooling/config.json",
)
"""What is read beside the graph, where present, and kept in the file."""


@dataclass(frozen=True)
class ModelFolder:
    """The files of one exported model. JSON files are parsed; `files` keeps their bytes as they were.

    Only tokenizer.json is changed where tokenizer_config.json rules it (`tokenizer_rules`).
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
        raise ModelError(_no_folder(path))
    graph = find_onnx(path) if onnx is None else _chosen(path, onnx)
    files = {}
    for name in SMALL_FILES:
        chosen = (explicit or {}).get(name)
        if chosen is not None:
            if not chosen.exists():
                raise ModelError(f"{chosen} does not exist: correct the path of {name}")
            files[name] = _read(chosen)
        elif _is_there(path / name):
            files[name] = _read(sources.inside(path / name, path))
    if "config.json" not in files:
        raise ModelError(f"{path} has no config.json: copy it from the original model, or {_ask_export(path)}")
    if "tokenizer.json" not in files:
        raise ModelError(f"{path} has no tokenizer.json{_other_tokenizer(path)}")
    pooling_name = "1_Pooling/config.json"
    modules = _json(files, "modules.json", list)
    if not all(isinstance(module, dict) for module in modules):
        raise ModelError("modules.json should hold a list of objects: export the model again")
    for module in modules:
        if str(module.get("type", "")).endswith((".Pooling", ".SpladePooling")):
            pooling_name = f"{_inside(module.get('path', '1_Pooling'))}/config.json"
            if pooling_name not in files and _is_there(path / pooling_name):
                files[pooling_name] = _read(sources.inside(path / pooling_name, path))
    tokenizer = _json(files, "tokenizer.json", dict)
    tokenizer_config = _json(files, "tokenizer_config.json", dict)
    changed = ruled(tokenizer, tokenizer_config)
    if changed is not None:
        tokenizer, files["tokenizer.json"] = changed, json.dumps(changed, ensure_ascii=False).encode()
    return ModelFolder(
        path=path,
        onnx=graph,
        config=_json(files, "config.json", dict),
        tokenizer_config=tokenizer_config,
        modules=tuple(modules),
        pooling=_json(files, pooling_name, dict),
        sentence_bert=_json(files, "sentence_bert_config.json", dict),
        sentence_transformers=_json(files, "config_sentence_transformers.json", dict),
        tokenizer_json=tokenizer,
        files=files,
    )


def find_onnx(path: Path) -> Path:
    """`model.onnx`, in the folder or in its `onnx/`; else the only other graph there. Raises `ModelError`."""
    for usual in (path / "model.onnx", path / "onnx" / "model.onnx"):
        if _is_there(usual):
            sources.inside(usual, path)
            return usual
    found = sorted(path.glob("*.onnx")) + sorted(path.glob("onnx/*.onnx"))
    if not found:
        raise ModelError(f"{path} has no model.onnx: {_ask_export(path)}")
    if len(found) > 1:
        names = ", ".join(str(each.relative_to(path)) for each in found)
        raise ModelError(f"{path} has several ONNX files ({names}): choose one with --onnx FILE")
    sources.inside(found[0], path)
    return found[0]


def _is_there(path: Path) -> bool:
    """Whether there is anything of that name, a broken link too: it is read and then has its own sentence."""
    return path.is_symlink() or path.exists()


def _chosen(path: Path, onnx: Path) -> Path:
    """`onnx` as a path, or as `find_onnx` lists it: by its name inside the folder."""
    for graph in (onnx, path / onnx):
        if graph.exists() and not graph.is_dir():
            return graph
    raise ModelError(f"{onnx} does not exist, here or in the model's folder: give the ONNX file with --onnx")


def _other_tokenizer(path: Path) -> str:
    slow = [
        name
        for name in ("vocab.txt", "vocab.json", "sentencepiece.bpe.model", "spiece.model")
        if (path / name).exists()
    ]
    found = f" (only {', '.join(slow)}, the slow form)" if slow else ""
    name = repr(str(path))
    return f"{found}: write it with `AutoTokenizer.from_pretrained({name}, use_fast=True).save_pretrained({name})`"


def _no_folder(path: Path) -> str:
    """What to do about a path that is no folder; a name of the hub gets the two commands that make a file of it."""
    if path.exists():
        return f"{path} is a file, not a folder: give the folder that `optimum-cli export onnx` wrote"
    # A path takes two slashes after the scheme of an address to one.
    name = _HUB.fullmatch(re.sub(r"^(https?:/)(?!/)", r"\1/", str(path)))
    if name is None or name[1].startswith(".") or (len(path.parts) > 1 and path.parent.is_dir()):
        return f"{path} does not exist: give the folder that `optimum-cli export onnx` wrote"
    folder = f"./{name[1].rpartition('/')[2]}"
    return (
        f"there is no folder {path}: if this is a model of the Hugging Face hub, export it with "
        f"`optimum-cli export onnx --model {name[1]} {folder}`, then `encoderfile build {folder}`"
    )


def _ask_export(path: Path) -> str:
    """The command that exports what lies in `path`: its weights, or those of the model that config.json names."""
    model, target = str(path), f"{path}-onnx"
    if not any(path.glob("*.safetensors")) and not any(path.glob("pytorch_model*.bin")):
        named = _named(path)
        if named is None:
            return f"copy the folder again, or export the model with `optimum-cli export onnx` into {path}"
        model, target = named, str(path)
    return (
        f"export it with `optimum-cli export onnx --model {shlex.quote(model)} {shlex.quote(target)}`, "
        f"then `encoderfile build {shlex.quote(target)}`"
    )


def _named(path: Path) -> str | None:
    """The name on the hub that config.json says a model has."""
    try:
        name = json.loads(sources.read(sources.inside(path / "config.json", path))).get("_name_or_path")
    except (ModelError, ValueError, AttributeError, RecursionError):
        return None
    return name if isinstance(name, str) and _HUB.fullmatch(name) else None


def _inside(name: object) -> str:
    """`name` as a path below the model's folder. Raises `ModelError` for any other: it would be ours to leak."""
    text = str(name)
    if Path(text).is_absolute() or ".." in Path(text).parts:
        raise ModelError(f"modules.json names {text}, outside the model's folder: correct it")
    return text


def _read(path: Path) -> bytes:
    data = sources.read(path)
    if data.startswith(_LFS):
        raise ModelError(f"{path.name} is a Git LFS pointer: run `git lfs pull` in the folder it came from")
    return data


def _json(files: Mapping[str, bytes], name: str, kind: type) -> Any:
    if name not in files:
        return kind()
    try:
        value = json.loads(files[name].decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        reason = "nested too deep" if isinstance(error, RecursionError) else error
        raise ModelError(f"{name} is not valid JSON ({reason}): correct it or export the model again") from error
    if not isinstance(value, kind):
        expected = "an object" if kind is dict else "a list"
        raise ModelError(f"{name} should hold {expected}: export the model again")
    return value
