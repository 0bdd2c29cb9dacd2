"""The pages that `make docs` writes are up to date."""

import runpy

import pytest

from support.models import ROOT

DOCS = ROOT / "docs"


@pytest.mark.proves("ENC Beyond the page", "Commands, flags and their variables", here="[cli.md](cli.md)")
def test_the_commands_page_is_what_help_prints() -> None:
    written = runpy.run_path(str(DOCS / "make_cli.py"))["text"]()
    assert (DOCS / "cli.md").read_text(encoding="utf-8") == written, "run `make docs`"


def test_the_conformance_pages_are_what_the_markers_say_and_no_section_is_without_a_test() -> None:
    written = runpy.run_path(str(DOCS / "make_conformance.py"))["pages"]()
    assert {path: path.read_text(encoding="utf-8") for path in written} == written, "run `make docs`"


def test_the_clients_page_is_what_the_table_of_their_tests_says() -> None:
    written = runpy.run_path(str(DOCS / "make_clients.py"))["text"]()
    assert (DOCS / "clients.md").read_text(encoding="utf-8") == written, "run `make docs`"


def test_the_pages_of_routes_are_what_the_documents_of_every_kind_and_the_proto_files_say() -> None:
    written = runpy.run_path(str(DOCS / "make_api.py"))["pages"]()
    assert {path: path.read_text(encoding="utf-8") for path in written} == written, "run `make docs`"
