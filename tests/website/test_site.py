"""The site of the pages: whole, from a disk, without a network. `make site` builds it and runs this."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from support.models import ROOT

_SITE = os.environ.get("ENCODERFILE_TEST_SITE")
pytestmark = pytest.mark.skipif(not _SITE, reason="ENCODERFILE_TEST_SITE names no site: `make site`")
SITE = Path(_SITE or ".")
# 404.html is for web servers: its links begin at the root.
PAGES = sorted({str(path.relative_to(SITE)) for path in SITE.rglob("*.html")} - {"404.html"}) if _SITE else []


class Links(HTMLParser):
    """What a page loads, where it leads, and what its buttons copy."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.leads: list[str] = []
        self.copied: list[str] = []
        self.feed((SITE / page).read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if "data-copy" in found:
            self.copied.append(found["data-copy"])
        if "src" in found:
            self.loads.append(found["src"])
        if "href" in found:
            # prev and next are pages; every other link of the head is fetched.
            fetched = tag == "link" and found.get("rel") not in ("prev", "next", "canonical")
            (self.loads if fetched else self.leads).append(found["href"])


def missing(page: str, links: list[str]) -> Iterator[str]:
    """The links to files that are not in the site."""
    for link in links:
        parts = urlsplit(link)
        if not parts.scheme and not (SITE / page).parent.joinpath(unquote(parts.path)).exists():
            yield link


@pytest.mark.parametrize("page", PAGES)
def test_a_page_loads_only_what_is_in_the_site(page: str) -> None:
    loads = Links(page).loads
    assert loads, "at least a style sheet"
    assert [link for link in loads if urlsplit(link).netloc] == []
    assert list(missing(page, loads)) == []


def test_style_sheets_load_nothing_from_elsewhere() -> None:
    sheets = list(SITE.rglob("*.css"))
    assert sheets
    for sheet in sheets:
        assert re.findall(r"(?:url\(|@import)\s*['\"]?(?:https?:)?//[^)\s]+", sheet.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("page", PAGES)
def test_the_links_of_a_page_lead_to_files_of_the_site(page: str) -> None:
    assert list(missing(page, Links(page).leads)) == []


def test_every_page_of_the_documentation_is_in_the_site() -> None:
    pages = {path.relative_to(ROOT / "docs").with_suffix(".html") for path in ROOT.glob("docs/**/*.md")}
    assert {str(page) for page in pages} - {*PAGES} == set()


@pytest.mark.parametrize("name", ["build", "read_metadata", "EncoderfileBuilder"])
def test_the_python_page_has_the_docstrings(name: str) -> None:
    assert f'id="encoderfile.{name}"' in (SITE / "python-api.html").read_text(encoding="utf-8")


def test_a_button_copies_commands_without_prompts_and_output() -> None:
    first, search = Links("embed-a-corpus.html").copied
    assert first.startswith("encoderfile build examples/embed/model --name embed 2>log\ncat > corpus.jsonl <<END\n{")
    assert first.endswith("\nwc -l vectors.jsonl\n")
    assert search.startswith("cat > search.py <<END\nimport json\n")


def test_search_finds_a_page_from_a_disk(tmp_path: Path) -> None:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("needs chromium")
    command = [
        chromium,
        "--headless",
        "--no-sandbox",
        f"--user-data-dir={tmp_path}",
        "--host-resolver-rules=MAP * ~NOTFOUND",
    ]
    shown = subprocess.run(
        [*command, "--virtual-time-budget=10000", "--dump-dom", (SITE / "index.html").as_uri() + "?q=quantize"],
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    ).stdout
    assert re.search(r"\d+ matching documents", shown)
    assert re.search(r'<a href="[^"]*build\.html[^"]*" class="md-search-result__link"', shown)
