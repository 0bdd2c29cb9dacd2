"""The table of SIE's statements: every test it names exists, and the page is written from it."""

import ast
import importlib.util
import itertools
from pathlib import Path
from types import ModuleType

import pytest

HERE = Path(__file__).parent
FOLDERS = (HERE, HERE.parent / "openai")


@pytest.fixture(scope="module")
def table() -> ModuleType:
    spec = importlib.util.spec_from_file_location("statements", HERE / "statements.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def names() -> set[str]:
    """Every test of the two folders, as `encode::test_...`."""
    found = set()
    for path in itertools.chain.from_iterable(folder.glob("test_*.py") for folder in FOLDERS):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef):
                found.add(f"{path.stem.removeprefix('test_')}::{node.name}")
    return found


def test_every_statement_is_proved_by_tests_that_exist(table: ModuleType) -> None:
    named = [test for each in table.STATEMENTS.values() for statement in each for test in statement.tests]
    assert not set(named) - names()
    assert all(statement.tests for each in table.STATEMENTS.values() for statement in each)


def test_the_page_is_the_table(table: ModuleType) -> None:
    assert table.PAGE.read_text(encoding="utf-8") == table.page(), "run `make docs`"
