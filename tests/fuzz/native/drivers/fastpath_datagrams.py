# SPDX-License-Identifier: Apache-2.0
"""Datagrams of every size through real sockets, in batches, beside honest ones."""

from __future__ import annotations

import contextlib
import socket
import tempfile
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from filterd.fastpath import datagrams
from filterd.fastpath._rate_limit import SourceTable
from filterd.fastpath.pktinfo import bind
from filterd.policy.model import ListenAddress
from tests.fuzz.native.messages import Messages, hostile_queries, well_formed
from tests.support.fast_cores import NOW, fill_it
from tests.support.malformed import refusal
from tests.support.policies import an_index
from tests.support.serving import LISTS
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fuzz.native.session import Session

native: Any = import_module("filterd.fastpath._datagrams")
fastpath: Any = import_module("filterd.fastpath._core")

REACHES = {
    "taken",
    "received",
    "malformed",
    "denied",
    "truncated_rate",
    "unsent",
    "answered at once",
    "refused",
    "honest",
    "open",
    "hint",
    "refusal",
    "a query",
    "closed",
}

_LARGEST = datagrams.LARGEST_QUERY
_SIZES = (0, 1, 11, 12, _LARGEST - 1, _LARGEST, _LARGEST + 1, _LARGEST + 8, 9_000, 65_507)
_REPLIES = (0, 12, 512, 4_096, 65_507, 65_508, 70_000)
_SOURCES = {4: ["127.0.3.1", "127.0.3.2", "127.0.3.3"], 6: ["::1"]}
_SERVER = {4: "127.77.3.2", 6: "::1"}
_MAY_NOT_ASK = _SOURCES[4][-1]
_FULL_BATCH = 64
_HONEST = a_query("www.porn.example", message_id=0x600D)


class _Fast:
    """A core of the fast path that needs no refresh."""

    def __init__(self, core: Any) -> None:
        self.core, self.refusals = core, 0

    def keep_house(self, _now: float) -> None:
        """Nothing is kept."""

    def refresh(self, _now: float) -> None:
        """Do nothing: all stays in force."""

    def refused(self, malformed: int, notimp: int) -> None:
        """Count what was no query."""
        self.refusals += malformed + notimp


class _Moved:
    """A socket whose traffic is moved natively, and clients that send to it."""

    def __init__(self, family: int, rate: float, core: Any) -> None:
        self.socket = bind(ListenAddress(_SERVER[family], 0), socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        table = SourceTable(bytes(16), rate, rate, 16)
        fast: Any = _Fast(core) if core is not None else None
        self.fast = fast
        self.datagrams: Any = native.Datagrams(self.socket, table, _permits, 256, fast)
        kind = socket.AF_INET6 if family == 6 else socket.AF_INET
        self.clients = [_bound(kind, source) for source in _SOURCES[family]]
        self.honest = _bound(kind, _SOURCES[family][0])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for opened in (self.socket, self.honest, *self.clients):
            opened.close()

    def send(self, client: socket.socket, message: bytes) -> None:
        with contextlib.suppress(OSError):  # too much at once, or too large for this family
            client.sendto(message, self.socket.getsockname()[:2])


def drive(session: Session) -> None:
    """Send batches to listeners with and without a fast path, of both families."""
    messages = Messages(session.rng, well_formed() + hostile_queries())
    with tempfile.TemporaryDirectory() as folder:
        # The other one is asked by itself about what comes by the socket.
        core, reference = (fastpath.Core(bytes(range(16))) for _ in range(2))
        index, loopback = an_index(Path(folder), LISTS), socket.if_nametoindex("lo")
        for one in (core, reference):
            learnt = fill_it(one, index)
            for address in _SOURCES[4][:2]:
                one.learn(socket.inet_aton(address), loopback, learnt.one, NOW + 1e9)
        for number in session.rounds():
            family = 6 if number % 3 == 2 and socket.has_ipv6 else 4
            rate = session.rng.choice((3, 1e6))
            with _Moved(family, rate, core if number % 2 else None) as moved:
                _move(session, moved, messages, reference, honest=rate > 3)
                _end(session, moved)
            _hint(session, messages.one())


def _permits(address: str, _interface: int) -> bool:
    return address != _MAY_NOT_ASK


def _message(session: Session, messages: Messages) -> bytes:
    if session.rng.random() < 0.15:
        return (messages.one() + session.rng.randbytes(_LARGEST + 9)).ljust(65_507, b"\0")[
            : session.rng.choice(_SIZES)
        ]
    return messages.one()[:65_507]


def _move(
    session: Session, moved: _Moved, messages: Messages, reference: Any, *, honest: bool
) -> None:
    """Move some batches; what is taken is what was sent, and the honest are answered."""
    now = 1_000.0
    for _ in range(5):
        sent = [_message(session, messages) for _ in range(session.rng.randint(1, _FULL_BATCH))]
        if session.rng.random() < 0.2:
            sent = [b"\0\1" + bytes(_LARGEST + 6)] * _FULL_BATCH
        for message in sent:
            moved.send(session.rng.choice(moved.clients), session.give(message))
        moved.datagrams.receive(now)  # or the kernel's queue has no room for the last ones
        moved.send(moved.honest, _HONEST)
        moved.datagrams.receive(now)
        _serve(session, moved, reference, {*sent, _HONEST}, now)
        _hear(session, moved, expects_honest=honest)
        now += session.rng.choice((0, 0.1, 6))
    for name, count in moved.datagrams.counters.items():
        session.reached[name] += count
    if moved.fast is not None:
        session.reached["refused"] += moved.fast.refusals


def _serve(session: Session, moved: _Moved, reference: Any, sent: set[bytes], now: float) -> None:
    taken = moved.datagrams.take(_FULL_BATCH * 5, now)
    for one in taken:
        assert len(one.message) <= _LARGEST, "a message that no letter holds"
        assert one.message in sent, "a message that nobody sent"
        session.reached["taken"] += 1
        _looked_at(session, moved, reference, one)
        reply = one.message[:2] + b"\x80" + one.message[3:]
        if one.message != _HONEST and session.rng.random() < 0.1:
            reply = reply.ljust(session.rng.choice(_REPLIES), b"\0")
        moved.datagrams.answer(one, session.give(reply))
    moved.datagrams.flush()


def _looked_at(session: Session, moved: _Moved, reference: Any, one: Any) -> None:
    """What was found out of a message is what is when it is asked about alone."""
    found = one.client_group, one.opening
    if moved.fast is None or ":" in one.address:
        assert found == (-1, -1), found
        return
    reference.answer(one.message, socket.inet_aton(one.address), one.interface)
    assert found == (reference.client_group, reference.opening), found
    assert one.epoch == moved.fast.core.epoch
    session.reached["open"] += one.opening >= 0


def _hear(session: Session, moved: _Moved, *, expects_honest: bool) -> None:
    """Read what came back; the honest question was answered whatever came beside it."""
    for client in moved.clients:
        for heard in _heard(client):
            session.reached["answered at once"] += len(heard) > 3 and heard[3] & 0x8F == 0x83
    answers = [heard for heard in _heard(moved.honest) if heard[:2] == _HONEST[:2]]
    assert answers or not expects_honest, "an honest question was not answered"
    session.reached["honest"] += bool(answers)


def _bound(kind: socket.AddressFamily, source: str) -> socket.socket:
    client = socket.socket(kind, socket.SOCK_DGRAM)
    client.bind((source, 0))
    client.setblocking(False)
    return client


def _heard(client: socket.socket) -> Iterator[bytes]:
    with contextlib.suppress(BlockingIOError):
        while True:
            yield client.recv(65_535)


def _end(session: Session, moved: _Moved) -> None:
    """Close the socket under a listener that still has replies to send."""
    moved.send(moved.honest, _HONEST)
    moved.datagrams.receive(2_000.0)
    for one in moved.datagrams.take(_FULL_BATCH, 2_000.0):
        moved.datagrams.answer(one, one.message)
    moved.socket.close()
    moved.datagrams.flush()
    moved.datagrams.receive(2_001.0)
    session.reached["closed"] += 1


def _hint(session: Session, message: bytes) -> None:
    given = session.give(message)
    try:
        hint = native.hint(given)
    except ValueError:
        assert not 12 <= len(message) <= _LARGEST
        return
    assert hint == datagrams.hint(message)
    session.reached["hint"] += 1
    refused = native.refusal(given)
    assert refused == refusal(message)
    session.reached["a query" if refused is None else "refusal"] += 1
