# SPDX-License-Identifier: Apache-2.0
"""More replies than there is room for, and questions, while time passes."""

from __future__ import annotations

import math
import tempfile
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.fuzz.native.messages import Messages, hostile_responses, responses, well_formed
from tests.support.fast_cores import CLIENT, INTERFACE, NOW, OTHER_CLIENT, STRANGER, WALL, fill_it
from tests.support.policies import an_index
from tests.support.serving import LISTS
from tests.support.wire import a_message, a_record

if TYPE_CHECKING:
    from tests.fuzz.native.session import Session

fastpath: Any = import_module("filterd.fastpath._core")
native: Any = import_module("filterd.fastpath._core")

REACHES = {"kept", "not kept", "repeated", "reported", "refused"}

_STORY = 60
_CLIENTS = (CLIENT, CLIENT, OTHER_CLIENT, STRANGER)
_FLAGS = (0, 1, 9, 17, 25, 31, 2**32 - 1)
_TALLIES = (7, 8_191, 8_192, 2**32 - 1)
_LIVES = 50
"""Rounds until everything is forgotten."""


def drive(session: Session) -> None:
    """Let a table of two sets, and one that is never full, keep and repeat what they can."""
    queries = Messages(session.rng, well_formed())
    replies = Messages(session.rng, responses() + hostile_responses() + _tight())
    with tempfile.TemporaryDirectory() as folder:
        index = an_index(Path(folder), LISTS)
        cores = [fastpath.Core(session.rng.randbytes(16), entries) for entries in (16, 4_096)]
        for number in session.rounds():
            if number % _LIVES == 0:
                for core in cores:
                    core.forget()
                    fill_it(core, index)
            _crowd(session, session.rng.choice(cores), queries, replies, NOW + number % _LIVES)
        for seed, entries in ((bytes(15), 16), (bytes(17), 16)):
            try:
                native.Replay(seed, entries)
            except ValueError:
                session.reached["refused"] += 1


def _tight() -> list[bytes]:
    """Return responses of the smallest records: as many TTLs as a message of some length has."""
    return [
        a_message(
            b"\1a\0\0\1\0\1" + a_record(b"", owner=b"\0") * count + padding,
            flags=0x8180,
            ancount=count + bool(padding),
        )
        for count in range(1, 50)
        for padding in (b"", a_record(bytes(count % 12), owner=b"\0"))
    ]


def _crowd(session: Session, core: Any, queries: Messages, replies: Messages, now: float) -> None:
    """Push replies out by others, with any number beside them.

    The wall clock may be set back; the other one, which ages answers, never goes back.
    """
    rng = session.rng
    core.at(now, rng.choice((WALL, WALL - 1_000, WALL + 1)))
    for _ in range(_STORY):
        reply = session.give(replies.one())
        flags, client_group = rng.choice(_FLAGS), rng.choice((0, 1, -1, 5_000))
        until, valid_until = (
            rng.choice((math.inf, now, now + 1)),
            rng.choice((math.inf, WALL, WALL + 9)),
        )
        tally, source = rng.choice(_TALLIES), rng.choice((None, "source"))
        cap_ttl_s = rng.choice((0, 1, 600, 2**32 - 1))
        kept = core.replay.note(
            client_group, flags, reply, cap_ttl_s, until, valid_until, tally, source
        )
        session.reached["kept" if kept else "not kept"] += 1
        _ask(session, core, queries.one())
        if kept:
            header = b"\0\0" + bytes((flags & 1, 0)) + b"\0\1" + bytes(6)
            question = reply[12 : reply.index(b"\0", 12) + 5]
            _ask(session, core, header + question)
    core.replay.sweep()
    session.reached["reported"] += len(core.replay.take_hits())
    core.take_counts()


def _ask(session: Session, core: Any, query: bytes) -> None:
    answer = core.answer(session.give(query), session.rng.choice(_CLIENTS), INTERFACE)
    session.reached["repeated"] += answer is not None and answer[3] & 15 == 0
