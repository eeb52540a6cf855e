# SPDX-License-Identifier: Apache-2.0
"""Messages of any octets into the native reader, beside its pure twin."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from filterd.base.errors import WireError
from filterd.wire import _codec_py as pure
from tests.fuzz.native.messages import (
    Messages,
    hostile_queries,
    hostile_responses,
    responses,
    well_formed,
)

if TYPE_CHECKING:
    from tests.fuzz.native.session import Session

native: Any = import_module("filterd.wire._codec")

REACHES = {
    "query",
    "response",
    "records",
    "name",
    "budget spent",
    "TruncatedMessageError",
    "BadLabelError",
    "BadPointerError",
    "BadCountError",
    "BadEdnsError",
    "CostlyMessageError",
}

_FACTS = ("header", "question", "records", "edns", "rcode", "steps_left")
_OFFSETS = (0, 11, 12, 16_384, 65_534, 65_535, 65_536, 2**31, 2**32 - 1)


class _Refused(NamedTuple):
    """Why a message is refused, and where."""

    fault: str
    offset: int


def drive(session: Session) -> None:
    """Read each message as a query and as a response, and names at any offset of it."""
    seeds = hostile_queries() + hostile_responses() + responses() + well_formed()
    messages = Messages(session.rng, seeds)
    for _ in session.rounds():
        message = session.give(messages.one())
        _both(session, "query", lambda twin, message=message: twin.parse_query(message))
        _respond(session, message)


def _both(session: Session, kind: str, work: Any) -> Any:
    """Return what comes of it natively; it must be what comes of it otherwise."""
    live, reference = (_outcome(work, twin) for twin in (native, pure))
    assert live == reference, (live, reference)
    session.reached[live.fault if isinstance(live, _Refused) else kind] += 1
    return live


def _outcome(work: Any, twin: Any) -> Any:
    try:
        return work(twin)
    except WireError as error:
        return _Refused(type(error).__name__, error.offset)


def _respond(session: Session, message: bytes) -> None:
    facts = _both(
        session,
        "response",
        lambda twin: [getattr(twin.parse_response(message), one) for one in _FACTS],
    )
    if isinstance(facts, _Refused):
        return
    session.reached["records"] += len(facts[2])
    parsed = native.parse_response(message), pure.parse_response(message)
    for _ in range(4):
        offset = session.rng.choice((*_OFFSETS, session.rng.randrange(len(message) + 2)))
        for read in ("expand_name", "read_name"):
            said = [
                _outcome(lambda one, r=read, o=offset: getattr(one, r)(o), one) for one in parsed
            ]
            assert said[0] == said[1], (read, offset, said)
            session.reached["name"] += not isinstance(said[0], _Refused)
    steps = session.rng.choice((0, 1, 2_048, 2**31 - 1))
    spent = [_outcome(lambda one, s=steps: one.spend(s, 12), one) for one in parsed]
    assert spent[0] == spent[1]
    session.reached["budget spent"] += spent[0] is not None
