"""Pages and files outside of docs/ in the site: a hook of MkDocs, which knows docs/ alone.

Links in the pages are those of the repository, so that they work where it is read. In the site a Markdown file that
is linked is a page, and any other file, or folder, a text beside the pages, under source/.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

DOCS = Path(__file__).parent
ROOT = DOCS.parent

_LINK = re.compile(r"(?<=\]\()(?!\w+:|#)([^)#\s]+)")
_FENCE = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds what pages link to, from page to page; the change log stands in the menu."""
    todo = [f"docs/{each.src_uri}" for each in files.documentation_pages()] + ["CHANGELOG.md", "examples/README.md"]
    seen = set(todo)
    for path in todo:  # which grows
        if not path.startswith("docs/"):
            files.append(File.generated(config, path, content=(ROOT / path).read_text(encoding="utf-8")))
        for target in _targets(path):
            if target in seen or target.startswith("docs/"):
                continue
            seen.add(target)
            if target.endswith(".md"):
                todo.append(target)
            else:
                files.append(File.generated(config, _uri(target), content=_text(ROOT / target)))
    return files


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """The page with the links of the site."""
    uri = page.file.src_uri
    path = f"docs/{uri}" if (DOCS / uri).exists() else uri

    def link(match: re.Match[str]) -> str:
        return posixpath.relpath(_uri(_target(path, match[1])), posixpath.dirname(uri) or ".")

    parts = _FENCE.split(markdown)
    parts[::2] = [_LINK.sub(link, part) for part in parts[::2]]
    return "".join(parts)


def _targets(path: str) -> Iterator[str]:
    """What a page links to, as paths in the repository."""
    text = _FENCE.sub("", (ROOT / path).read_text(encoding="utf-8"))
    return (_target(path, match[1]) for match in _LINK.finditer(text))


def _target(path: str, link: str) -> str:
    """The file or folder that a link means; for a folder with a page of its own, that page."""
    target = posixpath.normpath(posixpath.join(posixpath.dirname(path), link))
    page = posixpath.join(target, "README.md")
    return page if (ROOT / page).exists() else target


def _uri(target: str) -> str:
    """Where it is in the site."""
    if target.startswith("docs/"):
        return target.removeprefix("docs/")
    return target if target.endswith(".md") else f"source/{target}.txt"


def _text(path: Path) -> str:
    """A file as it is; of a folder its files, each under its name."""
    if path.is_file():
        return path.read_text(encoding="utf-8")
    files = [each for each in sorted(path.rglob("*")) if each.is_file()]
    return "\n".join(f"{each.relative_to(path)}\n\n{each.read_text(encoding='utf-8')}" for each in files)
