# SPDX-License-Identifier: Apache-2.0
"""Measure how long clients wait while the log cannot be written.

Run ``python -m tests.bench.log_recording [seconds]``. A daemon at the level full is asked at a
steady rate: with its day file free, held by another process for so many seconds, and free again.
Worker and client run before other work of the machine.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sqlite3
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from filterd.base.clock import SystemClock
from filterd.overrides.history.store import Store
from tests.support.commands import call
from tests.support.daemon import SOURCES, build_lists, free_port, noon, serving, write_site
from tests.support.upstream import FakeUpstream
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filterd.base.state_folder import StateFolder
    from tests.support.daemon import Served

A_SECOND, SECONDS = 500, 60
ROW = "{:<52}{:>10}\n"


class Waits(NamedTuple):
    """How long answers took, in milliseconds, and how many did not come."""

    median: float
    p99: float
    longest: float
    lost: int


def waits(folder: Path, seconds: int) -> Iterator[tuple[str, str]]:
    """Ask a daemon at full while its day file is free, held, and free again."""
    with FakeUpstream() as upstream:
        for number in range(100):
            upstream.add(f"n{number}.example. 3600 IN A 198.18.0.1")
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
            yield from waits_of("free", ask(port, seconds))
            with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
                other.execute("BEGIN EXCLUSIVE")
                yield from waits_of("held", ask(port, seconds))
                log = _log(served)
                other.execute("ROLLBACK")
            yield "rows waiting, lost after that", f"{log['rows_waiting']}, {log['rows_lost']}"
            yield from waits_of("free again", ask(port, seconds))


def workers(served: Served) -> list[int]:
    """Return the process IDs of the workers; the manager is the first child."""
    pid = served.process.pid
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return [int(child) for child in children[1:]]


def before_other_work(*pids: int) -> None:
    """Run processes before all others, where that is allowed: waits for a core prove nothing."""
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


def waits_of(when: str, found: Waits) -> Iterator[tuple[str, str]]:
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
    with tempfile.TemporaryDirectory() as folder:
        for what, figure in waits(Path(folder), seconds):
            sys.stdout.write(ROW.format(what, figure))
            sys.stdout.flush()


if __name__ == "__main__":
    main()
