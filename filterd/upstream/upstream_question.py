# SPDX-License-Identifier: Apache-2.0
"""Upstream questions: the servers asked, the query, its answer (RFC 5452 §9.1)."""

from __future__ import annotations

import secrets
from dataclasses import replace
from functools import cache
from struct import Struct
from typing import TYPE_CHECKING, NamedTuple, Self
from weakref import WeakValueDictionary

from filterd.base.errors import WireError
from filterd.policy.model import Tls
from filterd.wire import ParsedResponse, Question, RRClass, compose_query, parse_response

if TYPE_CHECKING:
    from filterd.policy.model import UpstreamServer
    from filterd.upstream.randomness import RandomNumbers

_TYPE_AND_CLASS = Struct("!HH")
_HEADER_OCTETS = 12
_RESPONSE_TO_A_QUERY = 0x80
_QR_AND_OPCODE = 0xF8
_LETTER_CASE = 0x20
PLAIN_PORT, TLS_PORT = 53, 853


class Route:
    """Servers for the same names. Immutable; equal routes share cache entries.

    Equal routes are one object: a route is part of the key of every cached answer, and
    identity is compared without reading its fields.

    Args:
        servers: in the operator's order.
        whole: they are authorities of a zone of the school, and every record that they
        send is passed on; of other servers' responses only the answer is.
    """

    __slots__ = ("__weakref__", "servers", "whole")

    servers: tuple[UpstreamServer, ...]
    whole: bool

    def __new__(cls, servers: tuple[UpstreamServer, ...], *, whole: bool = False) -> Self:
        """Return the existing route, or make it."""
        route = _made.get((servers, whole))
        if not isinstance(route, cls):
            route = _made[servers, whole] = super().__new__(cls)
            route.servers, route.whole = servers, whole
        return route

    def __repr__(self) -> str:
        return f"Route({self.servers!r}, whole={self.whole})"


_made: WeakValueDictionary[tuple[tuple[UpstreamServer, ...], bool], Route] = WeakValueDictionary()

NO_SERVERS = Route(())
"""A route by which nothing can be asked."""


def in_clear(server: UpstreamServer) -> UpstreamServer:
    """Return the server as it is asked in clear, where TLS cannot be had.

    Its usual port then differs, and its AD bit is not believed: any host on the path could
    have set it. A server that is never asked by TLS is returned unchanged.
    """
    if server.tls == Tls.NO:
        return server
    return replace(server, port=PLAIN_PORT, tls=Tls.NO, tls_name="", trusted=False)


class UpstreamQuestion(NamedTuple):
    """A question as an upstream gets it, with its route; equal ones share an answer.

    CD and DO change an upstream's answer, so they are part of it, and so is
    the route. It is the key of the cache, of failures and of exchanges in flight.
    """

    qname: bytes
    qtype: int
    do: bool
    cd: bool
    route: Route = NO_SERVERS


def new_id() -> int:
    """Return an unpredictable message ID."""
    return secrets.randbits(16)


def compose(
    question: UpstreamQuestion, message_id: int, *, edns: bool = True, pad_to: int = 0
) -> bytes:
    """Compose the query: RD set, CD and DO as asked, no option of the client's.

    AD is set: without DO it is the only way to learn whether the answer was validated
    (RFC 6840 §5.7); whether to believe it is decided when the answer is there.
    """
    return compose_query(
        message_id,
        Question.of(question.qname, question.qtype),
        cd=question.cd,
        ad=True,
        do=question.do,
        edns=edns,
        pad_to=pad_to if edns else 0,
    )


def parse_answer(
    message: bytes, question: UpstreamQuestion, message_id: int
) -> ParsedResponse | None:
    """Return the response if ``message`` answers ``question``, else None.

    For a connection, on which only the server can write. Never raises: a message that does
    not parse answers nothing, and the true answer may still come.
    """
    if message[:2] != message_id.to_bytes(2, "big"):
        return None
    section = question.qname + _TYPE_AND_CLASS.pack(question.qtype, RRClass.IN)
    return (
        _parsed(message)
        if _answers(message, section) or _answers_but_for_case(message, section)
        else None
    )


class OutgoingQuery:
    """A query by UDP, and the check for its answer.

    Args:
        question: what is asked.
        edns: whether to add an OPT record.
        numbers: the source of random letter case (0x20), where the server keeps
            it; then only an answer in the same case is one. None for none.
    """

    __slots__ = ("_rest", "_section", "edns", "exact")

    def __init__(
        self, question: UpstreamQuestion, *, edns: bool, numbers: RandomNumbers | None = None
    ) -> None:
        self.edns, self.exact = edns, numbers is not None
        qname = question.qname
        if numbers is not None:
            qname = randomise_case(qname, numbers)
        self._section = qname + _TYPE_AND_CLASS.pack(question.qtype, RRClass.IN)
        before, behind = around_the_section(do=question.do, cd=question.cd, edns=edns)
        self._rest = before + self._section + behind

    def message(self, message_id: int) -> bytes:
        """Return the query with this ID."""
        return message_id.to_bytes(2, "big") + self._rest

    def answered_by(self, message: bytes) -> ParsedResponse | None:
        """Return the response if the message is one, else None.

        The caller, which has several outstanding, checks the ID; the kernel checks address
        and port: the socket is connected. Never raises.
        """
        if _answers(message, self._section):
            return _parsed(message)
        if not self.exact and _answers_but_for_case(message, self._section):
            return _parsed(message)
        return None

    def differs_in_case(self, message: bytes) -> bool:
        """Return whether a message is the answer except for letter case."""
        return self.exact and _answers_but_for_case(message, self._section)


@cache
def around_the_section(*, do: bool, cd: bool, edns: bool) -> tuple[bytes, bytes]:
    """Return the octets between ID and question section, and behind it; cached."""
    message = compose(UpstreamQuestion(b"\0", 0, do, cd), 0, edns=edns)
    end = _HEADER_OCTETS + 1 + _TYPE_AND_CLASS.size
    return message[2:_HEADER_OCTETS], message[end:]


def randomise_case(qname: bytes, numbers: RandomNumbers) -> bytes:
    """Return the name with letters in random case (draft-vixie-dnsext-dns0x20).

    Letters only change, so length octets, which are below 64, stay.
    """
    bits = 0
    octets = bytearray(qname)
    for at, octet in enumerate(octets):
        if bits <= 1:
            bits = 0x1_0000 | numbers.uint16()
        if 0x61 <= octet <= 0x7A and bits & 1:
            octets[at] = octet ^ _LETTER_CASE
        bits >>= 1
    return bytes(octets)


def _answers(message: bytes, section: bytes) -> bool:
    """Return whether a message responds to a query with exactly this question section."""
    return (
        message[_HEADER_OCTETS : _HEADER_OCTETS + len(section)] == section
        and message[2] & _QR_AND_OPCODE == _RESPONSE_TO_A_QUERY
        and message[4:6] == b"\0\1"
    )


def _answers_but_for_case(message: bytes, section: bytes) -> bool:
    end = _HEADER_OCTETS + len(section)
    name, rest = message[_HEADER_OCTETS : end - 4], message[end - 4 : end]
    if name.lower() != section[:-4].lower() or rest != section[-4:]:
        return False
    return message[2] & _QR_AND_OPCODE == _RESPONSE_TO_A_QUERY and message[4:6] == b"\0\1"


def _parsed(message: bytes) -> ParsedResponse | None:
    try:
        return parse_response(message)
    except WireError:
        return None
