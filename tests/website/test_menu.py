"""The menu of the site has every page; `make site` finds dead entries too, but it is not run by `make test`."""

import re

from support.models import ROOT


def test_the_menu_has_every_page_of_the_documentation_once() -> None:
    menu = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:\n")[2]
    named = re.findall(r": (\S+\.md)$", menu, re.MULTILINE)
    pages = [path.relative_to(ROOT / "docs").as_posix() for path in ROOT.glob("docs/**/*.md")]
    others = ["CHANGELOG.md", *(path.relative_to(ROOT).as_posix() for path in ROOT.glob("examples/**/README.md"))]
    inner = [page for page in others if page.endswith("/model/README.md")]
    assert sorted(named) == sorted({*pages, *others} - {*inner})
