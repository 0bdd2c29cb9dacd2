"""What the builder knows of one kind of model that brings files of its own, or that the usual rules would misread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from encoderfile.builder.folder import ModelFolder
from encoderfile.builder.onnx_graph import OnnxGraph
from encoderfile.manifest import GraphSpec, TokenizerSpec
from encoderfile.model.session import ValueInfo
from encoderfile.model.tokenizer import Tokenizer
from encoderfile.types import FloatArray


@dataclass(frozen=True, slots=True)
class Outputs:
    """The outputs of the graph that are taken."""

    main: ValueInfo
    more: Mapping[str, str] = field(default_factory=dict)
    """`GraphSpec.more_outputs`."""
    task: Mapping[str, Any] = field(default_factory=dict)
    """Of `Manifest.task`: what their shapes say, in place of what `Facts` have."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a kind adds to the manifest."""

    manifest: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the manifest, in place of those that the usual rules give."""
    tensors: Mapping[str, FloatArray] = field(default_factory=dict)
    """What is kept in the artifact `TENSORS`."""
    notes: Sequence[str] = ()
    """What a user should know."""


class Kind:
    """One kind. Its methods are called in the order in which they stand here."""

    model_type: ClassVar[str]
    files: ClassVar[tuple[str, ...]] = ()
    """Small files that are read beside the graph, where present, and kept in the built file."""
    library_limit: ClassVar[int | None] = None
    """Where the kind's own library truncates by itself, in tokens: no limit in a file is above it."""
    constants: ClassVar[Mapping[str, str]] = {}
    """What further inputs are fed that have the same value for every text, where the graph has them."""
    reads_messages: ClassVar[bool] = False
    """Whether the kind makes of a text the chat messages that its files ask for."""
    roles: ClassVar[Mapping[str, str]] = {}
    """What inputs of the graph are that the usual rules do not know, by their names (`padding.ROLES`)."""

    def replaces_config(self, files: Mapping[str, bytes]) -> bool:
        """Whether a folder of this kind, by its small files, needs no config.json."""
        return False

    def recognise(self, folder: ModelFolder, outputs: Sequence[ValueInfo], given: str | None) -> str | None:
        """Why the folder is of this kind; None where it is not. `given` is that of `--model-type`."""
        raise NotImplementedError

    def config(self, folder: ModelFolder) -> Mapping[str, Any]:
        """What stands for config.json."""
        return folder.config

    def offer(self, folder: ModelFolder, outputs: Sequence[ValueInfo]) -> str | None:
        """For a folder that is not built as this kind: how it could be, where it could."""
        return None

    def adapt(self, folder: ModelFolder) -> ModelFolder:
        """The folder with what the kind's own files say in the places where the usual rules look for it."""
        return folder

    def change_graphs(self, folder: ModelFolder, graphs: Sequence[OnnxGraph], outputs: Sequence[ValueInfo]) -> bool:
        """Adds outputs to each of the graphs; whether it did."""
        return False

    def outputs(self, folder: ModelFolder, outputs: Sequence[ValueInfo]) -> Outputs | None:
        """What is taken of the graph; None: what the usual rules choose. Raises `ModelError`."""
        return None

    def tokenizer_spec(self, folder: ModelFolder, spec: TokenizerSpec) -> TokenizerSpec:
        """`spec` as the kind's own library reads texts. Raises `ModelError`."""
        return spec

    def facts(self, folder: ModelFolder, graph: GraphSpec, output: ValueInfo, tokenizer: Tokenizer) -> Facts:
        """What the manifest holds. Raises `ModelError` where the files ask for what is not supported."""
        return Facts()
