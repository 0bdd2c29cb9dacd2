"""The tables of the API pages' statements: each has tests, each test is there, and the page is the table."""

from pathlib import Path
from types import ModuleType

import pytest

from support.statements import found_in, load, named, unproved

TESTS = Path(__file__).parents[1]


@pytest.fixture(scope="module", params=["contract", "sie"])
def table(request: pytest.FixtureRequest) -> ModuleType:
    return load(TESTS / request.param / "statements.py")


def test_every_statement_is_proved_by_tests_that_exist(table: ModuleType) -> None:
    there = found_in(TESTS / folder for folder in table.FOLDERS)
    wanted = named(table.STATEMENTS)
    assert wanted - there.keys() == set()
    assert {test for test in wanted if len(there[test]) > 1} == set(), "several tests have this name"
    assert unproved(table.STATEMENTS) == []


def test_the_page_is_the_table(table: ModuleType) -> None:
    assert table.PAGE.read_text(encoding="utf-8") == table.page(), "run `make docs`"
