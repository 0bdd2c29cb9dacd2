"""Tests use what is public: what a file keeps to itself may change without a test."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
FILES = {str(path.relative_to(TESTS)): path for path in sorted(TESTS.rglob("*.py"))}

ALLOWED = {
    "exports/remake_entities.py": {"_sanitize_parameters"},  # transformers has no other way to its own defaults
}


def private_names(source: str) -> Iterator[str]:
    """Names with a leading underscore that are taken from something else: attributes, imports, names to patch."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Attribute(value=ast.Name(id="self" | "cls")):
                pass
            case ast.Attribute(attr=name):
                yield from [name] if is_private(name) else []
            case ast.ImportFrom(names=names):
                yield from (each.name for each in names if is_private(each.name))
            case ast.Call(func=ast.Name(id="getattr" | "setattr") | ast.Attribute(attr="setattr" | "delattr")):
                literals = [each.value for each in node.args[:2] if isinstance(each, ast.Constant)]
                parts = [part for each in literals if isinstance(each, str) for part in each.split(".")]
                yield from filter(is_private, parts)


def is_private(name: str) -> bool:
    """`_pb` is the folder of generated messages; a named tuple has methods that only begin like private ones."""
    return name.startswith("_") and not name.startswith("__") and name not in ("_pb", "_asdict", "_replace")


@pytest.mark.parametrize("file", FILES)
def test_no_test_reaches_for_a_private_name(file: str) -> None:
    found = set(private_names(FILES[file].read_text(encoding="utf-8"))) - ALLOWED.get(file, set())
    assert not found, f"tests/{file} uses {sorted(found)}: test what can be seen, or make it public where it is kept"


@pytest.mark.parametrize("file", ALLOWED)
def test_nothing_is_allowed_in_vain(file: str) -> None:
    assert file in FILES, "drop its line"
    assert ALLOWED[file] <= set(private_names(FILES[file].read_text(encoding="utf-8"))), "drop what is not used"


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("service._batcher", ["_batcher"]),
        ("self.service._batcher.stop()", ["_batcher"]),
        ("from encoderfile.service.encoding import _PIECE", ["_PIECE"]),
        ('monkeypatch.setattr(oneshot, "_load", 1)', ["_load"]),
        ('monkeypatch.setattr("encoderfile.runtime.oneshot._load", 1)', ["_load"]),
        ('getattr(model, "_session")', ["_session"]),
        ("self._folder = folder", []),
        ("from encoderfile.transports._pb import encoderfile_pb2 as pb", []),
        ("model.__class__", []),
    ],
)
def test_no_use_of_a_private_name_is_overlooked(source: str, found: list[str]) -> None:
    assert list(private_names(source)) == found
