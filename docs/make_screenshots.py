"""Makes the pictures of page.md: builds a file for each, serves it, and asks it in Chromium.

`make browser` installs what this needs. Models of tests/kinds have random weights: their pictures show the page, not
what a trained model finds.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"
CHROMIUM = "/usr/bin/chromium"
LARGEST = 120_000  # bytes
COLOURS = 128


class Picture(NamedTuple):
    """What is photographed."""

    name: str
    model: str
    mode: str = ""
    dark: bool = False
    open: str = ""
    """A part to open before."""
    texts: str = ""
    width: int = 1120
    path: str = "/"


PICTURES = [
    Picture("page-light", "examples/ner/model", texts="Angela Merkel met Barack Obama in Berlin."),
    Picture("page-sentiment", "examples/sentiment/model"),
    Picture(
        "page-tokens", "examples/ner/model", mode="labels", open="tokens", texts="Mary Shelley was born in London."
    ),
    Picture("page-embed", "examples/embed/model"),
    Picture("page-embed-dark", "examples/embed/model", dark=True),
    Picture("page-topics-dark", "examples/topics/model", dark=True),
    Picture("page-gliner", "tests/kinds/models/gliner-span"),
    Picture("page-colbert", "tests/kinds/models/colbert"),
    Picture("page-sparse", "tests/kinds/models/bge-m3", mode="sparse"),
    Picture("page-small", "examples/sentiment/model", width=360),
    Picture("page-docs", "examples/embed/model", path="/docs#post-v1-embeddings"),
]


def build(model: str, folder: Path) -> Path:
    """The built file of a model folder."""
    name = Path(model).parts[1] if model.startswith("examples") else Path(model).name
    path = folder / f"{name}.encoderfile"
    if not path.exists():
        command = [sys.executable, "-m", "encoderfile", "build", str(ROOT / model), "--name", name, "-o", str(path)]
        subprocess.run([*command, "--device", "cpu"], check=True, stderr=subprocess.DEVNULL)
    return path


@contextmanager
def served(path: Path) -> Iterator[str]:
    """Where the file answers."""
    command = [str(path), "serve", "--http-hostname", "127.0.0.1", "--http-port", "0", "--grpc-hostname", "127.0.0.1"]
    with subprocess.Popen([*command, "--grpc-port", "0"], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        lines = iter(process.stderr.readline, "")
        address = next(line.split(" on ")[1].strip() for line in lines if "HTTP on " in line)
        try:
            yield address
        finally:
            process.terminate()


def take(browser: Any, address: str, picture: Picture) -> None:
    """Asks what the page has filled in, and saves what it looks like then."""
    context = browser.new_context(
        viewport={"width": picture.width, "height": 720}, color_scheme="dark" if picture.dark else "light"
    )
    page = context.new_page()
    page.goto(address + picture.path)
    page.wait_for_selector("#main:not([hidden])")
    if picture.path == "/":
        ask(page, picture)
    else:
        try_route(page, picture.path.partition("#")[2])
    path = IMAGES / f"{picture.name}.png"
    pixels = page.screenshot(full_page=picture.path == "/")
    context.close()
    # With a palette it is a third as large, and looks the same.
    Image.open(BytesIO(pixels)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
    size = path.stat().st_size
    print(f"{path.relative_to(ROOT)}: {size / 1000:.0f} kB")
    if size > LARGEST:
        sys.exit(f"larger than {LARGEST / 1000:.0f} kB")


def ask(page: Any, picture: Picture) -> None:
    """Fills in what the picture wants, runs it, and waits for the answer."""
    if picture.mode:
        page.locator(f"#modes input[value={picture.mode}] + span").click()
    if picture.texts:
        page.locator(".texts textarea:visible").first.fill(picture.texts)
    page.click("#run")
    page.wait_for_selector("#results > *")
    if picture.open:
        page.click(f"#{picture.open} summary")
        page.wait_for_selector(f"#{picture.open} li")
    page.evaluate("document.activeElement.blur()")


def try_route(page: Any, name: str) -> None:
    """Sends the example of a route that the documentation has open."""
    page.click(f"#{name} .try button.main")
    page.wait_for_selector(f"#{name} .try pre:not([hidden]) + p:not([hidden])")
    page.locator(f"#{name}").evaluate("each => { each.scrollIntoView(); document.activeElement.blur(); }")


def main() -> None:
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for picture in PICTURES:
            with served(build(picture.model, Path(folder))) as address:
                take(browser, address, picture)


if __name__ == "__main__":
    main()
