"""The pages in Debian's Chromium, at servers of each model type: `make browser`."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = "/usr/bin/chromium"


@pytest.fixture(scope="session")
def tools() -> Path:
    """The folder with what `make browser` fetched."""
    folder = os.environ.get("ENCODERFILE_TEST_BROWSER")
    if not folder:
        pytest.skip("ENCODERFILE_TEST_BROWSER is not set: run `make browser`")
    return Path(folder)


@pytest.fixture(scope="session")
def axe(tools: Path) -> str:
    """The script that checks a page's accessibility. https://github.com/dequelabs/axe-core"""
    return (tools / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def chromium(tools: Path) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


class Pages:
    """Opens pages, and notes whatever goes wrong in them."""

    def __init__(self, chromium: Any) -> None:
        self._chromium = chromium
        self._contexts: list[Any] = []
        self.faults: list[str] = []
        """Errors of scripts, breaches of the policy, requests to others; a test may take away what it expects."""

    def open(
        self, url: str, path: str = "/", *, width: int = 1280, dark: bool = False, script: str = "", **options: Any
    ) -> Any:
        """The page, once it has its model, asks for a key or says what is wrong. `script` runs before its own."""
        scheme = "dark" if dark else "light"
        context = self._chromium.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce", **options
        )
        context.set_default_timeout(20_000)
        self._contexts.append(context)
        context.add_init_script(script)
        page = context.new_page()
        page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        page.on("console", lambda message: self._note(message.type, message.text))
        page.on("request", lambda request: self._check(request.url, url))
        page.goto(url + path)
        page.wait_for_selector(
            "#main:not([hidden]), #ask-key:not([hidden]), #trouble:not([hidden]), #error:not(:empty)"
        )
        return page

    def _note(self, kind: str, text: str) -> None:
        # A refusal is the server's to make and the page's to show.
        if kind in ("error", "warning") and not text.startswith("Failed to load resource: the server responded"):
            self.faults.append(f"{kind}: {text}")

    def _check(self, asked: str, url: str) -> None:
        if not asked.startswith((url, "blob:", "data:")):
            self.faults.append(f"request to {asked}")

    def close(self) -> None:
        for each in self._contexts:
            each.close()


@pytest.fixture
def pages(chromium: Any) -> Iterator[Pages]:
    """Fails the test for any fault of a page."""
    found = Pages(chromium)
    yield found
    found.close()
    assert found.faults == []
