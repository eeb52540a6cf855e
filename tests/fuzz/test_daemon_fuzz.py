# SPDX-License-Identifier: Apache-2.0
"""Mutated packets to a real daemon over UDP and TCP, with an upstream that lies.

``FILTERD_FUZZ_PACKETS`` is the number (3,000 unless set), a tenth of them over TCP;
``FILTERD_FUZZ_SEED`` repeats a run as far as a network allows. Meanwhile an honest client
asks every 100 ms.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import socket
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import pytest

from tests.fuzz.lying_upstream import HONEST_ADDRESS, LyingUpstream, lying_upstream
from tests.support import cost_bombs, malformed
from tests.support.asking import Asker, NoAnswerError
from tests.support.daemon import SOURCES, Served, build_lists, free_port, serving, write_site
from tests.support.packets import captured_packets, mutate, nudge
from tests.support.processes import descriptors, resident_octets
from tests.support.unfiltered import is_unfiltered
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PACKETS = int(os.environ.get("FILTERD_FUZZ_PACKETS", "3000"))
SEED = int(os.environ.get("FILTERD_FUZZ_SEED", "0")) or random.randrange(1, 1 << 32)

MOST_GROWTH_OCTETS = 5 * 1024 * 1024
HONEST_EVERY_S = 0.1
_BATCH = 64
"""Sent at once; then one question is answered before more are sent."""
_PROGRESS_EVERY = _BATCH * 1_000
_A_STREAM = 4
_OPENED_LATE = 2
"""Descriptors of what is needed for the first time: they stay, and do not grow."""
_LARGEST = 4096
_NO_LONGER_S = 0.1
"""A lie that answers nothing makes its question wait for seconds; the stream is left alone then."""
_PATIENCE_S = 30.0
_PURE_TOO_FROM = 100_000
"""The pure twins are fuzzed where there is time for it."""

_TYPES = ("A", "AAAA", "HTTPS", "TXT", "CNAME", "ANY", "TYPE65280")
_WELL_FORMED = [
    *(a_query("porn.example", qtype) for qtype in _TYPES),
    *(a_query("WWW.Porn.example", qtype, do=True, cd=True) for qtype in _TYPES),
    *(a_query("www.example.com", qtype, edns=False) for qtype in _TYPES),
    *(a_query("www.social.example", qtype) for qtype in _TYPES),
]

_OPEN = """\
cache_size_mb: 1
rate_limit: {queries_a_second: 100000, burst: 1000000}
"""
# A list alone would not do: what a protected name leads to is protected from lists.
_CLOSED = """\
lists: [{id: ours, file: ours.txt, category: porn}]
exceptions: [{block: porn.example, reason: must be blocked whatever leads to it}]
"""


class Spoiler:
    """Draws spoilt messages."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)
        seeds = [message for message, _ in malformed.QUERIES.values()]
        seeds += [one for one in cost_bombs.QUERIES.values() if len(one) <= _LARGEST]
        seeds += [packet.message for packet in captured_packets()]
        self._seeds = seeds + _WELL_FORMED * (2 * len(seeds) // len(_WELL_FORMED))

    def one(self) -> bytes:
        spoil = nudge if self._rng.random() < 0.5 else mutate
        return spoil(self._rng.choice(self._seeds), self._rng)[:_LARGEST]

    def stream(self) -> bytes:
        """Some messages with their lengths, the whole spoilt once more now and then."""
        framed = b"".join(
            len(one).to_bytes(2) + one for one in (self.one() for _ in range(_A_STREAM))
        )
        return framed if self._rng.random() < 0.8 else mutate(framed, self._rng)


@dataclass
class Honest:
    """A client that asks an old and a new name every 100 ms, and counts the answers."""

    port: int
    answered: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    slowest_s: float = 0.0
    _over: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._ask_on)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _ask_on(self) -> None:
        with Asker(("127.0.0.1", self.port), SOURCES["2"]) as asker:
            number = 0
            while not self._over.wait(HONEST_EVERY_S):
                number += 1
                self._ask(
                    asker, "blocked", a_query("www.porn.example", message_id=number & 0xFFFF), 3
                )
                self._ask(
                    asker, "known", a_query("www.honest.example", message_id=number & 0xFFFF), 0
                )
                new = a_query(f"n{number}.honest.example", message_id=number & 0xFFFF)
                self._ask(asker, "new", new, 0)

    def _ask(self, asker: Asker, kind: str, message: bytes, rcode: int) -> None:
        began = time.perf_counter()
        try:
            reply = asker.by_udp(message)
            if reply[2] & 2:
                reply = asker.by_tcp(message)
        except NoAnswerError as error:
            self.wrong.append(f"{kind}: {error}")
            return
        self.slowest_s = max(self.slowest_s, time.perf_counter() - began)
        self.answered[kind] += 1
        if reply[3] & 15 != rcode or (rcode == 0 and HONEST_ADDRESS not in reply):
            self.wrong.append(f"{kind}: {reply.hex()}")


class Hostile:
    """Sends what a spoiler makes and looks at what comes back.

    ``quick`` is a name beneath which every name is answered at once.
    """

    def __init__(self, port: int, seed: int, quick: str = "porn.example") -> None:
        self._quick = quick
        self._server = ("127.0.0.1", port)
        self._spoiler = Spoiler(seed)
        self.counts: Counter[str] = Counter()
        self.unfiltered: list[str] = []

    def datagrams(self, count: int) -> None:
        """Send that many, a batch at a time."""
        with socket.socket(type=socket.SOCK_DGRAM) as opened:
            opened.bind((SOURCES["1"], 0))
            opened.connect(self._server)
            for sent in range(0, count, _BATCH):
                if sent % _PROGRESS_EVERY == 0 and sent:
                    sys.stderr.write(f"{sent:,} of {count:,} packets\n")
                for _ in range(min(_BATCH, count - sent)):
                    opened.send(self._spoiler.one())
                self._catch_up(opened)

    def _catch_up(self, opened: socket.socket) -> None:
        """Ask until answered: what was sent before has been read by then."""
        question = a_query(f"{self.counts['caught up']}.{self._quick}", message_id=0x600D)
        opened.settimeout(1.0)
        for _ in range(int(_PATIENCE_S)):
            opened.send(question)
            with contextlib.suppress(TimeoutError):
                while (reply := opened.recv(65535))[:2] != question[:2] or question[
                    12:30
                ] not in reply:
                    self._look_at(reply)
                self.counts["caught up"] += 1
                return
            self.counts["asked again"] += 1
        raise AssertionError(f"it does not answer any more; seed {SEED}")

    def streams(self, count: int) -> None:
        """Send that many messages, a few on each connection."""
        for _ in range(0, count, _A_STREAM):
            with (
                contextlib.suppress(OSError),
                socket.create_connection(self._server, 5.0, (SOURCES["1"], 0)) as opened,
            ):
                opened.sendall(self._spoiler.stream())
                opened.shutdown(socket.SHUT_WR)
                opened.settimeout(_NO_LONGER_S)
                self._read(opened)

    def _read(self, opened: socket.socket) -> None:
        while len(prefix := opened.recv(2, socket.MSG_WAITALL)) == 2:
            self._look_at(opened.recv(int.from_bytes(prefix), socket.MSG_WAITALL))

    def _look_at(self, reply: bytes) -> None:
        self.counts["replies"] += 1
        if is_unfiltered(reply):
            self.counts["unfiltered"] += 1
            self.unfiltered.append(reply.hex())


@pytest.fixture
def upstream() -> Iterator[LyingUpstream]:
    with lying_upstream(SEED) as running:
        yield running


@contextlib.contextmanager
def a_daemon(
    upstream: LyingUpstream, folder: Path, more: str, **variables: str
) -> Iterator[tuple[Served, int]]:
    port = free_port()
    site = write_site(folder / "site", port=port, upstream=upstream.port, more=more)
    (site / "ours.txt").write_text("porn.example\n", encoding="ascii")
    build_lists(site, folder / "state")
    with serving(site, folder / "state", **variables) as running:
        yield running, port


@pytest.fixture(params=["native", "pure"] if PACKETS >= _PURE_TOO_FROM else ["native"])
def served(
    upstream: LyingUpstream, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[tuple[Served, int]]:
    pure = "1" if request.param == "pure" else ""
    with a_daemon(upstream, tmp_path, _OPEN + _CLOSED, FILTERD_PURE=pure) as running:
        yield running


def eventually(holds: Callable[[], bool]) -> bool:
    until = time.monotonic() + _PATIENCE_S  # noqa: TID251 -- another process's time is real
    while not (held := holds()) and time.monotonic() < until:  # noqa: TID251 -- as above
        time.sleep(0.1)
    return held


def attack(hostile: Hostile, count: int) -> None:
    hostile.datagrams(count - count // 10)
    hostile.streams(count // 10)


def test_a_daemon_stands_spoilt_packets_and_a_lying_upstream(
    served: tuple[Served, int],
    upstream: LyingUpstream,
    capsys: pytest.CaptureFixture[str],
) -> None:
    daemon, port = served
    pid = daemon.process.pid
    hostile = Hostile(port, SEED)
    with Honest(port) as honest:
        opened = descriptors(pid)
        attack(hostile, PACKETS // 5)
        resident = resident_octets(pid)
        attack(hostile, PACKETS - PACKETS // 5)
        growth = resident_octets(pid) - resident
    assert daemon.process.poll() is None
    returned = eventually(lambda: descriptors(pid) <= opened + _OPENED_LATE)
    report = {
        "packets": PACKETS,
        **hostile.counts,
        "honest": dict(honest.answered),
        "slowest_ms": round(honest.slowest_s * 1000),
        "grown_octets": growth,
        "descriptors": [opened, descriptors(pid)],
    }
    with capsys.disabled():
        sys.stdout.write(f"\n{json.dumps(report)}")
    assert not honest.wrong, f"seed {SEED}: {honest.wrong[:5]} of {honest.answered}"
    assert not hostile.unfiltered, f"seed {SEED}: {hostile.unfiltered[:5]}"
    assert upstream.stop() == 0, "it was asked about must-block names"
    assert hostile.counts["replies"] > PACKETS // 4, "most never arrived"
    assert growth < MOST_GROWTH_OCTETS
    assert returned, f"{descriptors(pid)} descriptors instead of {opened}"
    assert daemon.end() == 0
    assert not [line for line in daemon.log if "rror" in line or "could not" in line]


def test_control_without_the_block_it_would_find_unfiltered_answers(
    upstream: LyingUpstream, tmp_path: Path
) -> None:
    with a_daemon(upstream, tmp_path, _OPEN) as (_, port):
        hostile = Hostile(port, SEED, "honest.example")
        hostile.datagrams(20 * _BATCH)
    assert hostile.unfiltered
    assert upstream.stop() > 0
