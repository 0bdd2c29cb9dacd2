"""What the site needs beside MkDocs, as its hooks: files outside of docs/, and commands to copy.

Links in the pages are those of the repository, so that they work where it is read. In the site a Markdown file that
is linked is a page, and any other file, or folder, a text beside the pages, under source/. The button at a `console`
block copies its commands, without prompts and output.
"""

from __future__ import annotations

import html
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
_CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CONSOLE_HTML = '<div class="language-console highlight">'
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


def on_page_content(content: str, page: Page, **_: object) -> str:
    """The page with what each button copies; Material looks for it in `data-copy`."""
    first, *blocks = content.split(_CONSOLE_HTML)
    texts = _CONSOLE.findall(page.markdown or "")
    assert len(texts) == len(blocks), f"{page.file.src_uri}: a console block that is none"
    head = _CONSOLE_HTML.removesuffix(">")
    return first + "".join(
        f'{head} data-copy="{html.escape(_commands(text))}">{block}'
        for text, block in zip(texts, blocks, strict=True)
    )


def _commands(block: str) -> str:
    """The commands of a terminal: lines after `$ `, continued after `> `; every other line is output."""
    return "".join(f"{line[2:]}\n" for line in block.splitlines() if line.startswith(("$ ", "> ")))


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
