"""What `bench` found, as a picture for eyes and as lines that stay."""

import pytest

from encoderfile.runtime.bench import Measured, Report
from encoderfile.runtime.bench_picture import picture
from encoderfile.terminal import Screen


@pytest.fixture
def report(monkeypatch: pytest.MonkeyPatch) -> Report:
    monkeypatch.setattr("os.getloadavg", lambda: (0.0, 0.0, 0.0))
    found = [
        Measured(1, 256, [50.0, 60.0, 55.0], 100_000_000),
        Measured(2, 256, [90.0, 100.0, 98.0], 120_000_000),
        Measured(2, 512, [100.0, 99.0, 101.0]),
    ]
    return Report("cpu", [4, 180, 60], found, {1: 0.002, 2: 0.001})


def test_elsewhere_it_is_a_table_of_fixed_columns(report: Report) -> None:
    assert report.text().splitlines() == [
        "3 texts of 4 to 180 characters on cpu, medians of 3 rounds",
        "",
        "threads  max-batch-tokens  texts/s  least-most  one text alone",
        "      1               256       55       50-60          2.0 ms",
        "      2               256       98      90-100          1.0 ms",
        "      2               512      100      99-101          1.0 ms",
        "",
        "--threads 2 --max-batch-tokens 256",
    ]


def test_on_a_terminal_it_has_bars_and_memory(report: Report) -> None:
    assert list(picture(report, Screen(60))) == [
        "3 texts of 4 to 180 characters on cpu, medians of 3 rounds",
        "",
        "threads  tokens  texts/s              memory",
        "      1     256       55  ━━━━━╸      100 MB",
        "      2     256       98  ━━━━━━━━━━  120 MB",
        "      2     512      100  ━━━━━━━━━━",
        "",
        "threads  one text",
        "      1    2.0 ms  ━━━━━━━━━━",
        "      2    1.0 ms  ━━━━━",
        "",
        "best here: --threads 2 --max-batch-tokens 256",
    ]


def test_both_say_that_the_machine_is_busy(report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.getloadavg", lambda: (1000.0, 0.0, 0.0))
    assert "The machine is busy (load 1000.0" in report.text()
    assert any("The machine is busy (load 1000.0" in line for line in picture(report, Screen(60)))
