# SPDX-License-Identifier: Apache-2.0
"""Names, cells, templates and clients of sites, valid and invalid."""

from __future__ import annotations

import tempfile
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filterd.fastpath.core_contract import BLOCK, Cell
from filterd.lists.index_format import HEADER_OCTETS, IndexHeader
from filterd.lists.lookalikes import may_match
from tests.fuzz.native.messages import Messages, hostile_queries, well_formed
from tests.support.fast_cores import CLIENT, INTERFACE, NOW, TEMPLATE, WALL
from tests.support.policies import an_index
from tests.support.serving import LISTS
from tests.support.wire import QUESTION, a_message

if TYPE_CHECKING:
    from random import Random

    from filterd.lists.index import Index
    from tests.fuzz.native.session import Session

fastpath: Any = import_module("filterd.fastpath._core")
matching: Any = import_module("filterd.lists._matcher")

REACHES = {
    "blocked",
    "left to the chain",
    "open",
    "let through",
    "no such cell",
    "refused",
    "damaged",
}

_ASKED = 30
_LABELS = (b"i9bet7", b"xn--a", b"a", b"porn", b"example", b"malware", b"wpad", b"x" * 63, b"w")
_RIGHT = (0, 1, 2)
_SIZES = (1, 5, 9, 63, 64, 254, 255, 255, 256)
_NUMBERS = (-1, 0, 1, 2, 3, 255, 256, 65_535, 2**31 - 1)


def drive(session: Session) -> None:
    """Fill tables rightly and wrongly, over sound and damaged indexes."""
    messages = Messages(session.rng, well_formed() * 3 + hostile_queries() + _deep())
    with tempfile.TemporaryDirectory() as folder:
        index = an_index(Path(folder), LISTS)
        octets = bytes(index._mapped)
        for _ in session.rounds():
            _fill_rightly(session, index, messages)
            _fill_wrongly(session, octets, messages)


def _deep() -> list[bytes]:
    """Return queries of as many labels as are looked up here, and of more."""
    tail = QUESTION[-4:]
    return [a_message(b"\1a" * n + b"\4porn\7example\0" + tail) for n in (0, 1, 20, 21, 22, 23, 99)]


def _name(rng: Random) -> bytes:
    labels = [rng.choice(_LABELS) for _ in range(rng.randint(0, 4))]
    while sum(map(len, labels)) + len(labels) > 254:
        labels.pop()
    return b"".join(bytes((len(label),)) + label for label in labels) + b"\0"


def _deep_name(rng: Random) -> bytes:
    """Return one of about as many labels as are looked up here."""
    return b"\1a" * rng.randint(20, 124) + b"\4porn\0"


def _fill_rightly(session: Session, index: Index, messages: Messages) -> None:
    """Set possible facts of a site; an answer may lead to open names, and to no others."""
    rng = session.rng
    touched = {
        session.give(_name(rng)): rng.choice((1, 2)) for _ in range(rng.choice((0, 0, 1, 60)))
    }
    first = [session.give(label) for label in rng.sample(_LABELS[5:], rng.randrange(3))]
    cells = [
        (rng.choice(_RIGHT), rng.choice((0, 4, 255)), 0, rng.choice((1, 9))) for _ in index.sets
    ]
    cells = [cell if cell[0] == BLOCK else (*cell[:2], rng.choice((0, 4_095)), 0) for cell in cells]
    skeletons = frozenset(
        rng.sample((b"#bet#", b"a", b"x" * 63, b"w", b"@%", b"@@%%"), rng.randrange(3))
    )
    core: Any = fastpath.Core(bytes(range(16)))
    core.table.load(
        matching.Matcher(index._mapped, index._header),
        touched,
        first,
        len(index.sets),
        lambda _, set_id: Cell(*cells[set_id]),
        skeletons,
    )
    _settle(core)
    for _ in range(_ASKED):
        answer = core.answer(session.give(messages.one()), CLIENT, INTERFACE)
        assert answer is None or core.opening < 0
        session.reached["blocked" if answer else "left to the chain"] += 1
        name = session.give(_name(rng) if rng.random() < 0.9 else _deep_name(rng))
        through = core.lets_through(name, 0)
        core.answer(session.give(a_message(name + QUESTION[-4:])), CLIENT, INTERFACE)
        assert through is (core.opening >= 0), name
        assert not (through and may_match(skeletons, name)), name
        session.reached["open"] += through
        session.reached["let through"] += through


def _settle(core: Any) -> None:
    """Make a client and its answers known to a core."""
    core.at(NOW, WALL)
    core.table.add_template(*TEMPLATE)
    core.learn(CLIENT, INTERFACE, core.add_group(0), NOW + 60)


def _fill_wrongly(session: Session, octets: bytes, messages: Messages) -> None:
    """Set impossible facts of a site, for an index with damaged slots and blocks."""
    rng = session.rng
    core = fastpath.Core(rng.randbytes(16))
    spoilt = bytearray(octets)
    header = IndexHeader.parse(octets[:HEADER_OCTETS], len(octets))
    for _ in range(rng.choice((0, 1, 30))):
        offset, length = header.spans[rng.choice(("blocks", "slots"))]
        spoilt[offset + rng.randrange(length)] = rng.randrange(256)
        session.reached["damaged"] += 1
    matcher = matching.Matcher(session.give(bytes(spoilt)), header)
    touched = {
        session.give(rng.randbytes(rng.choice(_SIZES))): rng.choice(_NUMBERS)
        for _ in range(rng.choice((0, 1, 7, 8, 9)))
    }
    skeletons = [rng.randbytes(rng.choice(_SIZES)) for _ in range(rng.choice((0, 1, 9)))]
    first = [session.give(bytes(rng.choice(_SIZES[:5]))) for _ in range(rng.choice((0, 1, 2, 80)))]
    _try(
        session,
        lambda: core.table.load(
            matcher, touched, first, rng.choice((0, 1, 9)), _any(rng), skeletons
        ),
    )
    for _ in range(rng.choice((1, 3, 260))):
        made = [session.give(bytes(rng.choice((11, 12, 40, 126, 127)))) for _ in range(3)]
        _try(session, lambda made=made: core.table.add_template(*made))
    for _ in range(3):
        _try(session, lambda: core.add_group(rng.choice((0, 63, 64, -1)), rng.choice(_NUMBERS)))
        _try(
            session,
            lambda: core.learn(
                session.give(rng.randbytes(rng.choice((3, 4, 16, 17)))), 1, rng.choice(_RIGHT), NOW
            ),
        )
    _settle(core)
    for _ in range(_ASKED):
        query = session.give(messages.one())
        try:
            core.answer(query, CLIENT, INTERFACE)
        except ValueError:
            session.reached["no such cell"] += 1
        name = rng.choice((_name(rng), _deep_name(rng), rng.randbytes(rng.choice(_SIZES)), b""))
        try:
            core.lets_through(session.give(name), rng.choice((-1, 0, 0, 0, 1, 1_024)))
        except ValueError:
            session.reached["no such cell"] += 1


def _any(rng: Random) -> Any:
    return lambda _row, _set_id: tuple(rng.choice(_NUMBERS[1:8]) for _ in range(4))


def _try(session: Session, work: Any) -> None:
    try:
        work()
    except (ValueError, OverflowError):
        session.reached["refused"] += 1
