"""Long work of the event loop yields to it."""

import asyncio
from collections.abc import Iterator

import pytest

from encoderfile.service import cooperative
from encoderfile.service.cooperative import cooperatively
from support.loop import in_loop


class Clock:
    """Goes on by `step` seconds whenever it is read."""

    def __init__(self, step: float) -> None:
        self._now, self._step = 0.0, step

    def perf_counter(self) -> float:
        self._now += self._step
        return self._now


@pytest.mark.parametrize(("seconds", "let_others"), [(1.0, True), (1e-9, False)])
@in_loop
async def test_others_run_between_items_that_take_long(
    seconds: float, let_others: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cooperative, "time", Clock(seconds))
    ran = 0

    async def other() -> None:
        nonlocal ran
        while True:
            ran += 1
            await asyncio.sleep(0)

    def items() -> Iterator[int]:
        for _ in range(3):
            yield ran

    task = asyncio.create_task(other())
    seen = await cooperatively(items())
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert [ran > 0 for ran in seen[1:]] == [let_others] * 2


@in_loop
async def test_items_come_in_order() -> None:
    assert await cooperatively(iter("abc")) == ["a", "b", "c"]
    assert await cooperatively([]) == []
