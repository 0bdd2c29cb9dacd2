"""Built files that clients of other projects talk to, and how a client's script is run."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from clients.table import Client
from support.dialects import JSON, make_cross_encoder
from support.files import BuiltFile, encoderfile
from support.kinds import KINDS
from support.models import DEMO, MODELS, ROOT

FOLDERS = {
    **DEMO,
    "splade": MODELS / "bert-mlm",
    "gliner": KINDS["gliner-span"],
    "bge-m3": KINDS["bge-m3"],
    "colbert": KINDS["colbert"],
    "topics": KINDS["nli"],
}
"""What each file is built from; a cross-encoder is made."""

TYPES = {"topics": ("--model-type", "zero_shot_classification")}

LIGHT = ("curl", "github.com/fullstorydev/grpcurl")
"""Tools that many machines have; where they are, `make test` runs them."""

QUIET = {
    "ANONYMIZED_TELEMETRY": "False",
    "DO_NOT_TRACK": "1",
    "HAYSTACK_TELEMETRY_ENABLED": "False",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
}
"""Clients send nothing elsewhere."""


class Served:
    """`served.address("embed")` is where that built file answers; built and started on first use."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder = folder
        self._stack = stack
        self._files: dict[str, BuiltFile] = {}
        self._addresses: dict[tuple[str, ...], str] = {}

    def file(self, name: str) -> BuiltFile:
        if name not in self._files:
            path = self._folder / f"{name}.encoderfile"
            done = encoderfile(
                "build", self.folder(name), "--name", name, *TYPES.get(name, ()), "--device", "cpu", "-o", path
            )
            assert done.returncode == 0, done.stderr
            self._files[name] = BuiltFile(path, self._folder / "cache")
        return self._files[name]

    def folder(self, name: str) -> Path:
        """The export that the file was built from."""
        if name == "rerank":
            made = self._folder / "cross-encoder"
            return made if made.exists() else make_cross_encoder(made)
        return FOLDERS[name]

    def address(self, name: str, over: str = "http", flags: tuple[str, ...] = ()) -> str:
        """What a client is told to reach the file."""
        if over == "stdio":
            return str(self.file(name).path)
        if (name, over, *flags) not in self._addresses:
            other = {"http": "--disable-grpc", "grpc": "--disable-http"}[over]
            server = self._stack.enter_context(self.file(name).serve(other, *flags))
            self._addresses[name, over, *flags] = server.url if over == "http" else server.grpc
        return self._addresses[name, over, *flags]

    def infer(self, name: str, inputs: list[dict[str, str]], *flags: str) -> list[dict[str, Any]]:
        """What `./FILE infer` says of the same inputs."""
        lines = self._folder / "inputs.jsonl"
        lines.write_text("".join(json.dumps(each) + "\n" for each in inputs))
        done = self.file(name).run("infer", "-i", lines, *flags)
        assert done.returncode == 0, done.stderr
        found: list[dict[str, Any]] = json.loads(done.stdout)["results"]
        return found

    def scores(self, name: str, query: str, texts: list[str]) -> list[float]:
        """What the file says of a query and texts: a cross-encoder of pairs, others at SIE's route."""
        if name == "rerank":
            return [each["scores"][0] for each in self.infer(name, [{"text": query, "text_pair": t} for t in texts])]
        body = {"query": {"text": query}, "items": [{"id": str(at), "text": t} for at, t in enumerate(texts)]}
        answer = httpx.post(f"{self.address(name)}/v1/score/{name}", json=body, headers=JSON)
        assert answer.status_code == 200, answer.text
        found = {each["item_id"]: each["score"] for each in answer.json()["scores"]}
        return [found[str(at)] for at in range(len(texts))]


def run(environments: Path | None, client: Client, served: Served, *arguments: str) -> list[dict[str, Any]]:
    """The JSON objects that a client's script prints, one for each answer. Skips where its tool is not installed."""
    if environments is None and client.package not in LIGHT:
        pytest.skip("needs the clients of other projects: `make clients` installs and runs them")
    folder = environments or Path("/nonexistent")
    tools = [folder / "go", folder / "javascript" / "node_modules" / ".bin"]
    path = os.pathsep.join([*map(str, tools), os.environ["PATH"]])
    commands = {
        "python": [folder / client.path.parent.name / "bin" / "python", "-P", client.path],
        "javascript": ["node", folder / client.script],
        "go": [folder / client.script],
        "java": ["java", "-cp", f"{folder / 'java'}/*", client.path],
        "shell": ["sh", client.path],
    }
    tool = client.path.stem.partition("_")[0] if client.language == "shell" else commands[client.language][0]
    if shutil.which(tool, path=path) is None:
        pytest.skip(f"{tool} is not installed")
    done = subprocess.run(
        [*commands[client.language], served.address(client.serves, client.over, client.flags), *arguments],
        env={
            "PATH": path,
            "HOME": str(folder),
            "ENCODERFILE_CACHE_DIR": str(served.file(client.serves).cache),
            "FOLDER": str(served.folder(client.serves)),
            "PROTOS": str(ROOT / "proto"),
            **QUIET,
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return list(_objects(done.stdout))


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """The JSON objects of a text that begin on a line of their own; what else a client prints is passed over."""
    decoder, end = json.JSONDecoder(), 0
    for begin in re.finditer(r"^\{", text, re.MULTILINE):
        if begin.start() >= end:
            found, end = decoder.raw_decode(text, begin.start())
            yield found
