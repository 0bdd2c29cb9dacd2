"""Every command that a page shows in a `console` block runs and gives what the page says."""

import re
from pathlib import Path

import pytest

from support.console import Console, differs, steps
from support.example_files import checkout
from support.models import ROOT

TEXTS = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for pattern in ("*.md", "docs/*.md", "examples/README.md", "examples/*/README.md", "examples/*/model/README.md")
    for path in sorted(ROOT.glob(pattern))
}
PAGES = [page for page, text in TEXTS.items() if "```console" in text]

STAND_INS = {
    # test_demo.py holds that this is what `make demo` runs.
    "make demo": ".venv/bin/python examples/demo.py",
    # We are in the middle of it.
    "make test": "true",
    # optimum is not installed here; the demonstration models are what it writes.
    "optimum-cli export onnx --model distilbert/distilbert-base-uncased-finetuned-sst-2-english my-model": (
        "cp -r examples/sentiment/model my-model"
    ),
}


@pytest.mark.proves(
    "ENC Overview", "HTTP on port 8080 unless told otherwise", "gRPC on port 50051 unless told otherwise"
)
@pytest.mark.proves("ENC GET /health", "The curl example")
@pytest.mark.proves("ENC GET /model", "The curl example and its answer")
@pytest.mark.proves("ENC gRPC", "The grpcurl examples, for every service")
@pytest.mark.file
@pytest.mark.parametrize("page", PAGES)
def test_the_commands_of_a_page_give_what_the_page_says(page: str, tmp_path: Path) -> None:
    console = Console(checkout(tmp_path), STAND_INS)
    console.follow(TEXTS[page])
    if console.missing:
        pytest.skip(f"all but the commands that need {', '.join(sorted(console.missing))} ran")


@pytest.mark.parametrize("page", TEXTS)
def test_the_links_of_a_page_lead_somewhere(page: str) -> None:
    dead = []
    for link in re.findall(r"\]\((?!https?:)([^)]+)\)", TEXTS[page]):
        name, _, anchor = link.partition("#")
        path = (ROOT / page).parent / name if name else ROOT / page
        if not path.exists() or (anchor and anchor not in anchors(path)):
            dead.append(link)
    assert dead == []


def anchors(page: Path) -> set[str]:
    """The anchors that a page's headings get."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_a_console_block_is_read_as_commands_and_their_output() -> None:
    page = "text\n```console\n$ one\nout\n$ two <<END\n> line\n> END\n$ three\n```\n```sh\n$ four\n```\n"
    assert [(step.command, step.output) for step in steps(page)] == [
        ("one", "out"),
        ("two <<END\nline\nEND", ""),
        ("three", ""),
    ]


def test_times_and_sizes_may_differ_and_numbers_a_little() -> None:
    said = "2026-01-02 03:04:05,678 INFO done in 1.6 s: 67.7 MB, score 0.9709 ... end"
    assert (
        differs(said, "2027-11-12 13:14:15,006 INFO done in 12 s: 6.7 MB, score 0.97094 and so on\nto the end")
        is None
    )
    assert differs("score 0.9709", "score 0.9609") is not None
    assert differs("score 0.9709", "score none") is not None
    assert differs("one\n...\nthree", "one\ntwo\nthree") is None
    assert differs("one\n...\nthree", "one\nthree") is None
    assert differs("one\n...\nthree", "one\ntwo") is not None
