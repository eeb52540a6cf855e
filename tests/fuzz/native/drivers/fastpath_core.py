# SPDX-License-Identifier: Apache-2.0
"""Queries of any octets, replies to keep, and the passing of time.

The core reads the same as the wire's own parser, a reply answers its question, and the
rules in force are those of a second, independent model.
"""

from __future__ import annotations

import math
import tempfile
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.errors import WireError
from filterd.fastpath import core_contract as contract
from filterd.fastpath.datagrams import LARGEST_QUERY
from filterd.resolve.site import EpochGuard
from filterd.wire import parse_response
from tests.fuzz.native.messages import (
    Messages,
    hostile_queries,
    hostile_responses,
    responses,
    well_formed,
)
from tests.support import plain_questions as reading
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
    """Run a story in a core; each answer must answer its question."""
    core = native.Core(bytes(range(16)))
    fill_it(core, index, touched=_TOUCHED)
    in_force, passed, again, answered = _InForce(), 0.0, [queries.one()], 0
    for _ in range(_STORY):
        drawn = session.rng.random()
        if drawn < 0.1:
            passed += session.rng.choice((0, 0.3, 1, 4))
            core.at(NOW + passed, WALL + passed)
            in_force.wall = WALL + passed
        elif drawn < 0.2:
            in_force.hold_or_move(session, core, NOW + passed)
        elif drawn < 0.45:
            again += _keep(session, core, replies.one())
        else:
            answered += _ask(session, core, session.rng.choice((queries.one(), *again[-2:])))
    assert sum(n for _, _, n, _ in core.take_counts()) == answered
    in_force.end(core)


class _InForce:
    """By what a core sees that what it was made of is in force; it moves while it is held."""

    def __init__(self) -> None:
        self._octets = bytearray(8)
        self._word = memoryview(self._octets).cast("Q")
        self._lead_octets = bytearray(8)
        self._lead = memoryview(self._lead_octets).cast("d")
        self._site = SimpleNamespace(surroundings=SimpleNamespace(version=0))
        self._held: tuple[EpochGuard, Any, float] | None = None
        self._seen = -math.inf
        self.wall = float(WALL)

    def hold_or_move(self, session: Session, core: Any, now: float) -> None:
        """Let it be held anew, or move one of the things by which it is seen; ask."""
        rng, surroundings = session.rng, self._site.surroundings
        match rng.randrange(9):
            case 0 | 1 | 2:
                ends = rng.choice((math.inf, self.wall + 2, self.wall))
                standing = EpochGuard(self._word, self._word[0], self.wall, ends)
                about = surroundings.version, now, self.wall, self._unix_time, self._lead
                core.hold(self._site, standing, *about)
                self._held = standing, surroundings.version, self.wall - now
                self._seen = self.wall
            case 3:
                self._word[0] = rng.choice((0, 1, 1 << 32, (1 << 64) - 1))
            case 4:
                surroundings.version = rng.choice((0, 1, None, "1"))
            case 5:
                self.wall += rng.choice((-1, 0.5, 5, math.nan))
            case 6:
                lead_s = self.wall - now
                self._lead[0] = rng.choice((0, lead_s, lead_s, lead_s + 0.4, lead_s - 1, math.nan))
        holds = core.holds(now)
        assert holds == self._holds(now)
        session.reached["holds" if holds else "holds no longer"] += 1

    def _holds(self, now: float) -> bool:
        if self._held is None:
            return False
        standing, version, drift_s = self._held
        wall = now + self._lead[0] if self._lead[0] else self.wall
        if self._site.surroundings.version != version or not standing.holds_at(wall):
            return False
        if wall < self._seen or abs(wall - now - drift_s) > 0.5:
            return False
        self._seen = wall
        return True

    def _unix_time(self) -> float:
        return self.wall

    def end(self, core: Any) -> None:
        """See that a core keeps both words' memory as long as it holds, and no longer."""
        words: tuple[memoryview[Any], ...] = self._word, self._lead
        if core.site is not None:
            for word in words:
                with pytest.raises(BufferError):
                    word.release()
        core.forget()
        self._held = None  # its standing has a view of the word
        for word, octets in zip(words, (self._octets, self._lead_octets), strict=True):
            word.release()
            octets.append(0)


def _keep(session: Session, core: Any, reply: bytes) -> list[bytes]:
    """Let a reply be kept; return the question that it answers, none if it is not kept.

    An impossible one may be kept, too; then it is not asked for.
    """
    flags, client_group = session.rng.choice(_FLAGS), session.rng.randrange(2)
    cap_ttl_s, valid_until = session.rng.choice(((600, math.inf), (1, WALL + 9)))
    given = session.give(reply)
    kept = core.replay.note(
        client_group, flags, given, cap_ttl_s, math.inf, valid_until, 7, "source"
    )
    session.reached["kept" if kept else "not kept"] += 1
    if not kept:
        return []
    try:
        return [_question_of(reply, flags)]
    except WireError:
        return []


def _question_of(reply: bytes, flags: int) -> bytes:
    """Return the query with these flags that a reply answers."""
    answered = parse_response(reply).question
    assert answered is not None
    header = (
        flags & contract.ASKED_RD,
        (flags & contract.ASKED_CD) << 3 | (flags & contract.ASKED_AD) << 3,
    )
    opt = b"\0\0\x29\x04\xd0\0\0" + bytes((0x80 if flags & contract.ASKED_DO else 0, 0, 0, 0))
    has_opt = bool(flags & contract.ASKED_OPT)
    return (
        b"\x12\x34"
        + bytes(header)
        + b"\0\1"
        + bytes(5)
        + bytes((has_opt,))
        + answered.wire
        + opt * has_opt
    )


def _ask(session: Session, core: Any, query: bytes) -> bool:
    """Ask; return whether there was an answer."""
    client, given = session.rng.choice(_CLIENTS), session.give(query)
    answer = core.answer(given, client, INTERFACE)
    if len(query) > LARGEST_QUERY:  # it is not even looked at
        assert answer is None
        return False
    asked = reading.read(query)
    if answer is not None:
        assert asked is not None, query
        assert answer[:2] + answer[12 : asked.end] == query[:2] + query[12 : asked.end], answer
        assert len(answer) <= asked.limit, answer
    _lead(session, core, asked, query)
    if core.opening >= 0:
        assert asked is not None, query
        assert answer is None, answer
        session.reached["open"] += 1
    elif answer is None:
        session.reached["left to the chain"] += 1
    else:
        session.reached["from the table" if answer[3] & 15 == 3 else "repeated"] += 1
    return answer is not None


def _lead(session: Session, core: Any, asked: reading.Asked | None, query: bytes) -> None:
    """Let an answer lead to the name that was asked for, of either class and of none."""
    if asked is None:
        assert not core.lets_through(session.give(query[12:]), 2)
        core.lets_through(
            session.give(query[12:]), 0
        )  # with any answer for octets that are no name
        return
    name = session.give(asked.qname)
    for client_group in (-1, 0, 1, 2):
        through = core.lets_through(name, client_group)
        assert not through or client_group in (0, 1), (name, client_group)
        if core.opening >= 0 and client_group == core.client_group:
            assert through, name
        session.reached["let through" if through else "not let through"] += 1
