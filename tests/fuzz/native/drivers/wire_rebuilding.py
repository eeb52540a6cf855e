# SPDX-License-Identifier: Apache-2.0
"""Responses rebuilt and read back, from records that may lie."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from filterd.base.errors import WireError
from filterd.wire import Question
from filterd.wire import _codec_py as pure
from tests.fuzz.native.messages import Messages, hostile_responses, responses
from tests.support.wire import a_message, a_query, a_record, a_response

if TYPE_CHECKING:
    from tests.fuzz.native.session import Session

reading: Any = import_module("filterd.wire._codec")
native: Any = import_module("filterd.wire._codec")

REACHES = {"rebuilt", "behind an alias", "read back", "a lie refused", "a lie survived"}

_ALIAS = Question.of(b"\5alias\0", 1)
_NUMBERS = (0, 1, 12, 255, 512, 65_534, 65_535, 65_536)


def drive(session: Session) -> None:
    """Rebuild each response that can be read, beside the pure twin; then with false figures."""
    seeds = responses() + hostile_responses() + _with_names()
    messages = Messages(session.rng, seeds)
    for _ in session.rounds():
        message = session.give(messages.one())
        try:
            live, reference = reading.parse_response(message), pure.parse_response(message)
        except WireError:
            continue
        records = [record for record in reference.records if session.rng.random() < 0.8]
        session.rng.shuffle(records)
        changed = dict.fromkeys(records[::3], session.give(b"changed"))
        sections = _rebuild(session, (live, reference), records, changed)
        if sections is not None and reference.question is not None:
            _read_back(session, sections, reference.question)
        _lie(session, live, records, len(message))


def _with_names() -> list[bytes]:
    """Return responses whose RDATA grows when it is rebuilt: long names, pointed to."""
    long = b"\x3f" + b"n" * 63
    name = long * 3 + b"\x3d" + b"n" * 61 + b"\0"
    target = b"\xc0\x0c"
    made = []
    for rtype, rdata in (
        (33, bytes(6) + target),
        (6, target * 2 + bytes(20)),
        (15, b"\0\1" + target),
    ):
        for count in (1, 8, 60):
            body = name + b"\0\1\0\1" + a_record(rdata, rtype=rtype) * count
            made.append(a_message(body, flags=0x8180, ancount=count))
    query = a_query("other.test", "NAPTR")
    made.append(a_response(query, 'other.test 60 NAPTR 1 1 "u" "E2U" "!^.*$!x!" a.other.test'))
    return made * 5


def _outcome(work: Any) -> Any:
    try:
        return work()
    except WireError as error:
        return type(error).__name__, error.offset


def _rebuild(
    session: Session, parsed: tuple[Any, Any], records: list[Any], changed: dict[Any, bytes]
) -> Any:
    """Return rebuilt sections, None where they could not be made."""
    alias = _ALIAS._replace(wire=session.give(_ALIAS.wire))
    said = []
    for twin, one in zip((native, pure), parsed, strict=True):
        said.append(
            [
                _outcome(lambda t=twin, o=one: t.rebuild(o, records)),
                _outcome(lambda t=twin, o=one: t.rebuild(o, records, changed=changed)),
                _outcome(lambda t=twin, o=one: t.rebuild_behind_alias(o, records, alias, 77)),
            ]
        )
    assert said[0] == said[1], said
    sections, _, behind = said[0]
    session.reached["behind an alias"] += not isinstance(behind[0], str)
    if isinstance(sections[0], str):
        return None
    session.reached["rebuilt"] += 1
    return sections


def _read_back(session: Session, sections: Any, question: Any) -> None:
    kept = sections._replace(body=session.give(sections.body))
    back = [_outcome(lambda t=twin: t.read_back(kept, question).records) for twin in (native, pure)]
    assert back[0] == back[1], back
    session.reached["read back"] += 1


def _lie(session: Session, live: Any, records: list[Any], octets: int) -> None:
    """Hand in records of another message."""
    rng = session.rng
    for record in records[:3]:
        field = rng.choice(("section", "start", "rdata_offset", "rdlength", "rtype", "ttl"))
        left = octets - record.rdata_offset
        number = rng.choice((*_NUMBERS, getattr(record, field) + 1, left, left + 1))
        liar = record._replace(**{field: number})
        try:
            native.rebuild(live, [liar])
            session.reached["a lie survived"] += 1
        except (ValueError, OverflowError, WireError):
            session.reached["a lie refused"] += 1
