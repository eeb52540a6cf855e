# SPDX-License-Identifier: Apache-2.0
"""Run for long with an unreliable upstream, and look for growth.

Run ``make soak`` (``SOAK_MINUTES=240`` for four hours). A real daemon gets a mix of
blocked, popular, unique, failing and TCP questions at a steady pace, while its upstream
answers for 20 s and is silent for 10. Memory (of all processes together, shared pages
once), descriptors and threads are sampled; a straight line is fitted through the memory
after the cache has filled.
"""

from __future__ import annotations

import os
import random
import re
import select
import signal
import socket
import statistics
import sys
import tempfile
import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter, sleep
from typing import TYPE_CHECKING

from tests.support.commands import call
from tests.support.daemon import SOURCES, build_lists, free_port, serving, write_site
from tests.support.echo import Echo
from tests.support.wire import a_query

if TYPE_CHECKING:
    from tests.support.daemon import Served

MINUTES = float(os.environ.get("SOAK_MINUTES", "30"))
QUERIES_A_SECOND = int(os.environ.get("SOAK_RATE", "400"))
UP_S, DOWN_S = 20.0, 10.0
SAMPLE_S = 5.0
WARM_UP = 1 / 4
"""The part of the run in which the cache and the allocator find their level."""
RELOAD_S = 60.0
SITE = "cache_size_mb: 2\nworkers: 2\nrate_limit: {queries_a_second: 100000, burst: 100000}\n"

POPULAR = [a_query(f"popular{n}.example.com") for n in range(200)]
BLOCKED = [a_query(name) for name in ("www.tiktok.com", "www.pornhub.com", "m.facebook.com")]


@dataclass
class Sample:
    """What all processes of the daemon hold."""

    at_s: float
    octets: int
    descriptors: int
    threads: int


@dataclass
class Fared:
    """What the clients saw."""

    asked: int = 0
    answered: int = 0
    by_tcp: int = 0
    unfiltered: int = 0
    rcodes: Counter[int] = field(default_factory=Counter)


class Load:
    """Asks at a steady pace in a thread of its own while the block runs."""

    def __init__(self, port: int) -> None:
        self._server, self.fared = ("127.0.0.1", port), Fared()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._blocked_ids: set[int] = set()

    def __enter__(self) -> Fared:
        self._thread.start()
        return self.fared

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        rng, number, pause_s = random.Random(3), 0, 10 / QUERIES_A_SECOND
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stub:
            stub.bind((SOURCES["3"], 0))
            stub.connect(self._server)
            while not self._stopping.wait(pause_s):
                for _ in range(10):
                    number += 1
                    self._ask(stub, number, rng)
                if not number % 1_000:
                    self._ask_by_tcp()
                self._collect(stub)
            sleep(5)  # what waits for the upstream gets its SERVFAIL
            self._collect(stub)

    def _ask(self, stub: socket.socket, number: int, rng: random.Random) -> None:
        kind, message_id = rng.random(), number & 0xFFFF
        self._blocked_ids.discard(message_id)
        if kind < 0.25:
            query = rng.choice(BLOCKED)
            self._blocked_ids.add(message_id)
        elif kind < 0.85:
            query = rng.choice(POPULAR)
        else:
            query = a_query(f"u{number}.example.net")
        stub.send(message_id.to_bytes(2) + query[2:])
        self.fared.asked += 1

    def _collect(self, stub: socket.socket) -> None:
        while select.select([stub], [], [], 0)[0]:
            answer = stub.recv(4096)
            self.fared.answered += 1
            self.fared.rcodes[answer[3] & 0xF] += 1
            if int.from_bytes(answer[:2]) in self._blocked_ids and answer[6:8] != b"\0\0":
                self.fared.unfiltered += 1

    def _ask_by_tcp(self) -> None:
        query = BLOCKED[0]
        with socket.create_connection(self._server, 5, (SOURCES["3"], 0)) as connection:
            connection.sendall(len(query).to_bytes(2) + query)
            self.fared.by_tcp += bool(connection.recv(4096))


class Flapping:
    """Stops and continues an upstream while the block runs."""

    def __init__(self, upstream: Echo) -> None:
        self._upstream, self._stopping = upstream, threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        times = self._upstream.times
        while not self._stopping.wait(UP_S):
            self._upstream.times = lambda _: 0
            self._stopping.wait(DOWN_S)
            self._upstream.times = times


def main() -> None:
    """Run, print a line every minute and the figures at the end."""
    with tempfile.TemporaryDirectory() as folder, Echo() as upstream:
        port = free_port()
        config = write_site(
            Path(folder, "site"), port=port, upstream=upstream.address[1], more=SITE
        )
        state = build_lists(config, Path(folder, "state")).folder
        with serving(config, state) as served:
            with Load(port) as fared, Flapping(upstream):
                samples = _watch(served, fared)
            _report(samples, fared)
            served.end(signal.SIGTERM)


def _watch(served: Served, fared: Fared) -> list[Sample]:
    samples, start = [], perf_counter()
    next_line_s = next_reload_s = RELOAD_S
    while (at_s := perf_counter() - start) < 60 * MINUTES:
        samples.append(_sample(served.process.pid, at_s))
        if at_s >= next_reload_s:
            next_reload_s += RELOAD_S
            assert call("reload", *served.options).code == 0
        if at_s >= next_line_s:
            next_line_s += 60
            _say(f"{at_s / 60:5.0f} min  {samples[-1].octets / 1e6:6.1f} MB  {fared.asked} asked")
        sleep(SAMPLE_S)
    return samples


def _sample(pid: int, at_s: float) -> Sample:
    pids = [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]
    octets = sum(_field(one, "smaps_rollup", "Pss") for one in pids) * 1024
    descriptors = sum(len(list(Path(f"/proc/{one}/fd").iterdir())) for one in pids)
    threads = sum(_field(one, "status", "Threads") for one in pids)
    return Sample(at_s, octets, descriptors, threads)


def _field(pid: int, file: str, name: str) -> int:
    text = Path(f"/proc/{pid}/{file}").read_text()
    found = re.search(rf"^{name}:\s+(\d+)", text, re.MULTILINE)
    return int(found[1]) if found else 0


def _report(samples: list[Sample], fared: Fared) -> None:
    settled = samples[int(len(samples) * WARM_UP) :]
    times = [one.at_s / 3600 for one in settled]
    memory, _ = statistics.linear_regression(times, [one.octets / 1e6 for one in settled])
    descriptors, _ = statistics.linear_regression(times, [one.descriptors for one in settled])
    first, last = settled[0], settled[-1]
    _say(f"memory        {memory:+.2f} MB an hour ({first.octets / 1e6:.1f} to")
    _say(f"              {last.octets / 1e6:.1f} MB in {(last.at_s - first.at_s) / 60:.0f} min)")
    _say(f"descriptors   {descriptors:+.1f} an hour ({first.descriptors} to {last.descriptors})")
    _say(f"threads       {first.threads} to {last.threads}")
    _say(f"asked         {fared.asked}, unanswered {fared.asked - fared.answered}")
    _say(f"by TCP        {fared.by_tcp}")
    _say(f"codes         {dict(sorted(fared.rcodes.items()))}")
    _say(f"unfiltered    {fared.unfiltered}")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
