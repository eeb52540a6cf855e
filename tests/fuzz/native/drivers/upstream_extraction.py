# SPDX-License-Identifier: Apache-2.0
"""The cacheable part of any responses, compared with the pure module."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from filterd.base.errors import UpstreamMalformedError, WireError
from filterd.upstream import UpstreamQuestion, resolution
from filterd.wire import _codec_py as pure
from tests.fuzz.native.messages import Messages, hostile_responses, responses
from tests.support.policies import wire
from tests.support.wire import a_message, a_query, a_record, a_response

if TYPE_CHECKING:
    from tests.fuzz.native.session import Session

reading: Any = import_module("filterd.wire._codec")
native: Any = import_module("filterd.upstream._pool")

REACHES = {"kept", "malformed", "with targets", "leads home", "of no name"}

_TYPES = (1, 2, 5, 6, 28, 39, 64, 65, 255, 65_535)
_NO_NAMES = (b"", b"\0\0", b"\1a", b"\1a" * 128 + b"\0", b"\xc0\x0c", b"\x40" + b"a" * 64 + b"\0")


def drive(session: Session) -> None:
    """Extract each response that can be read, as the answer to its question and to others."""
    seeds = responses() + hostile_responses() + _chains() + _home() * 3
    messages = Messages(session.rng, seeds)
    for _ in session.rounds():
        message = session.give(messages.one())
        try:
            live, reference = reading.parse_response(message), pure.parse_response(message)
        except WireError:
            continue
        asked = reference.question
        qname, qtype = (asked.qname, asked.qtype) if asked else (b"\1a\0", 1)
        if session.rng.random() < 0.1:
            qname = session.rng.choice(_NO_NAMES)
            session.reached["of no name"] += 1
        if session.rng.random() < 0.3:
            qtype = session.rng.choice(_TYPES)
        _both(session, live, reference, UpstreamQuestion(session.give(qname), qtype, False, False))


def _chains() -> list[bytes]:
    """Return aliases behind each other, more than are followed, in a circle, of long names."""
    made = []
    for count in (1, 7, 12, 15, 16, 17, 40):
        for tail in (b"\0", b"\x3f" + b"t" * 63 + b"\x3f" + b"t" * 63 + b"\0"):
            names = [bytes((2, 97 + n // 26, 97 + n % 26)) + tail for n in range(count + 1)]
            links = zip(names, [*names[1:], names[count // 2]], strict=True)
            body = names[0] + b"\0\1\0\1"
            body += b"".join(a_record(to, owner=owner, rtype=5) for owner, to in links)
            made.append(a_message(body, flags=0x8180, ancount=count + 1))
    soa = "example 60 SOA ns.example. mail.example. 1 2 3 4 5"
    made += [
        a_response(a_query(name), authority=[soa], rcode=rcode)
        for name in ("www.example", "example", "other.test")
        for rcode in ("NXDOMAIN", "NOERROR", "SERVFAIL")
    ]
    return made * 3


def _home() -> list[bytes]:
    """Return addresses at the edges of what is private, and some of no right length."""
    question = wire("www.example") + b"\0\1\0\1"
    addresses = (b"\x0a\0\0\1", b"\xc0\xa8\0\1", b"\x7f\0\0\1", bytes(3), bytes(5), bytes(16), b"")
    made = [
        a_message(question + a_record(address), flags=0x8180, ancount=1) for address in addresses
    ]
    question = wire("www.example") + b"\0\x1c\0\1"
    longer = (
        bytes(15) + b"\1",
        bytes(10) + b"\xff\xff\x0a\0\0\1",
        b"\xfe\x80" + bytes(14),
        b"\0",
    )
    return made + [
        a_message(question + a_record(one, rtype=28), flags=0x8180, ancount=1) for one in longer
    ]


def _both(session: Session, live: Any, reference: Any, question: UpstreamQuestion) -> None:
    said = [
        _outcome(work, parsed, question)
        for work, parsed in (
            (native.resolution_of, live),
            (resolution.resolution_of, reference),
        )
    ]
    assert said[0] == said[1], (question, said)
    if not isinstance(said[0], resolution.Resolution):
        session.reached["malformed"] += 1
        return
    session.reached["kept"] += 1
    session.reached["with targets"] += bool(said[0].targets)
    session.reached["leads home"] += said[0].private


def _outcome(work: Any, response: Any, question: UpstreamQuestion) -> Any:
    try:
        return work(response, question)
    except UpstreamMalformedError as error:
        cause = error.__cause__
        assert isinstance(cause, WireError)
        return type(cause), cause.offset
