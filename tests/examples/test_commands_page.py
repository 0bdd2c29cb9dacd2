"""docs/cli.md says what `--help` says."""

import runpy

from support.models import ROOT


def test_the_commands_page_is_what_make_docs_writes() -> None:
    written = runpy.run_path(str(ROOT / "docs" / "make_cli.py"))["text"]()
    assert (ROOT / "docs" / "cli.md").read_text(encoding="utf-8") == written, "run `make docs`"
