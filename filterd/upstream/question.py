# SPDX-License-Identifier: Apache-2.0
"""What we ask upstream, and whether a message answers it (RFC 5452 §9.1)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from filterd.errors import WireError
from filterd.wire import ParsedResponse, Question, RRClass, compose_query, parse_response


@dataclass(frozen=True, slots=True)
class UpstreamQuestion:
    """A question as an upstream sees it; equal ones may share an answer.

    CD and DO change what an upstream says, so they are part of it (dns.md §5).
    """

    qname: bytes
    qtype: int
    do: bool
    cd: bool


def new_id() -> int:
    """Return an unpredictable message ID."""
    return secrets.randbits(16)


def compose(question: UpstreamQuestion, message_id: int, *, edns: bool = True) -> bytes:
    """Compose the query: RD set, CD and DO as asked, no option of the client's."""
    return compose_query(
        message_id,
        Question.of(question.qname, question.qtype),
        cd=question.cd,
        do=question.do,
        edns=edns,
    )


def parse_answer(
    message: bytes, question: UpstreamQuestion, message_id: int
) -> ParsedResponse | None:
    """Return the response if ``message`` answers ``question``, else None.

    Peer address and port are checked by the kernel: the socket is connected.
    Never raises: what cannot be parsed answers nothing, and the true answer may
    still come.
    """
    if message[:2] != message_id.to_bytes(2, "big"):
        return None
    try:
        response = parse_response(message)
    except WireError:
        return None
    header, asked = response.header, response.question
    if not header.qr or header.opcode or asked is None or asked.qclass != RRClass.IN:
        return None
    return response if (asked.qname, asked.qtype) == (question.qname, question.qtype) else None
