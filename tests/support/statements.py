"""A page of somebody's API, statement by statement, each with the tests that prove it: the table and its page.

The tables are tests/contract/statements.py and tests/sie/statements.py; `make docs` writes their pages, and a test
beside each table holds that every test it names exists and that the page is the table.
"""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import NamedTuple


class Statement(NamedTuple):
    """One point. `differs` says where and why the answer is another one here."""

    words: str
    tests: tuple[str, ...]
    differs: str = ""


Table = Mapping[str, Sequence[Statement]]
"""By the sections of the page."""


def page(head: Iterable[str], table: Table) -> str:
    """The whole page: its head, then a table per section."""
    lines = list(head)
    for section, statements in table.items():
        lines += ["", f"## {section}", "", "| the page | here | tests |", "|---|---|---|"]
        for each in statements:
            tests = "<br>".join(f"`{test}`" for test in each.tests)
            lines.append(f"| {each.words} | {each.differs or 'the same'} | {tests} |")
    return "\n".join(lines) + "\n"


def named(table: Table) -> set[str]:
    """Every test that the table names."""
    return {test for statements in table.values() for statement in statements for test in statement.tests}


def unproved(table: Table) -> list[str]:
    """Statements without a test."""
    return [statement.words for statements in table.values() for statement in statements if not statement.tests]


def found_in(folders: Iterable[Path]) -> dict[str, list[Path]]:
    """Every test of the folders as `file::test_...`, without the file's `test_`, and where it stands."""
    found: dict[str, list[Path]] = {}
    for folder in folders:
        for path in sorted(folder.glob("test_*.py")):
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                    found.setdefault(f"{path.stem.removeprefix('test_')}::{node.name}", []).append(path)
    return found


def load(path: Path) -> ModuleType:
    """The file that holds a table."""
    spec = importlib.util.spec_from_file_location(f"{path.parent.name}_statements", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
