"""Writes conformance.md and conformance-sie.md from the markers on the tests. Run by `make docs`; a test compares.

A test that proves what an API page says carries the marker

    @pytest.mark.proves("ENC GET /health", "The curl example", here="Where and why the answer differs.")

with the page and its section, and one or more statements. Several tests may prove one statement; `here` stands on
one of them.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

DOCS = Path(__file__).parent
TESTS = DOCS.parent / "tests"


class Page(NamedTuple):
    """One page to write. The sections are in the order of the API's own document."""

    file: str
    head: str
    sections: tuple[str, ...]


PAGES = {
    "ENC": Page(
        "conformance.md",
        """\
# The Encoderfile API, point by point

What the "API Reference" of encoderfile v0.7.0 says, in our words, and the tests that prove it here.
Written by `make docs` from the markers on these tests.
""",
        (
            "Overview",
            "HTTP",
            "GET /health",
            "GET /model",
            "GET /openapi.json",
            "POST /predict",
            "POST /predict, embedding",
            "POST /predict, sequence_classification",
            "POST /predict, token_classification",
            "gRPC",
            "MCP",
            "Errors",
            "Client examples",
            "Rate limiting and performance",
            "Beyond the page",
        ),
    ),
    "SIE": Page(
        "conformance-sie.md",
        """\
# SIE's API, point by point

What SIE's "HTTP API Reference" of 20 May 2026 says, as far as it applies to one model in one file, and the tests
that prove it here. Written by `make docs` from the markers on these tests.
""",
        (
            "Wire format",
            "POST /v1/encode/:model",
            "POST /v1/score/:model",
            "POST /v1/extract/:model",
            "GET /v1/models",
            "POST /v1/embeddings",
            "Health",
            "GET /metrics",
            "WebSocket /ws/status",
            "Errors",
            "Response headers",
        ),
    ),
}


class Statement:
    """What a page says, the tests that prove it, and how the answer differs here, if it does."""

    def __init__(self) -> None:
        self.tests: list[str] = []
        self.here = ""


def pages() -> dict[Path, str]:
    """The text of each page. ValueError for a marker that cannot be placed, or a section without a statement."""
    found = _collect()
    return {DOCS / page.file: _text(page, found[key]) for key, page in PAGES.items()}


def _collect() -> dict[str, dict[str, dict[str, Statement]]]:
    """Statements by page and section, each in the order of the test files."""
    found: dict[str, dict[str, dict[str, Statement]]] = {
        key: {section: {} for section in page.sections} for key, page in PAGES.items()
    }
    for path in sorted(TESTS.rglob("test_*.py")):
        for test in ast.parse(path.read_text(encoding="utf-8")).body:
            for reference, statements, here in _markers(test):
                key, _, section = reference.partition(" ")
                name = f"[`{test.name}`](../{path.relative_to(DOCS.parent)})"
                if section not in found.get(key, {}):
                    raise ValueError(f"{path}: no page has the section {reference!r}; name it in {__file__}")
                for words in statements:
                    statement = found[key][section].setdefault(words, Statement())
                    if here and statement.here not in ("", here):
                        raise ValueError(f"{path}: {words!r} differs in two ways: {statement.here!r} and {here!r}")
                    statement.tests.append(name)
                    statement.here = statement.here or here
    return found


def _markers(test: ast.stmt) -> Iterator[tuple[str, list[str], str]]:
    """Section, statements and `here` of each marker on a function; nothing for anything else."""
    if not isinstance(test, ast.FunctionDef | ast.AsyncFunctionDef):
        return
    for decorator in test.decorator_list:
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.proves":
            reference, *statements = (ast.literal_eval(argument) for argument in decorator.args)
            yield reference, statements, "".join(ast.literal_eval(each.value) for each in decorator.keywords)


def _text(page: Page, sections: dict[str, dict[str, Statement]]) -> str:
    lines = [page.head]
    for section, statements in sections.items():
        if not statements:
            raise ValueError(f"{page.file}: no test proves a statement of {section!r}")
        lines += [f"## {section}\n", "| the page | here | tests |", "|---|---|---|"]
        lines += [
            f"| {words} | {each.here or 'the same'} | {'<br>'.join(each.tests)} |"
            for words, each in statements.items()
        ]
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
