"""What to do about a path that is not an exported model: the commands that make one of it."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

from encoderfile.builder import safe_read
from encoderfile.errors import ModelError

_HUB_NAME = re.compile(r"(?:https?://(?:www\.)?(?:huggingface\.co|hf\.co)/)?([\w.-]+(?:/[\w.-]+)?)/?")
"""A model's name on the Hugging Face hub, or the address of its page."""


def not_a_folder(path: Path) -> str:
    """The sentence for a `path` that is not a folder; a name on the hub gets the commands that make a file of it."""
    if path.exists():
        return f"{path} is a file, not a folder: give the folder that `optimum-cli export onnx` wrote"
    # A path reduces the two slashes after the scheme of an address to one.
    name = _HUB_NAME.fullmatch(re.sub(r"^(https?:/)(?!/)", r"\1/", str(path)))
    if name is None or name[1].startswith(".") or (len(path.parts) > 1 and path.parent.is_dir()):
        return f"{path} does not exist: give the folder that `optimum-cli export onnx` wrote"
    folder = f"./{name[1].rpartition('/')[2]}"
    return (
        f"there is no folder {path}: if this is a model on the Hugging Face hub, export it with "
        f"`optimum-cli export onnx --model {name[1]} {folder}`, then `encoderfile build {folder}`"
    )


def how_to_export(path: Path) -> str:
    """The command that exports what lies in `path`: its weights, or the model that config.json names."""
    model, target = str(path), f"{path}-onnx"
    if not any(path.glob("*.safetensors")) and not any(path.glob("pytorch_model*.bin")):
        named = _name_in_config(path)
        if named is None:
            return f"export the model with `optimum-cli export onnx` into {path}"
        model, target = named, str(path)
    return (
        f"export it with `optimum-cli export onnx --model {shlex.quote(model)} {shlex.quote(target)}`, "
        f"then `encoderfile build {shlex.quote(target)}`"
    )


def _name_in_config(path: Path) -> str | None:
    """The name on the hub that config.json gives."""
    try:
        name = json.loads(safe_read.read(safe_read.inside(path / "config.json", path))).get("_name_or_path")
    except (ModelError, ValueError, AttributeError, RecursionError):
        return None
    return name if isinstance(name, str) and _HUB_NAME.fullmatch(name) else None


def how_to_convert_tokenizer(path: Path) -> str:
    """Which files of a slow tokenizer lie in `path`, and the line of Python that writes its fast form."""
    names = ("vocab.txt", "vocab.json", "sentencepiece.bpe.model", "spiece.model")
    slow = [name for name in names if (path / name).exists()]
    found = f" (only {', '.join(slow)}, the slow form)" if slow else ""
    name = repr(str(path))
    return f"{found}: write it with `AutoTokenizer.from_pretrained({name}, use_fast=True).save_pretrained({name})`"
