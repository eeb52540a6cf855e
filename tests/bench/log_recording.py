# SPDX-License-Identifier: Apache-2.0
"""Measure what recording costs, and how long clients wait while the log cannot be written.

Run ``python -m tests.bench.log_recording [seconds]``. First the CPU time of a lookup from
its answer to its row. Then a daemon at the level full is asked at a steady rate: with its day file
free, held by another process for so many seconds, and free again. Worker and client run before
other work of the machine.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import socket
import sqlite3
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from time import process_time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple, cast
from zoneinfo import ZoneInfo

from filterd.clock import SystemClock
from filterd.daemon.lookup_recorder import LookupRecorder
from filterd.overrides.store import Store
from filterd.policy.log_levels import LogLevel, QueryLog
from filterd.policy.model import UpstreamServer
from filterd.querylog.day_file import DayFiles
from filterd.querylog.lookups import LookupBatch
from filterd.querylog.pseudonyms import Pseudonyms
from filterd.querylog.seen_names import SeenNames
from filterd.resolve.query import Answer, Peer, Query, Source
from filterd.resolve.site import Site
from filterd.wire import parse_query
from tests.support.commands import call
from tests.support.daemon import SOURCES, build_lists, free_port, noon, serving, write_site
from tests.support.policies import a_policy, an_index
from tests.support.serving import LISTS, NETWORKS
from tests.support.upstream import FakeUpstream
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filterd.state_folder import StateFolder
    from tests.support.daemon import Served

LOOKUPS, NAMES, DEVICES = 40_000, 3_000, 250
HARM = {"harm": ("self-harm", "domains", True, ["harm.example"])}
A_SECOND, SECONDS = 500, 60
ROW = "{:<52}{:>10}\n"


class Waits(NamedTuple):
    """How long answers took, in milliseconds, and how many did not come."""

    median: float
    p99: float
    longest: float
    lost: int


def costs(folder: Path) -> Iterator[tuple[str, str]]:
    """Measure the parts of the way from an answer to a row."""
    gc.set_threshold(10_000)
    index = an_index(folder, {**LISTS, **HARM})
    for level in (LogLevel.NAMES, LogLevel.BLOCKED, LogLevel.FULL):
        policy = a_policy(networks=NETWORKS)
        object.__setattr__(policy, "log", QueryLog(level))
        site = Site.of(policy, index, (UpstreamServer("192.0.2.53"),))
        recorder = a_recorder(folder, site)
        answers = list(some_answers(site))
        gc.collect()
        gc.freeze()  # as a worker does
        began = process_time()
        for query, answer in answers:
            recorder.saw(query, answer)
        each = (process_time() - began) / LOOKUPS
        yield f"record a lookup at {level}, us", f"{each * 1e6:.2f}"
    packets, handing = handed_over(recorder)
    yield "hand over a row: worker, us", f"{handing:.2f}"
    yield from asyncio.run(written(folder, packets))


def a_recorder(folder: Path, site: Site) -> LookupRecorder:
    """Return a recorder of a site that no resolver has."""
    resolver = cast("Any", SimpleNamespace(observers=(), is_own=lambda _: False))
    pseudonyms = Pseudonyms(folder / "log-key", ZoneInfo("Asia/Ho_Chi_Minh"))
    recorder = LookupRecorder(resolver, pseudonyms, SystemClock())
    recorder.apply(site, 0.0)
    return recorder


def some_answers(site: Site) -> Iterator[tuple[Query, Answer]]:
    """Yield answers to devices of a class, one in ten blocked."""
    for number in range(LOOKUPS):
        address = f"127.0.11.{1 + number * 7 % DEVICES}"
        client = site.identifier.identify(address)
        assert client is not None
        name = f"n{number * number % NAMES}.{'porn' if number % 10 == 0 else 'plain'}.example"
        query = Query(parse_query(a_query(name)), Peer(address), client, site)
        verdict = site.engine.decide(client, query.qname, 1, 0)
        yield query, Answer(Source.BLOCKED if verdict.blocked else Source.CACHED, verdict)


def handed_over(recorder: LookupRecorder) -> tuple[list[bytes], float]:
    """Return the packets of all that is recorded, and the CPU time of a row in microseconds."""
    packets, began, rows = list[bytes](), process_time(), len(recorder.queue)
    while True:
        batch = recorder.queue.take(recorder.queue._name, after=len(packets))
        if not batch.lookups:
            return packets, (process_time() - began) / rows * 1e6
        packets.append(json.dumps(batch.to_plain()).encode())


async def written(folder: Path, packets: list[bytes]) -> list[tuple[str, str]]:
    """Measure the manager's part."""
    files, seen = DayFiles(folder / "log", ZoneInfo("Asia/Ho_Chi_Minh")), SeenNames(5)
    began = process_time()
    batches = [LookupBatch.from_plain(json.loads(packet)) for packet in packets]
    read = process_time()
    for batch in batches:
        for one in batch.lookups:
            seen.add("2026-11-28", one)
    counted = process_time()
    for first in range(0, len(batches), 10):
        await files.write(batches[first : first + 10])
    ended = process_time()
    await files.close()
    rows = sum(len(batch.lookups) for batch in batches)
    return [
        ("read a row in the manager, us", f"{(read - began) / rows * 1e6:.2f}"),
        ("count the devices of its name, us", f"{(counted - read) / rows * 1e6:.2f}"),
        ("write a row, us", f"{(ended - counted) / rows * 1e6:.2f}"),
    ]


def waits(folder: Path, seconds: int) -> Iterator[tuple[str, str]]:
    """Ask a daemon at full while its day file is free, held, and free again."""
    with FakeUpstream() as upstream:
        for number in range(100):
            upstream.add(f"n{number}.example. 3600 IN A 192.0.2.1")
        port, zone = free_port(), noon()
        limit = "{queries_a_second: 100000, burst: 100000}"  # one client asks for a whole school
        more = f"workers: 1\ntime_zone: {zone}\nrate_limit: {limit}\n"
        config = write_site(folder / "site", port=port, upstream=upstream.port, more=more)
        state = build_lists(config, folder / "state")
        confirm_full(state)
        today = datetime.fromtimestamp(SystemClock().wall(), zone).date().isoformat()
        with serving(config, state.folder) as served:
            before_other_work(0, *workers(served))
            ask(port, 10)  # fills the cache
            path = state.log_days / f"{today}.sqlite3"
            assert _log(served)["level"]
            while not path.exists():
                ask(port, 5)
            yield from told("free", ask(port, seconds))
            with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
                other.execute("BEGIN EXCLUSIVE")
                yield from told("held", ask(port, seconds))
                log = _log(served)
                other.execute("ROLLBACK")
            yield "rows waiting, lost after that", f"{log['rows_waiting']}, {log['rows_lost']}"
            yield from told("free again", ask(port, seconds))


def workers(served: Served) -> list[int]:
    """Return the process IDs of the workers; the manager is the first child."""
    pid = served.process.pid
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return [int(child) for child in children[1:]]


def before_other_work(*pids: int) -> None:
    """Run processes before all others, where that is allowed: waits for a core say nothing."""
    for pid in pids:
        with contextlib.suppress(PermissionError):
            os.sched_setscheduler(pid, os.SCHED_FIFO, os.sched_param(10))


def confirm_full(state: StateFolder) -> None:
    """Set the level full for all tiers, and have a second person confirm it."""
    store = Store(state, SystemClock())
    store.start()
    full = {"level": "full", "ends_at": SystemClock().wall() + 6 * 3600}
    store.change("log-level", full, author="lan", reason="đo")
    store.change("log-confirm", {"id": 1}, author="minh", reason="đo")


def _log(served: Served) -> dict[str, Any]:
    log: dict[str, Any] = json.loads(call("status", "--json", *served.options).out)["log"]
    return log


def told(when: str, found: Waits) -> Iterator[tuple[str, str]]:
    """Yield the rows of some waits."""
    yield f"file {when}: median wait, ms", f"{found.median:.2f}"
    yield f"file {when}: 99 of 100 within, ms", f"{found.p99:.2f}"
    yield f"file {when}: longest wait, ms", f"{found.longest:.1f}"
    yield f"file {when}: not answered", str(found.lost)


def ask(port: int, seconds: int) -> Waits:
    """Ask names of a cache at a steady rate; one in ten is blocked."""
    clock, found, asked = time.perf_counter, list[float](), dict[bytes, float]()
    count, number = seconds * A_SECOND, 0
    with socket.socket(type=socket.SOCK_DGRAM) as stub:
        stub.bind((SOURCES["11"], 0))
        stub.connect(("127.0.0.1", port))
        began = clock()
        while number < count or (asked and clock() < began + seconds + 2):
            due_in = began + number / A_SECOND - clock()
            if number < count and due_in <= 0:
                name = f"n{number % 100}.example" if number % 10 else "www.pornhub.com"
                query = a_query(name, message_id=number % 65_536, edns=False)
                asked[query[:2]] = clock()
                stub.send(query)
                number += 1
                continue
            stub.settimeout(max(due_in, 0.0005))
            with contextlib.suppress(TimeoutError):
                sent_at = asked.pop(stub.recv(4096)[:2], None)
                if sent_at is not None:
                    found.append(1000 * (clock() - sent_at))
    found.sort()
    return Waits(found[len(found) // 2], found[len(found) * 99 // 100], found[-1], len(asked))


def main() -> None:
    """Measure and print."""
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    for measure in (costs, lambda folder: waits(folder, seconds)):
        with tempfile.TemporaryDirectory() as folder:
            for what, figure in measure(Path(folder)):
                sys.stdout.write(ROW.format(what, figure))
                sys.stdout.flush()


if __name__ == "__main__":
    main()
