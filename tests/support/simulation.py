"""A server in simulated time: the real queue and scheduler on a machine whose costs are known."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from encoderfile.model.costs import Costs, Shape, timed
from encoderfile.service.queue import Entry, Queue, Request
from encoderfile.service.scheduler import Plan, Run, choose


@dataclass(frozen=True)
class Machine:
    """What a run costs: `fixed` seconds, and `token` seconds for each padded token on one thread."""

    cores: int
    fixed: float = 2e-3
    token: float = 2e-4
    scaling: float = 0.67
    """n threads compute n ** scaling times as fast as one."""

    def seconds(self, tokens: int, threads: int) -> float:
        return self.fixed + self.token * tokens / threads**self.scaling

    def timed(self) -> Costs:
        """What a server finds out about this machine when it opens instances."""

        def seconds(threads: int, shape: Shape) -> float:
            return self.seconds(math.prod(shape), threads)

        return timed(partial(seconds, self.cores), partial(seconds, 1), self.cores, range(1, 513))

    def plan(self, instances: int) -> Plan:
        """As `runtime/loading.py` has it for a model of 512 tokens."""
        tokens = max(1024, 512 * instances)
        return Plan(tokens, 1024, self.timed(), instances)


@dataclass(frozen=True)
class Client:
    """Sends one request after another, each when the one before is answered: the lengths of its texts."""

    requests: Sequence[Sequence[int]]
    begins_at: float = 0.0


@dataclass(eq=False)
class _Seen:
    """What is known of one request that waits."""

    client: int
    sent_at: float
    ahead: int
    """Others that waited when it came, or when a text of its own was last taken."""
    waiting: int
    """Its texts that wait."""
    passed: int = 0
    """Runs that have started since without it."""


@dataclass(eq=False)
class _Started:
    batch: list[Entry[range, None]]
    run: Run


@dataclass
class Report:
    """What happened."""

    seconds: float = 0.0
    latencies: list[list[float]] = field(default_factory=list)
    """Of each client, in order."""
    runs: list[Run] = field(default_factory=list)
    idle_while_waiting: float = 0.0
    """Seconds of cores that had nothing to do while something waited."""
    texts: int = 0


class Simulation:
    """Runs clients to their end, and looks at every step whether what was promised holds."""

    def __init__(self, machine: Machine, plan: Plan, clients: Sequence[Client]) -> None:
        self._machine, self._plan, self._clients = machine, plan, clients
        self._queue: Queue[range, None] = Queue(None)
        loop = asyncio.new_event_loop()
        self._done: asyncio.Future[list[None]] = loop.create_future()
        loop.close()
        self._events: list[tuple[float, int, object]] = []
        self._number = itertools.count()
        self._seen: dict[Request[range, None], _Seen] = {}
        self._started: list[_Started] = []
        self._ready: deque[_Started] = deque()
        self._executing: list[_Started] = []
        self._sent = [0] * len(clients)
        self._now = 0.0
        self.report = Report(latencies=[[] for _ in clients])

    def run(self) -> Report:
        """Everything answered."""
        for number, client in enumerate(self._clients):
            self._at(client.begins_at, number)
        while self._events:
            time = self._events[0][0]
            self._count_idle(time - self._now)
            self._now = time
            while self._events and self._events[0][0] == time:
                event = heapq.heappop(self._events)[2]
                if isinstance(event, _Started):
                    self._end(event)
                else:
                    assert isinstance(event, int)
                    self._send(event)
            self._start_runs()
        assert not self._seen, "every request is answered"
        assert len(self._queue) == 0
        self.report.seconds = self._now
        return self.report

    def _at(self, time: float, event: object) -> None:
        heapq.heappush(self._events, (time, next(self._number), event))

    def _send(self, client: int) -> None:
        lengths = self._clients[client].requests[self._sent[client]]
        self._sent[client] += 1
        request: Request[range, None] = Request(self._done, [], len(lengths), self._now)
        self._seen[request] = _Seen(client, self._now, len(self._waiting()), len(lengths))
        self._queue.add(request, [range(length) for length in lengths])
        self.report.texts += len(lengths)

    def _start_runs(self) -> None:
        while (waiting := self._queue.waiting) is not None:
            choice = choose(waiting, [each.run for each in self._started], self._plan)
            if choice is None:
                self._check_nothing_fits(waiting.lengths[waiting.turn], waiting.tokens)
                break
            started = _Started(self._queue.take(choice.places), choice.run)
            assert choice.run.tokens == len(started.batch) * max(entry.length for entry in started.batch)
            self._note_turns(started.batch)
            self._started.append(started)
            self._ready.append(started)
            self.report.runs.append(choice.run)
        self._execute()

    def _execute(self) -> None:
        """Each pool of threads takes what is ready in order."""
        while self._ready and len(self._executing) < (1 if self._ready[0].run.all_threads else self._plan.instances):
            started = self._ready.popleft()
            self._executing.append(started)
            threads = self._machine.cores if started.run.all_threads else 1
            self._at(self._now + self._machine.seconds(started.run.tokens, threads), started)
        tokens = [each.run.tokens for each in self._executing]
        alone = len(self._executing) == 1 and len(self._executing[0].batch) == 1
        assert sum(tokens) <= self._plan.max_tokens or alone, "memory is bounded, but for a text alone"
        if any(each.run.all_threads for each in self._executing):
            assert len(self._executing) == 1, "all threads are those of one run"

    def _end(self, started: _Started) -> None:
        self._started.remove(started)
        self._executing.remove(started)
        for entry in started.batch:
            entry.request.missing -= 1
            if entry.request.missing == 0:
                seen = self._seen.pop(entry.request)
                self.report.latencies[seen.client].append(self._now - seen.sent_at)
                if self._sent[seen.client] < len(self._clients[seen.client].requests):
                    self._at(self._now, seen.client)

    def _waiting(self) -> list[_Seen]:
        return [seen for seen in self._seen.values() if seen.waiting]

    def _note_turns(self, batch: Sequence[Entry[range, None]]) -> None:
        served = [self._seen[entry.request] for entry in batch]
        for seen in served:
            seen.waiting -= 1
        waiting = self._waiting()
        for seen in waiting:
            seen.passed += 1
        for seen in served:
            seen.passed, seen.ahead = 0, len(waiting) - 1
        assert all(seen.passed <= seen.ahead for seen in waiting), "no more runs than requests that came before it"

    def _check_nothing_fits(self, turn: int, waiting: int) -> None:
        """Nothing is held back but by runs that keep all cores busy, or for the sake of one that needs all."""
        plan, running = self._plan, [each.run for each in self._started]
        assert running, "something runs whenever something waits"
        if len(running) > plan.instances or any(run.all_threads for run in running):
            return
        work = waiting + sum(run.tokens for run in running)
        assert turn > plan.max_tokens // plan.instances or turn * plan.costs.speedup > work, "it fits and waits"

    def _count_idle(self, seconds: float) -> None:
        if len(self._queue) and not any(each.run.all_threads for each in self._executing):
            self.report.idle_while_waiting += seconds * (self._machine.cores - len(self._executing))


def simulate(machine: Machine, instances: int, clients: Sequence[Client], **wrong: float) -> Report:
    """What happens with so many instances; `wrong` replaces costs that were timed."""
    plan = machine.plan(instances)
    return Simulation(machine, replace(plan, costs=replace(plan.costs, **wrong)), clients).run()
