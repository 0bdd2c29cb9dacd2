"""What a runtime says of itself: read by `info` of a built file, and by `upgrade` from outside."""

import json
from pathlib import Path
from typing import Any

import pytest

from encoderfile.builder.runtimes import sbom
from encoderfile.builder.runtimes.pack_writer import write_pack
from encoderfile.container import Slice
from encoderfile.errors import ContainerError
from encoderfile.pack import FACTS_PATH, SBOM_PATH
from encoderfile.runtime import frozen


def properties(**values: str) -> list[dict[str, str]]:
    return [{"name": f"encoderfile:{name}", "value": value} for name, value in values.items()]


DOCUMENT = {
    "metadata": {"properties": properties(device="cpu")},
    "components": [{"name": "numpy", "version": "2.3"}, {"name": "libz.so.1"}],
}
FACTS = sbom.facts(
    {
        "metadata": {
            "component": {"version": "1.2"},
            "properties": properties(
                device="cuda",
                machine="x86_64",
                glibc="2.36",
                oldest_glibc="2.28",
                sources="12ab",
                cuda_libraries="a b",
            ),
        },
        "components": DOCUMENT["components"],
    }
)


@pytest.fixture
def runtime(tmp_path: Path) -> Path:
    (tmp_path / "runtime" / "_internal").mkdir(parents=True)
    return tmp_path / "runtime"


def packed(runtime: Path, **files: Any) -> Slice:
    for path, content in files.items():
        (runtime / path).write_text(content if isinstance(content, str) else json.dumps(content))
    write_pack(runtime, runtime.parent / "pack", "2.17")
    return Slice.whole(runtime.parent / "pack")


def test_the_device_is_told_by_the_facts(runtime: Path) -> None:
    assert sbom.device_of(packed(runtime, **{FACTS_PATH: FACTS, SBOM_PATH: DOCUMENT})) == "cuda"


def test_in_a_file_of_the_first_version_by_the_list_of_parts(runtime: Path) -> None:
    assert sbom.device_of(packed(runtime, **{SBOM_PATH: DOCUMENT})) == "cpu"


@pytest.mark.parametrize("facts", ["", "[]", "{}", "7", "[" * 100_000, {"device": "abacus"}, {"device": []}], ids=str)
def test_a_runtime_that_does_not_tell_is_of_no_device(runtime: Path, facts: Any) -> None:
    assert sbom.device_of(packed(runtime, **{FACTS_PATH: facts})) is None


def test_info_has_the_facts_and_where_the_runtime_lies(runtime: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (runtime / FACTS_PATH).write_text(json.dumps(FACTS))
    monkeypatch.setattr(frozen, "folder", lambda: runtime)
    assert frozen.facts() == {
        "version": "1.2",
        "folder": str(runtime),
        "size": (runtime / FACTS_PATH).stat().st_size,
        "c_library": "host",
        "device": "cuda",
        "machine": "x86_64",
        "glibc": "2.36",
        "oldest_glibc": "2.28",
        "sources": "12ab",
        "cuda_libraries": ["a", "b"],
        "versions": {"numpy": "2.3"},
    }


@pytest.mark.parametrize("content", [None, "", "{"], ids=["missing", "empty", "cut"])
def test_facts_that_cannot_be_read_are_one_sentence(
    content: str | None, runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if content is not None:
        (runtime / FACTS_PATH).write_text(content)
    monkeypatch.setattr(frozen, "folder", lambda: runtime)
    with pytest.raises(ContainerError) as refusal:
        frozen.facts()
    assert str(refusal.value) == f"{runtime} is damaged: remove it, and the next start unpacks it again"
