# SPDX-License-Identifier: Apache-2.0
"""Measure the service of others while TCP connections are held and abused.

Run ``python -m tests.bench.tcp_abuse``; it needs two cores and takes a minute. The daemon
has a core of its own. 300 connections send an octet a second, 50 ask for large answers
and read none: first each of them once, then again and again.
"""

from __future__ import annotations

import os
import socket
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter, sleep
from typing import TYPE_CHECKING

from tests.support.abuse import Abuse, Abuser, Slow, WriteOnly
from tests.support.daemon import SOURCES, build_lists, free_port, serving, write_site
from tests.support.upstream import FakeUpstream
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.daemon import Served

SERVING_CORE, ASKING_CORE = 0, 1
SLOW, WRITE_ONLY = 300, 50
SECONDS = float(os.environ.get("FILTERD_ABUSE_SECONDS", "15"))
GONE_WITHIN_S = 15.0

BLOCKED, CACHED = a_query("www.tiktok.com"), a_query("www.example.com")
LARGE = a_query("large.example.com", "TXT")
ROW = "{:<34}{:>9}{:>9}{:>9}{:>9}{:>10}{:>10}{:>7}{:>9}\n"


@dataclass
class Fared:
    """What an honest client saw: seconds by UDP and by a new TCP connection, and failures."""

    udp_s: list[float] = field(default_factory=list)
    tcp_s: list[float] = field(default_factory=list)
    failed: int = 0
    unfiltered: int = 0

    def ms(self, of: list[float], share: float) -> str:
        ordered = sorted(of)
        if not ordered:
            return "-"
        return f"{1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]:.1f}"


class Honest:
    """Asks by UDP every 10 ms and by a new TCP connection every 250 ms while the block runs."""

    def __init__(self, port: int) -> None:
        self._server, self.fared = ("127.0.0.1", port), Fared()

    def __enter__(self) -> Fared:
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=one) for one in (self._by_udp, self._by_tcp)]
        for thread in self._threads:
            thread.start()
        return self.fared

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def _by_udp(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stub:
            stub.bind((SOURCES["1"], 0))
            stub.connect(self._server)
            stub.settimeout(2)
            while not self._stopping.wait(0.01):
                for query in (BLOCKED, CACHED):
                    self._measure(self.fared.udp_s, query, lambda asked: _by_udp(stub, asked))

    def _by_tcp(self) -> None:
        while not self._stopping.wait(0.25):
            self._measure(self.fared.tcp_s, BLOCKED, self._connect_and_ask)

    def _connect_and_ask(self, query: bytes) -> bytes:
        source = (SOURCES["2"], 0)
        with socket.create_connection(self._server, 5, source_address=source) as stub:
            stub.sendall(len(query).to_bytes(2) + query)
            return stub.recv(4096)[2:]

    def _measure(self, times: list[float], query: bytes, ask: Callable[[bytes], bytes]) -> None:
        start = perf_counter()
        try:
            answer = ask(query)
        except OSError:
            answer = b""
        if len(answer) < 12:
            self.fared.failed += 1
            return
        times.append(perf_counter() - start)
        if query is BLOCKED and answer[3] & 0xF != 3:
            self.fared.unfiltered += 1


def _by_udp(stub: socket.socket, query: bytes) -> bytes:
    stub.send(query)
    return stub.recv(4096)


def processes(served: Served) -> list[int]:
    """Return the daemon's processes."""
    pid = served.process.pid
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return [pid, *map(int, children.split())]


def resources(pids: list[int]) -> tuple[int, float]:
    """Return open descriptors and resident megabytes of them all."""
    descriptors = sum(len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in pids)
    pages = sum(int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]) for pid in pids)
    return descriptors, pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def abusers(port: int) -> list[Callable[[], Abuser]]:
    """Return what makes the connections: ten at each of thirty-five addresses."""
    server = ("127.0.0.1", port)
    sources = [f"127.0.{grade}.{100 + host}" for grade in range(3, 10) for host in range(5)]
    places = [source for source in sources for _ in range(10)]
    slow = [lambda source=place: Slow(source, server) for place in places[:SLOW]]
    write_only = [lambda source=place: WriteOnly(source, server, LARGE) for place in places[SLOW:]]
    return [*slow, *write_only[:WRITE_ONLY]]


def say(what: str, fared: Fared, pids: list[int], gone: str = "") -> None:
    """Print a row."""
    descriptors, megabytes = resources(pids)
    sys.stdout.write(
        ROW.format(
            what,
            *(fared.ms(fared.udp_s, share) for share in (0.5, 0.99, 1)),
            *(fared.ms(fared.tcp_s, share) for share in (0.5, 1)),
            f"{fared.failed}/{fared.unfiltered}",
            descriptors,
            f"{megabytes:.1f}",
        ).rstrip("\n")
        + f"  {gone}\n"
    )


def abuse_once(port: int, pids: list[int]) -> None:
    """Let each connect once, and wait until the server has ended them all."""
    with Honest(port) as fared, Abuse(abusers(port)) as abuse:
        start = perf_counter()
        sleep(1)
        while abuse.open and perf_counter() - start < 2 * GONE_WITHIN_S:
            sleep(0.1)
        gone = f"gone after {perf_counter() - start:.1f} s, {abuse.open} left"
    say("each of 350 connections once", fared, pids, gone)


def abuse_again(port: int, pids: list[int]) -> None:
    """Let them connect anew whenever they are ended."""
    with Honest(port) as fared, Abuse(abusers(port), again=True) as abuse:
        sleep(SECONDS)
        made = len(abuse.lifetimes_s) + abuse.open
    say(
        "350 that connect again and again",
        fared,
        pids,
        f"{made / SECONDS:,.0f} connections a second",
    )


def quiet(what: str, port: int, pids: list[int], seconds: float = 3) -> None:
    """Measure without abuse."""
    with Honest(port) as fared:
        sleep(seconds)
    say(what, fared, pids)


def measure(port: int, served: Served) -> None:
    """Print all rows."""
    pids = processes(served)
    for pid in pids:
        os.sched_setaffinity(pid, {SERVING_CORE})
    os.sched_setaffinity(0, {ASKING_CORE})
    sys.stdout.write(
        ROW.format("", "UDP p50", "p99", "max ms", "TCP p50", "max ms", "lost/bad", "fds", "MB")
    )
    quiet("quiet", port, pids)
    abuse_once(port, pids)
    sleep(1)
    quiet("afterwards", port, pids)
    abuse_again(port, pids)
    sleep(1)
    quiet("afterwards", port, pids)
    quiet("twenty seconds later", port, pids, 20)


def main() -> None:
    """Start a daemon and an upstream with a large answer, and measure."""
    texts = " ".join(f'"{"x" * 250}"' for _ in range(230))
    with FakeUpstream() as upstream, tempfile.TemporaryDirectory() as folder:
        upstream.add(
            "www.example.com. 86400 IN A 198.18.0.1", f"large.example.com. 86400 IN TXT {texts}"
        )
        port = free_port()
        config = write_site(Path(folder) / "site", port=port, upstream=upstream.port)
        state = build_lists(config, Path(folder) / "state").folder
        with serving(config, state) as served:
            measure(port, served)


if __name__ == "__main__":
    main()
