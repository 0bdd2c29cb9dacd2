"""What `bench` found, as bars for a person at a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from encoderfile.runtime.bench import Report
from encoderfile.runtime.tables import Cell, bar, table
from encoderfile.terminal import Screen


def picture(report: Report, screen: Screen) -> Iterator[str]:
    """Lines: texts a second and memory by setting, one text alone by threads, and the flags that are advised."""
    fastest, slowest = max(each.rate for each in report.found), max(report.alone.values())
    yield screen.styled(report.title, "bold")
    yield ""
    rows = [_head("threads", "tokens", "texts/s", "", "memory")]
    for each in report.found:
        style = "bold green" if each is report.advised else ""
        rows.append(
            [
                *(Cell(text, style, right=True) for text in (str(each.threads), str(each.batch_tokens))),
                Cell(f"{each.rate:.0f}", style, right=True),
                bar(each.rate / fastest, screen),
                Cell(f"{each.memory / 1e6:.0f} MB" if each.memory else ""),
            ]
        )
    yield from table(rows, screen)
    yield ""
    rows = [_head("threads", "one text", "")]
    for threads, seconds in report.alone.items():
        took = Cell(f"{1000 * seconds:.1f} ms", right=True)
        rows.append([Cell(str(threads), right=True), took, bar(seconds / slowest, screen)])
    yield from table(rows, screen)
    if report.warning:
        yield ""
        yield screen.styled(report.warning, "yellow")
    yield ""
    yield f"{screen.styled('best here:', 'dim')} {screen.styled(report.flags, 'bold green')}"


def _head(*names: str) -> list[Cell]:
    *numbers, last = names
    return [*(Cell(name, "dim", right=True) for name in numbers), Cell(last, "dim")]
