# SPDX-License-Identifier: Apache-2.0
"""Replies from sections of any octets to raw queries; figures may lie."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from filterd.base.errors import WireError
from filterd.wire import RebuiltSections
from filterd.wire import _codec_py as pure
from tests.fuzz.native.messages import Messages, well_formed

if TYPE_CHECKING:
    from filterd.wire import ParsedQuery
    from tests.fuzz.native.session import Session

native: Any = import_module("filterd.wire._codec")

REACHES = {"sent", "sent for octets", "a lie refused", "a lie survived"}

_TTL_OCTETS = 4
_RCODES = (0, 3, 16, 4_095)
_WAYS: tuple[dict[str, Any], ...] = (
    {},
    {"age_s": 100},
    {"cap_ttl_s": 10, "ad": True},
    {"set_ttl_s": 30, "floor_ttl_s": 5},
)


def drive(session: Session) -> None:
    """Send the same with both twins; then lie about where things are."""
    messages = Messages(session.rng, well_formed())
    for _ in session.rounds():
        message = session.give(messages.one())
        try:
            query = pure.parse_query(message)
        except WireError:
            query = None
        if query is not None:
            _send(session, message, query)
        _lie(session, message)


def _sections(session: Session, question_octets: int) -> RebuiltSections:
    """Return a body of any octets with TTLs anywhere in it."""
    rng = session.rng
    body = session.give(rng.randbytes(rng.choice((0, 4, 16, 300))))
    last = len(body) - _TTL_OCTETS
    places = tuple(rng.randint(0, last) for _ in range(rng.randrange(4))) if last >= 0 else ()
    ttls = tuple(rng.choice((0, 5, 300, 2**31 - 1)) for _ in places)
    return RebuiltSections(body, 1, 0, 2, places, ttls, question_octets)


def _send(session: Session, message: bytes, query: ParsedQuery) -> None:
    sections = _sections(session, len(query.question.wire))
    rcode, end = session.rng.choice(_RCODES), 12 + len(query.question.wire)
    for ways in _WAYS:
        expected = pure.assemble(query, sections, rcode, **ways)
        assert native.assemble(query, sections, rcode, **ways) == expected
    session.reached["sent"] += 1
    times: dict[str, Any] = {
        "age_s": session.rng.randrange(400),
        "cap_ttl_s": session.rng.choice((None, 60)),
    }
    about: Any = message, end, query.edns is not None, query.do, sections, rcode
    expected = pure.assemble_for(*about, **times, authentic=True)
    assert native.assemble_for(*about, **times, authentic=True) == expected
    session.reached["sent for octets"] += 1


def _lie(session: Session, message: bytes) -> None:
    """Name a question that is not there, and TTLs that stand elsewhere."""
    rng, octets = session.rng, len(message)
    end = rng.choice((0, 11, 12, octets - 1, octets, octets + 1, octets + 9, 2**32 - 1, 2**32))
    sections = _sections(session, max(end, 0) - 12)
    if rng.random() < 0.5:
        place = len(sections.body) - rng.randrange(6) * rng.choice((-1, 1))
        sections = sections._replace(ttl_offsets=(place,), ttls=(1,) * rng.choice((1, 1, 2)))
    try:
        native.assemble_for(message, end, rng.random() < 0.5, True, sections, 0)
        session.reached["a lie survived"] += 1
    except (ValueError, OverflowError):
        session.reached["a lie refused"] += 1
