"""A model folder as `optimum-cli export onnx` writes it: its files found and read, or how to get what is missing."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from encoderfile.builder import safe_read
from encoderfile.builder.modules_json import Module, read_modules_json
from encoderfile.builder.tokenizer_overrides import TokenizerFiles, effective_tokenizer
from encoderfile.errors import MissingError, ModelError

T = TypeVar("T", dict[str, Any], list[Any])

SENTENCE_BERT = tuple(
    f"sentence_{kind}_config.json"
    for kind in ("bert", "roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet")
)
"""The names under which sentence-transformers looks for its settings of the transformer; the first found counts."""

_SENTENCE_TRANSFORMERS = (
    "modules.json",
    *SENTENCE_BERT,
    "config_sentence_transformers.json",
    "1_Pooling/config.json",
)
"""The files of sentence-transformers."""

SMALL_FILES = (
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    *_SENTENCE_TRANSFORMERS,
)
"""What is read beside the graph, where present, and kept in the built file."""

_TOKENIZER_ALONE = {"tokenizer_class": "PreTrainedTokenizerFast"}
"""What stands for tokenizer_config.json where no file names a class that could change tokenizer.json."""

_HUB_NAME = re.compile(r"(?:https?://(?:www\.)?(?:huggingface\.co|hf\.co)/)?([\w.-]+(?:/[\w.-]+)?)/?")
"""A model's name on the Hugging Face hub, or the address of its page."""


@dataclass(frozen=True)
class ModelFolder:
    """The files of one exported model. JSON files are parsed; `files` keeps their bytes as they were.

    Only tokenizer.json is changed where other files override it; `tokenizer_config` also holds the defaults of the
    tokenizer's class (`tokenizer_overrides`).
    """

    path: Path
    onnx: Path
    config: Mapping[str, Any]
    tokenizer_config: Mapping[str, Any]
    modules: tuple[Module, ...]
    """Those that a text without a purpose goes through."""
    pooling: Mapping[str, Any]
    sentence_bert: Mapping[str, Any]
    sentence_transformers: Mapping[str, Any]
    tokenizer_json: Mapping[str, Any] = field(repr=False)
    files: Mapping[str, bytes] = field(repr=False)
    other_routes: tuple[str, ...] = ()
    """Purposes whose texts go through other modules."""
    routes: Mapping[str, tuple[Module, ...]] = field(default_factory=dict)
    """The modules of those texts."""
    notes: tuple[str, ...] = ()
    """What a user should know of where the files come from."""

    def json(self, name: str) -> Mapping[str, Any]:
        """The object in one of `files`; empty where there is no such file. Raises `ModelError`."""
        return _json(self.files, name, dict)

    @property
    def architecture(self) -> str:
        """The first of `architectures` in config.json, or an empty string."""
        names = self.config.get("architectures") or ""
        return str(names[0] if isinstance(names, list) else names)


def open_folder(
    path: Path,
    onnx: Path | None = None,
    explicit: Mapping[str, Path] | None = None,
    more_files: Sequence[str] = (),
    without_config: Callable[[Mapping[str, bytes]], bool] = lambda _: False,
) -> ModelFolder:
    """Reads the folder at `path`; `onnx` chooses the graph, `explicit` gives single files by their usual name.

    `more_files` are read beside `SMALL_FILES`; `without_config` says of the files whether they need no config.json.
    Raises `ModelError` for whatever is missing or unreadable.
    """
    if not path.is_dir():
        raise not_a_folder(path)
    graph = find_onnx(path) if onnx is None else _chosen(path, onnx)
    folders = _folders(path)
    files = _small_files(folders, explicit or {}, (*SMALL_FILES, *more_files))
    if "config.json" not in files and not without_config(files):
        raise MissingError(f"{path} has no config.json: copy it from the original model, or {how_to_export(path)}")
    if "tokenizer.json" not in files:
        raise MissingError(f"{path} has no tokenizer.json{how_to_convert_tokenizer(path)}")

    def read(name: str) -> Mapping[str, Any]:
        source = _first(folders, name)
        if name not in files and _exists(source):
            files[name] = safe_read.read(safe_read.inside(source, folders[-1]))
        return _json(files, name, dict)

    modules = read_modules_json(_json(files, "modules.json", list), read)
    if "modules.json" not in files:
        _refuse_unlisted_modules(folders)
    pooled = [module.config for module in modules.default if module.kind in ("Pooling", "SpladePooling")]
    sentence_bert = next((found for name in SENTENCE_BERT if (found := _json(files, name, dict))), {})
    alone = not {"config.json", "tokenizer_config.json"} & files.keys()
    tokenizer = TokenizerFiles(
        tokenizer=_json(files, "tokenizer.json", dict),
        config=_TOKENIZER_ALONE if alone else _json(files, "tokenizer_config.json", dict),
        special_tokens_map=_json(files, "special_tokens_map.json", dict),
        added_tokens=_json(files, "added_tokens.json", dict),
        model_config=_json(files, "config.json", dict),
        sentence_bert=sentence_bert,
    )
    effective = effective_tokenizer(tokenizer)
    if effective.tokenizer != tokenizer.tokenizer:
        files["tokenizer.json"] = json.dumps(effective.tokenizer, ensure_ascii=False).encode()
    return ModelFolder(
        path=path,
        onnx=graph,
        config=tokenizer.model_config,
        tokenizer_config=effective.config,
        modules=modules.default,
        pooling=pooled[-1] if pooled else {} if modules.default else _json(files, "1_Pooling/config.json", dict),
        sentence_bert=sentence_bert,
        sentence_transformers=_json(files, "config_sentence_transformers.json", dict),
        tokenizer_json=effective.tokenizer,
        files=files,
        other_routes=modules.other_routes,
        routes=modules.routes,
        notes=_notes(path, folders, graph),
    )


def _refuse_unlisted_modules(folders: Sequence[Path]) -> None:
    """Raises `ModelError` for modules beside the graph that no modules.json lists: answers would be without them."""
    found = (name for folder in folders for name in sorted(folder.glob("[0-9]_*")) if name.is_dir())
    unlisted = next((path for path in found if path.name != "1_Pooling"), None)
    if unlisted is not None:
        raise ModelError(
            f"{unlisted} is a module of sentence-transformers, and there is no modules.json that says where it "
            "belongs: copy modules.json from the original model"
        )


def find_onnx(path: Path) -> Path:
    """`model.onnx`, in the folder or in its `onnx/`; else the only other graph there. Raises `ModelError`."""
    for usual in (path / "model.onnx", path / "onnx" / "model.onnx"):
        if _exists(usual):
            safe_read.inside(usual, path)
            return usual
    found = sorted(path.glob("*.onnx")) + sorted(path.glob("onnx/*.onnx"))
    if not found:
        raise MissingError(f"{path} has no model.onnx: {how_to_export(path)}")
    if len(found) > 1:
        names = ", ".join(str(each.relative_to(path)) for each in found)
        raise ModelError(f"{path} has several ONNX files ({names}): choose one with --onnx FILE")
    safe_read.inside(found[0], path)
    return found[0]


def _exists(path: Path) -> bool:
    """Whether there is anything of that name; a broken link too, for which reading it has its own sentence."""
    return path.is_symlink() or path.exists()


def _chosen(path: Path, onnx: Path) -> Path:
    """`onnx` as a path, or as `find_onnx` lists it: by its name inside the folder."""
    for graph in (onnx, path / onnx):
        if graph.exists() and not graph.is_dir():
            return graph
    raise MissingError(f"{onnx} does not exist, here or in the model's folder: give the ONNX file with --onnx")


def _folders(path: Path) -> tuple[Path, ...]:
    """Where the small files are read from: the folder, and for a hub's `onnx/` given alone also its parent."""
    own, parent = path.resolve(), path.resolve().parent
    alone = own.name == "onnx" and not (own / "modules.json").is_file()
    pooled = any((parent / name).is_file() for name in ("modules.json", "1_Pooling/config.json"))
    belongs = pooled or not (own / "config.json").is_file()
    return (path, parent) if alone and belongs and (parent / "config.json").is_file() else (path,)


def _notes(path: Path, folders: Sequence[Path], graph: Path) -> tuple[str, ...]:
    """Whether files of the parent folder are read, or are there and are not read."""
    if len(folders) > 1:
        return (f"files that are missing in {path} are read from {folders[1]}, the model it belongs to",)
    own, parent = path.resolve(), path.resolve().parent
    unread = [name for name in _SENTENCE_TRANSFORMERS if (parent / name).is_file()]
    if (
        not unread
        or not (parent / "config.json").is_file()
        or any((own / name).is_file() for name in _SENTENCE_TRANSFORMERS)
    ):
        return ()
    verb, subject = ("is", "it belongs") if len(unread) == 1 else ("are", "they belong")
    return (
        f"{parent} has {', '.join(unread)}, which {verb} not read for {path}: "
        f"if {subject} to this model, build {parent} with --onnx {graph}",
    )


def _small_files(folders: Sequence[Path], explicit: Mapping[str, Path], names: Sequence[str]) -> dict[str, bytes]:
    files = {}
    for name in names:
        if name in explicit:
            if not explicit[name].exists():
                raise MissingError(f"{explicit[name]} does not exist: correct the path of {name}")
            files[name] = safe_read.read(explicit[name])
        elif _exists(_first(folders, name)):
            files[name] = safe_read.read(safe_read.inside(_first(folders, name), folders[-1]))
    return files


def _first(folders: Sequence[Path], name: str) -> Path:
    """The first file of that name; where there is none, where it should be."""
    return next((folder / name for folder in folders if _exists(folder / name)), folders[0] / name)


def _json(files: Mapping[str, bytes], name: str, kind: type[T]) -> T:
    """A parsed file of `files`; an empty `kind` where there is none."""
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


def not_a_folder(path: Path) -> ModelError:
    """The error for a `path` that is not a folder; a name on the hub gets the commands that make a file of it."""
    advice = "give the folder that `optimum-cli export onnx` wrote"
    if path.exists():
        return ModelError(f"{path} is a file, not a folder: {advice}")
    # A path reduces the two slashes after the scheme of an address to one.
    name = _HUB_NAME.fullmatch(re.sub(r"^(https?:/)(?!/)", r"\1/", str(path)))
    if name is None or name[1].startswith(".") or (len(path.parts) > 1 and path.parent.is_dir()):
        return MissingError(f"{path} does not exist: {advice}")
    folder = f"./{name[1].rpartition('/')[2]}"
    return MissingError(
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
