# SPDX-License-Identifier: Apache-2.0
"""Queries of any octets, replies to keep and the passing of time, beside the pure twin."""

from __future__ import annotations

import math
import tempfile
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from filterd.errors import WireError
from filterd.fastpath import _core_py as pure
from filterd.fastpath import _question_py as reading
from filterd.fastpath._datagrams_py import LARGEST_QUERY
from filterd.resolve.site import EpochGuard
from filterd.wire import parse_response
from tests.fuzz.native.messages import (
    Messages,
    hostile_queries,
    hostile_responses,
    responses,
    well_formed,
)
from tests.support.fast_cores import CLIENT, INTERFACE, NOW, OTHER_CLIENT, STRANGER, WALL, fill_it
from tests.support.policies import an_index
from tests.support.serving import LISTS

if TYPE_CHECKING:
    from filterd.lists.index import Index
    from tests.fuzz.native.session import Session

native: Any = import_module("filterd.fastpath._core")

REACHES = {
    "read",
    "not read",
    "from the table",
    "repeated",
    "left to the chain",
    "open",
    "let through",
    "not let through",
    "kept",
    "not kept",
    "holds",
    "holds no longer",
}

_STORY = 60
_TOUCHED = {"pinned.porn.example": 1, "social.example": 2}
_CLIENTS = (CLIENT, CLIENT, OTHER_CLIENT, STRANGER, bytes(16), b"\xff" * 16)
_FLAGS = (0, 1, 9, 17, 25, 31)


def drive(session: Session) -> None:
    """Read messages, and live stories in which replies are kept and questions asked."""
    queries = Messages(session.rng, well_formed() * 4 + hostile_queries())
    replies = Messages(session.rng, responses() * 4 + hostile_responses())
    with tempfile.TemporaryDirectory() as folder:
        index = an_index(Path(folder), LISTS)
        for _ in session.rounds():
            for _ in range(_STORY):
                _read(session, queries.one())
            _live(session, index, queries, replies)


def _read(session: Session, message: bytes) -> None:
    read = native.read(session.give(message))
    assert read == reading.read(message)
    session.reached["read" if read else "not read"] += 1


def _live(session: Session, index: Index, queries: Messages, replies: Messages) -> None:
    """Tell both twins the same; what one answers the other does."""
    cores = [module.Core(bytes(range(16))) for module in (native, pure)]
    for core, module in zip(cores, (native, pure), strict=True):
        fill_it(core, module, index, touched=_TOUCHED)
    in_force, passed, again = _InForce(), 0.0, [queries.one()]
    for _ in range(_STORY):
        drawn = session.rng.random()
        if drawn < 0.1:
            passed += session.rng.choice((0, 0.3, 1, 4))
            for core in cores:
                core.at(NOW + passed, WALL + passed)
            in_force.wall = WALL + passed
        elif drawn < 0.2:
            in_force.hold_or_move(session, cores, NOW + passed)
        elif drawn < 0.45:
            answered = _keep(session, cores, replies.one())
            if answered is None:
                break
            again += answered
        else:
            _ask(session, cores, session.rng.choice((queries.one(), *again[-2:])))
    counts = [core.take_counts() for core in cores]
    assert counts[0] == counts[1]
    in_force.end(cores)


class _InForce:
    """By what cores see that what they were made of is in force; it moves while they hold it."""

    def __init__(self) -> None:
        self._octets = bytearray(8)
        self._word = memoryview(self._octets).cast("Q")
        self._lead_octets = bytearray(8)
        self._lead = memoryview(self._lead_octets).cast("d")
        self._site = SimpleNamespace(surroundings=SimpleNamespace(version=0))
        self.wall = float(WALL)

    def hold_or_move(self, session: Session, cores: list[Any], now: float) -> None:
        """Let both hold it anew, or move one of the things by which they see; ask both."""
        rng, surroundings = session.rng, self._site.surroundings
        match rng.randrange(9):
            case 0 | 1 | 2:
                ends = rng.choice((math.inf, self.wall + 2, self.wall))
                standing = EpochGuard(self._word, self._word[0], self.wall, ends)
                for core in cores:
                    core.hold(
                        self._site,
                        standing,
                        surroundings.version,
                        now,
                        self.wall,
                        self._tell_wall,
                        self._lead,
                    )
            case 3:
                self._word[0] = rng.choice((0, 1, 1 << 32, (1 << 64) - 1))
            case 4:
                surroundings.version = rng.choice((0, 1, None, "1"))
            case 5:
                self.wall += rng.choice((-1, 0.5, 5, math.nan))
            case 6:
                told = self.wall - now
                self._lead[0] = rng.choice((0, told, told, told + 0.4, told - 1, math.nan))
        holds = [core.holds(now) for core in cores]
        assert holds[0] == holds[1], holds
        session.reached["holds" if holds[0] else "holds no longer"] += 1

    def _tell_wall(self) -> float:
        return self.wall

    def end(self, cores: list[Any]) -> None:
        """See that a core keeps both words' memory as long as it holds, and no longer."""
        words: tuple[memoryview[Any], ...] = self._word, self._lead
        if cores[0].site is not None:
            for word in words:
                with pytest.raises(BufferError):
                    word.release()
        for core in cores:
            core.forget()
        for word, octets in zip(words, (self._octets, self._lead_octets), strict=True):
            word.release()
            octets.append(0)


def _keep(session: Session, cores: list[Any], reply: bytes) -> list[bytes] | None:
    """Let both keep a reply; return the question that it answers, none if it is not kept.

    None where only one keeps it: no chain gives such a reply, and the story ends.
    """
    flags, client_class = session.rng.choice(_FLAGS), session.rng.randrange(2)
    cap_ttl_s, valid_until = session.rng.choice(((600, math.inf), (1, WALL + 9)))
    about = (
        client_class,
        flags,
        session.give(reply),
        cap_ttl_s,
        math.inf,
        valid_until,
        7,
        "source",
    )
    live, reference = cores
    kept = live.replay.note(*about)
    session.reached["kept" if kept else "not kept"] += 1
    if not kept:
        return []
    try:
        return [_question_of(reply, flags)] if reference.replay.note(*about) else None
    except WireError:
        return None


def _question_of(reply: bytes, flags: int) -> bytes:
    """Return the query with these flags that a reply answers."""
    answered = parse_response(reply).question
    assert answered is not None
    header = (
        flags & reading.ASKED_RD,
        (flags & reading.ASKED_CD) << 3 | (flags & reading.ASKED_AD) << 3,
    )
    opt = b"\0\0\x29\x04\xd0\0\0" + bytes((0x80 if flags & reading.ASKED_DO else 0, 0, 0, 0))
    has_opt = bool(flags & reading.ASKED_OPT)
    return (
        b"\x12\x34"
        + bytes(header)
        + b"\0\1"
        + bytes(5)
        + bytes((has_opt,))
        + answered.wire
        + opt * has_opt
    )


def _ask(session: Session, cores: list[Any], query: bytes) -> None:
    client, given = session.rng.choice(_CLIENTS), session.give(query)
    answers = [core.answer(given, client, INTERFACE) for core in cores]
    assert answers[0] == answers[1], answers
    if len(query) <= LARGEST_QUERY:  # longer ones are not even looked at
        about = {(core.client_class, core.opening) for core in cores}
        assert len(about) == 1, about
    _lead(session, cores, query)
    if cores[0].opening >= 0:
        session.reached["open"] += 1
    elif answers[0] is None:
        session.reached["left to the chain"] += 1
    else:
        session.reached["from the table" if answers[0][3] & 15 == 3 else "repeated"] += 1


def _lead(session: Session, cores: list[Any], query: bytes) -> None:
    """Let an answer lead to the name that was asked for, of either class and of none."""
    asked = reading.read(query)
    if asked is None:
        assert not cores[0].lets_through(session.give(query[12:]), 2)
        cores[0].lets_through(session.give(query[12:]), 0)  # whatever it says of what is no name
        return
    name = session.give(asked.qname)
    for client_class in (-1, 0, 1, 2):
        through = [core.lets_through(name, client_class) for core in cores]
        assert through[0] == through[1], (name, client_class)
        session.reached["let through" if through[0] else "not let through"] += 1
    tally = session.rng.choice((7, 8_191))
    for core in cores:
        core.count(tally)
