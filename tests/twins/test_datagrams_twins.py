# SPDX-License-Identifier: Apache-2.0
"""The native and the plain listener on the same traffic: equal results."""

from __future__ import annotations

import os
import random
import select
import socket
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filterd.base.native import live_only
from filterd.fastpath import datagrams as plain
from filterd.fastpath.pktinfo import bind
from filterd.policy.model import ListenAddress
from tests.support import cost_bombs, malformed
from tests.support.packets import mutate
from tests.support.twins import MODULES
from tests.support.wire import OPT, QUESTION, a_message, a_query

if TYPE_CHECKING:
    from types import ModuleType

datagrams: Any = live_only("filterd.fastpath._datagrams")
pytestmark = pytest.mark.usefixtures("needs_native")
plain_limiter, limiter = MODULES["limiter"][0], MODULES["limiter"][-1]

TWINS = (plain_limiter, plain), (limiter, datagrams)
SOURCES = [f"127.0.3.{number}" for number in range(1, 7)]
SERVER = "127.77.3.1"  # where the datagrams of no other test arrive
MAY_NOT_ASK = SOURCES[-1]
WITHIN_S = 10.0
MUTANTS = int(os.environ.get("FILTERD_FUZZ_MESSAGES", "2000"))
SEED = int(os.environ.get("FILTERD_FUZZ_SEED", "1"))
SEEDS = [
    a_query(),
    a_query(do=True, qtype="HTTPS"),
    a_message(QUESTION + OPT, flags=0x2800, arcount=1),
    *(message for message, _ in malformed.QUERIES.values()),
    *(message for message in cost_bombs.QUERIES.values()),
]

messages = st.one_of(
    st.sampled_from([a_query(), a_query("a.example", rd=False), a_message(QUESTION, flags=0x8000)]),
    st.binary(max_size=300),
    st.binary(max_size=30).map(lambda tail: a_message(QUESTION + tail)),
    st.tuples(st.integers(0, 20), st.integers(0, 255)).map(
        lambda change: bytes(
            change[1] if index == change[0] else octet for index, octet in enumerate(a_query())
        )
    ),
)
steps = st.lists(
    st.tuples(
        st.sampled_from(SOURCES), messages, st.integers(1, 6), st.sampled_from([0, 0.1, 1, 6])
    ),
    max_size=25,
)
addresses = st.one_of(
    st.integers(0, 9).map(lambda n: bytes([10, 0, 0, n])),
    st.integers(0, 9).map(lambda n: bytes.fromhex("20010db8") + bytes([0] * 3 + [n % 2] + [n] * 8)),
    st.integers(0, 3).map(lambda n: bytes.fromhex("fe80") + bytes([0] * 13 + [n])),
)
events = st.lists(
    st.tuples(
        st.sampled_from(["judge"] * 8 + ["crowd", "take_by_tcp", "prove"]),
        addresses,
        st.integers(1, 2),
        st.integers(0, 1).map(float) | st.floats(0, 10),
        st.booleans(),
    ),
    max_size=150,
)


def judged(module: ModuleType, story: list[tuple[str, bytes, int, float, bool]]) -> list[object]:
    """Run events on a table of two sets and return all its results."""
    table = module.SourceTable(bytes(16), 2, 5, 2)
    now = 0.0
    said: list[object] = []
    for what, address, interface, passes_s, permitted in story:
        now += passes_s
        asked: list[tuple[str, int]] = []

        def permits(text: str, index: int) -> bool:
            asked.append((text, index))  # noqa: B023 -- called within this round only
            return permitted  # noqa: B023 -- as above

        more = (permits,) if what in {"judge", "crowd"} else ()
        verdict = getattr(table, what)(address, interface, now, *more)
        said.append((verdict, asked, len(table), table.is_overloaded(now)))
    return said


@settings(max_examples=500)
@given(story=events)
def test_the_tables_judge_alike(story: list[tuple[str, bytes, int, float, bool]]) -> None:
    assert judged(limiter, story) == judged(plain_limiter, story)


class Moved:
    """A socket whose traffic one twin moves, and the clients that send to it."""

    def __init__(self, tables: ModuleType, moving: ModuleType) -> None:
        self.socket = bind(ListenAddress(SERVER, 0), socket.SOCK_DGRAM)
        table = tables.SourceTable(bytes(16), 2, 5, 2)
        self.datagrams: Any = moving.Datagrams(self.socket, table, self.permits, 4)
        self.clients = {source: socket.socket(type=socket.SOCK_DGRAM) for source in SOURCES}
        for source, client in self.clients.items():
            client.bind((source, 0))
            client.setblocking(False)

    @staticmethod
    def permits(address: str, interface: int) -> bool:
        return address != MAY_NOT_ASK and interface > 0

    def after(self, source: str, message: bytes, times: int, now: float) -> list[object]:
        """Send a message some times; return what was served, heard and counted."""
        client = self.clients[source]
        for _ in range(times):
            client.sendto(message, self.socket.getsockname())
        select.select([self.socket], [], [], WITHIN_S)
        emptied = self.datagrams.receive(now)
        taken = self.datagrams.take(3 * times, now)
        for one in taken:
            self.datagrams.answer(one, one.message[::-1])
        self.datagrams.flush()
        served = [(one.message, one.address, one.interface) for one in taken]
        moved = [emptied, served, self.heard(client), self.datagrams.counters]
        traffic = self.datagrams.traffic
        assert not sum(traffic["latency"].pop("fast", {}).get("buckets", {}).values())
        return [*moved, traffic, len(self.datagrams)]

    @staticmethod
    def heard(client: socket.socket) -> list[bytes]:
        heard = []
        while True:
            try:
                heard.append(client.recv(4096))
            except BlockingIOError:
                return heard

    def close(self) -> None:
        for opened in (self.socket, *self.clients.values()):
            opened.close()


@settings(max_examples=300)
@given(story=steps)
def test_the_listeners_move_alike(story: list[tuple[str, bytes, int, float]]) -> None:
    both = [Moved(*twin) for twin in TWINS]
    now = 1_000.0
    try:
        for source, message, times, passes_s in story:
            now += passes_s
            pure, native = (one.after(source, message, times, now) for one in both)
            assert native == pure
    finally:
        for one in both:
            one.close()


@given(message=st.one_of(messages, st.binary(min_size=12, max_size=400)))
def test_the_hints_are_alike(message: bytes) -> None:
    if len(message) >= 12:
        assert datagrams.hint(message) == plain.hint(message)


@given(message=st.one_of(messages, st.binary(min_size=12, max_size=400)))
def test_a_refusal_is_the_chain_s(message: bytes) -> None:
    if len(message) >= 12:
        assert datagrams.refusal(message) == malformed.refusal(message)


def test_the_refusals_of_mutants_are_the_chain_s() -> None:
    rng, refused = random.Random(SEED), 0
    for _ in range(MUTANTS):
        message = mutate(rng.choice(SEEDS), rng)[: plain.LARGEST_QUERY]
        if len(message) >= 12:
            refusal = malformed.refusal(message)
            assert datagrams.refusal(message) == refusal, message.hex()
            refused += refusal is not None
    assert MUTANTS // 10 < refused < MUTANTS


@pytest.mark.parametrize("message", [b"short", bytes(4097)])
@pytest.mark.parametrize("made", ["hint", "refusal"])
def test_the_native_twin_refuses_what_fits_no_letter(made: str, message: bytes) -> None:
    with pytest.raises(ValueError, match="12 to 4096"):
        getattr(datagrams, made)(message)
