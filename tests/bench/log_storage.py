# SPDX-License-Identifier: Apache-2.0
"""Measure what a school day at the level ``full`` costs: CPU by step, octets on the disk.

Run ``python -m tests.bench.log_storage [--rows 1000000] [--folder .]``. The recorders of two
workers and the collector of the manager do their work in one process, from the chain's answer to
the row that is committed; the CPU is that of the whole process.

The folder must be on a disk, not in memory: octets written are those of ``/proc/self/io``. They
have neither the journal of the file system nor what the card itself adds.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import os
import random
import resource
import shutil
import sys
import tempfile
from collections import defaultdict
from dataclasses import replace
from datetime import date
from functools import partial
from itertools import accumulate, islice
from pathlib import Path
from time import process_time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple, cast
from unittest.mock import patch

from filterd.base.state_folder import StateFolder
from filterd.daemon.live_lookups import LiveSource
from filterd.daemon.manager.lookup_collector import LookupCollector
from filterd.daemon.serving.lookup_recorder import LookupRecorder
from filterd.daemon.worker_channel import Channel
from filterd.policy.log_levels import LogLevel, QueryLog
from filterd.policy.model import Client
from filterd.policy.verdict import PASSED, Action, Match, Rule, Verdict
from filterd.querylog.day_file import DayFiles
from filterd.querylog.day_schema import subtree
from filterd.querylog.lookups import WRITE_FROM, Lookup, LookupBatch, LookupContext
from filterd.querylog.pseudonyms import Pseudonyms
from filterd.resolve.query import Answer, Peer, Query, Source
from filterd.resolve.resolver import Resolver
from filterd.resolve.site import Site
from filterd.wire import name as names
from filterd.wire import parse_query
from tests.support import crew
from tests.support.clock import FakeClock
from tests.support.day_lookups import ZONE, begin_of
from tests.support.policies import a_grade, a_policy, an_index
from tests.support.serving import LISTS
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
    from socket import socket

    from filterd.daemon.worker_channel import Handlers

DAY = date(2026, 11, 27)
NAMES, DEVICES, CLASSES = 30_000, 400, 40
_FIRST_S, _LAST_S = 7 * 3600, 17 * 3600
_CATEGORIES = ("games", "social-media", "streaming", "ads-trackers", "proxy-vpn")
_TOPS = ("com", "net", "vn", "com.vn", "io", "edu.vn")
_HARM = {"harm": ("self-harm", "domains", True, ["harm.example"])}
STEPS = {
    "record": "record in the worker",
    "pack": "pack in the worker",
    "channel": "hand over: JSON, sockets, rounds",
    "read": "read in the manager",
    "count": "count the devices of its name",
    "write": "write and commit",
}


class Cost(NamedTuple):
    """Of a row: octets written and kept, CPU in microseconds by step."""

    written: float
    kept: float
    cpu_us: dict[str, float]


def lookups(rows: int, day: date = DAY, seed: int = 1) -> Iterator[Lookup]:
    """Yield lookups of a school day in the order of time: names by Zipf, a class a device."""
    dice = random.Random(seed)
    begins = begin_of(day)
    asked = [
        names.from_text(f"h{n % 7}.site-{n // 3}.{_TOPS[n // 3 % len(_TOPS)]}")
        for n in range(NAMES)
    ]
    weights = list(accumulate(1 / rank for rank in range(1, NAMES + 1)))
    devices = [dice.randrange(1, 2**31) for _ in range(DEVICES)]
    contexts = [[_context(number, name) for name in range(50)] for number in range(CLASSES)]
    for number in range(rows):
        (name,) = dice.choices(range(NAMES), cum_weights=weights)
        device = dice.randrange(DEVICES)
        context = contexts[device % CLASSES][name % 50]
        at = begins + _FIRST_S + number * (_LAST_S - _FIRST_S) // rows
        yield Lookup(at, asked[name], context, devices[device])


def _context(number: int, name: int) -> LookupContext:
    """Every fifth name is blocked."""
    grade, class_id, room = str(6 + number // 10), f"{6 + number // 10}A{number % 10}", f"r{number}"
    if name % 5:
        return LookupContext(grade, class_id, room, "", "pass")
    category = _CATEGORIES[name // 5 % len(_CATEGORIES)]
    return LookupContext(grade, class_id, room, category, "blocked", f"starter-{category}")


async def make_day(folder: Path, rows: int, day: date = DAY, seed: int = 1) -> None:
    """Write the file of a day, for any benchmark."""
    files, asked, number = DayFiles(folder, ZONE), lookups(rows, day, seed), 0
    while part := tuple(islice(asked, WRITE_FROM)):
        number += 1
        await files.write([LookupBatch("w", number, part)])
    await files.close()


class Meter:
    """The CPU seconds of steps; a step within another one is not part of it."""

    def __init__(self) -> None:
        self.seconds = defaultdict[str, float](float)
        self._step, self._since = "", process_time()

    @contextlib.contextmanager
    def at(self, step: str) -> Iterator[None]:
        """Time what is done within the block."""
        before = self._begin(step)
        try:
            yield
        finally:
            self._begin(before)

    @contextlib.contextmanager
    def dividing(self) -> Iterator[None]:
        """Time the steps that a collector's round consists of."""
        parts = (LookupBatch, "to_plain", "pack"), (LookupCollector, "_count_devices", "count")
        with contextlib.ExitStack() as patched:
            for owner, name, step in parts:
                work = partial(self._work, step, getattr(owner, name))
                patched.enter_context(patch.object(owner, name, lambda *a, w=work: w(*a)))
            read = staticmethod(partial(self._work, "read", LookupBatch.from_plain))
            patched.enter_context(patch.object(LookupBatch, "from_plain", read))
            for name in ("write", "add_seen"):
                waits = partial(self._wait, "write", getattr(DayFiles, name))
                patched.enter_context(patch.object(DayFiles, name, lambda *a, w=waits: w(*a)))
            yield

    def _work(self, step: str, work: Callable[..., Any], *given: Any) -> Any:
        with self.at(step):
            return work(*given)

    async def _wait(self, step: str, work: Callable[..., Awaitable[Any]], *given: Any) -> Any:
        with self.at(step):
            return await work(*given)

    def _begin(self, step: str) -> str:
        now, before = process_time(), self._step
        self.seconds[before] += now - self._since
        self._step, self._since = step, now
        return before


class Worker:
    """A worker that does nothing but record, behind its channel."""

    def __init__(self, end: socket, state: StateFolder, site: Site) -> None:
        is_own = partial(Resolver.is_own, cast("Any", SimpleNamespace(_own_mark=(1, b""))))
        self._clock = cast("Any", FakeClock())
        recorder = LookupRecorder(
            cast("Any", SimpleNamespace(observers=(), is_own=is_own)),
            Pseudonyms(state.log_key, ZONE),
            self._clock,
        )
        recorder.on_row = LiveSource(cast("Any", None), lambda: None).row
        recorder.apply(site, 0.0)
        self._saw = recorder.saw
        handlers: Handlers = {
            "lookups": recorder.lookups,
            "lookups_are_written": recorder.lookups_are_written,
        }
        self.channel = Channel(end, handlers)

    def set_clock(self, asked: Sequence[Lookup]) -> None:
        """Give each of some lookups its time, at no cost."""
        self._clock.wall = iter([float(one.at) for one in asked]).__next__

    def record(self, answers: Iterable[tuple[Query, Answer]]) -> None:
        """Record answers."""
        saw = self._saw
        for query, answer in answers:
            saw(query, answer)

    def stop_clock(self, at: int) -> None:
        """Stand still, as the rounds ask for the time as well."""
        self._clock.wall = partial(float, at)


class School(crew.Crew[Worker, LookupCollector]):
    """Two workers and a collector, with their state in a folder."""

    def __init__(self, folder: Path) -> None:
        self.meter, self._state = Meter(), StateFolder(folder)
        policy = replace(a_policy(), log=QueryLog(LogLevel.FULL))
        self._site = Site.of(policy, an_index(folder, {**LISTS, **_HARM}), policy.upstreams)
        self._clients, self._packets = dict[int, Client](), dict[bytes, bytes]()
        super().__init__()

    def _worker(self, end: socket) -> Worker:
        return Worker(end, self._state, self._site)

    def _collector(self, channels: list[Channel]) -> tuple[LookupCollector, Handlers]:
        page = SimpleNamespace(floor=0.0)
        setting: Any = SimpleNamespace(state=self._state, clock=FakeClock(), page=page)
        return LookupCollector(setting, channels, lambda: self._site), {}

    async def take(self, asked: Iterator[Lookup]) -> None:
        """Take all lookups from the answer to the row, ``WRITE_FROM`` at once."""
        gc.collect()
        gc.freeze()  # as the processes do
        with self.meter.dividing():
            while part := list(islice(asked, WRITE_FROM)):
                for number, worker in enumerate(self.workers):
                    gc.set_threshold(10_000)  # as in a worker
                    own = iter(part[number::2])
                    while few := list(islice(own, 50)):  # a worker has no more in its caches
                        answers = list(map(self._answered, few))
                        worker.set_clock(few)
                        with self.meter.at("record"):
                            worker.record(answers)
                    gc.set_threshold(10_000)
                    worker.stop_clock(part[-1].at)
                with self.meter.at("channel"):
                    await self.collector.collect()
            with self.meter.at("write"):
                await self.close()

    def _answered(self, lookup: Lookup) -> tuple[Query, Answer]:
        of, name = lookup.context, lookup.name
        if lookup.device not in self._clients:
            mac = lookup.device.to_bytes(6, "big").hex(":")
            grade = replace(a_grade(of.grade), class_id=of.class_id)
            self._clients[lookup.device] = Client(grade, of.network, "127.0.0.1", mac)
        if name not in self._packets:
            self._packets[name] = a_query(names.to_text(name))
        message, client = parse_query(self._packets[name]), self._clients[lookup.device]
        query = Query(message, Peer("127.0.0.1"), client, self._site)
        if not of.category:
            return query, Answer(Source.CACHED, PASSED)
        match = Match(Rule.CATEGORY, True, name, category=of.category, list_id=of.blocker)
        return query, Answer(Source.BLOCKED, Verdict(Action.NXDOMAIN, match))


def measure(folder: Path, rows: int) -> Cost:
    """Take a day into an empty folder, and return what a row has cost."""

    async def whole() -> dict[str, float]:
        school = School(folder)
        await school.take(lookups(rows))
        return school.meter.seconds

    folder.mkdir()
    before = _written()
    seconds = asyncio.run(whole())
    os.sync()
    kept = sum(one.stat().st_size for one in StateFolder(folder).log_days.iterdir())
    each = {step: seconds[step] * 1e6 / rows for step in STEPS}
    return Cost((_written() - before) / rows, kept / rows, each)


async def forget(folder: Path) -> tuple[int, float]:
    """Forget one name of the day; return rows and CPU seconds."""
    files, start = DayFiles(StateFolder(folder).log_days, ZONE), process_time()
    found = await files.forget_names(subtree(names.from_text("site-0.com")))
    await files.close()
    return found.rows, process_time() - start


def _written() -> int:
    """Return the octets that this process has sent to disks."""
    lines = Path("/proc/self/io").read_text(encoding="ascii").splitlines()
    return int(dict(line.split(": ") for line in lines)["write_bytes"])


def main(arguments: Sequence[str] | None = None) -> None:
    """Print octets and CPU of a row, megabytes of a day, and the cost of forgetting a name."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, default=Path.cwd())
    given = parser.parse_args(arguments)
    folder = Path(tempfile.mkdtemp(dir=given.folder)) / "state"
    out = sys.stdout.write
    try:
        cost = measure(folder, given.rows)
        out(f"rows {given.rows:,}, {NAMES:,} names, {DEVICES} devices, {WRITE_FROM} a write\n")
        out(f"a row: written {cost.written:.0f} octets, kept {cost.kept:.1f} octets, ")
        out(f"CPU {sum(cost.cpu_us.values()):.2f} us\n")
        for step, title in STEPS.items():
            out(f"    {title:<36}{cost.cpu_us[step]:6.2f} us\n")
        megabytes = (each * given.rows / 1e6 for each in (cost.written, cost.kept))
        out("the day: written {:.0f} MB, kept {:.0f} MB\n".format(*megabytes))
        out("forgetting {:,} rows: {:.1f} s of CPU\n".format(*asyncio.run(forget(folder))))
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        out(f"largest memory {memory:.0f} MB, with the made-up names\n")
    finally:
        shutil.rmtree(folder.parent)


if __name__ == "__main__":
    main()
