# SPDX-License-Identifier: Apache-2.0
"""Mutated messages through real sockets; good questions are still answered.

``FILTERD_FUZZ_DATAGRAMS`` is the number (2,000 unless set); ``FILTERD_FUZZ_SEED``
repeats a run.
"""

from __future__ import annotations

import contextlib
import os
import random
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from filterd.upstream import exchange
from tests.support import cost_bombs, malformed
from tests.support.packets import mutate
from tests.support.policies import an_index
from tests.support.serving import LISTS, Serving, a_site, open_sockets
from tests.support.upstream import FakeUpstream
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Iterator

DATAGRAMS = int(os.environ.get("FILTERD_FUZZ_DATAGRAMS", "2000"))
SEED = int(os.environ.get("FILTERD_FUZZ_SEED", "0")) or random.randrange(1, 1 << 32)

GOOD_EVERY = 20
MOST_GROWTH_OCTETS = 24 * 1024 * 1024
"""Far more than a cache of what can be asked here, far less than a leak of a few kB a message."""

_LARGEST_DATAGRAM = 65_507
_GOOD = a_query("porn.example", message_id=0x600D)
_SEEDS = [
    *(message for message, _ in malformed.QUERIES.values()),
    *cost_bombs.QUERIES.values(),
    *(a_query("www.example.com", qtype) for qtype in ("A", "HTTPS", "ANY", "IXFR", 65280)),
    a_query("www.porn.example", "AAAA", do=True, cd=True),
]


@pytest.fixture
def serving(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serving]:
    monkeypatch.setattr(exchange, "DEADLINE_S", 0.05)
    index = an_index(tmp_path, LISTS)
    with FakeUpstream() as upstream:
        sockets = open_sockets()
        with Serving(a_site(index, [upstream])) as running:
            yield running  # and at the end nothing may have been logged as an error
        assert open_sockets() <= sockets, f"seed {SEED}"


def spoilt(count: int) -> Iterator[bytes]:
    rng = random.Random(SEED)
    for _ in range(count):
        yield mutate(rng.choice(_SEEDS), rng)


def resident_octets() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * 4096


def asks_well(serving: Serving) -> None:
    """Ask a good question by each transport."""
    with serving.stub() as stub:
        assert stub.ask(_GOOD)[3] & 0xF == 3, f"seed {SEED}"
    with serving.tcp_stub() as stub:
        assert stub.ask(_GOOD)[3] & 0xF == 3, f"seed {SEED}"


def test_spoilt_datagrams_do_no_harm(serving: Serving) -> None:
    asks_well(serving)
    resident = resident_octets()
    with serving.stub("127.0.2.1") as hostile:
        for number, message in enumerate(spoilt(DATAGRAMS)):
            hostile.send(message[:_LARGEST_DATAGRAM])
            if number % GOOD_EVERY == 0:
                asks_well(serving)
    serving.eventually(lambda: not len(serving.stepper))
    assert serving.resolver.counters.total() > DATAGRAMS // 2, "most never arrived"
    assert resident_octets() - resident < MOST_GROWTH_OCTETS, f"seed {SEED}"


def test_spoilt_streams_do_no_harm(serving: Serving) -> None:
    asks_well(serving)
    rng = random.Random(SEED)
    for number, message in enumerate(spoilt(DATAGRAMS // 4)):
        framed = len(message).to_bytes(2) + message
        with serving.tcp_stub("127.0.2.1") as hostile:
            with contextlib.suppress(OSError):  # it may have been ended already
                hostile.socket.sendall(framed if rng.random() < 0.7 else mutate(framed, rng))
                hostile.socket.shutdown(socket.SHUT_WR)
            while hostile.receive():
                pass
        if number % GOOD_EVERY == 0:
            asks_well(serving)
    serving.eventually(lambda: not serving.connections)
    serving.eventually(lambda: not len(serving.stepper))
