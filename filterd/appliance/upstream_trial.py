# SPDX-License-Identifier: Apache-2.0
"""Try one upstream with two questions: does it answer, validate, tell the truth.

One question is for a name that exists and is signed, the other for a random name that does
not exist (RFC 8020). A resolver that gives the second an address rewrites NXDOMAIN; one that
gives both the same address is the resolver of a captive portal.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
from typing import TYPE_CHECKING, NamedTuple

from filterd.clock import SystemClock
from filterd.errors import UpstreamError, WireError
from filterd.i18n import UNSAID, Sentence, quoted, refused, say
from filterd.policy.model import Tls
from filterd.upstream.private_ranges import is_private
from filterd.upstream.tls import TlsConnections
from filterd.upstream.upstream_question import UpstreamQuestion, compose, new_id, parse_answer
from filterd.wire import ANSWER, Rcode, RRType, address_of
from filterd.wire import name as names

if TYPE_CHECKING:
    from filterd.clock import Clock
    from filterd.policy.model import UpstreamServer
    from filterd.wire import ParsedResponse

SIGNED = "example.com"
"""A name that IANA keeps and signs (RFC 6761 §6.5)."""
WITHIN_S = 3.0

_AGAIN_AFTER_S = 1.0
_LARGEST = 65_535


class UpstreamTrial(NamedTuple):
    """The result for one upstream.

    Attributes:
        server: which was tried, as it was asked.
        problem: why there was no answer of use; empty if there was.
        rtt_ms: until the first answer, None without one; by TLS with the handshake.
        validates: whether it set AD for a signed name (RFC 6840 §5.8).
        rewrites_nxdomain: whether a name that does not exist has an address there.
        is_captive: whether all names have one address there, or a private one.
    """

    server: UpstreamServer
    problem: Sentence = UNSAID
    rtt_ms: int | None = None
    validates: bool = False
    rewrites_nxdomain: bool = False
    is_captive: bool = False


async def attempt(
    server: UpstreamServer, *, clock: Clock | None = None, within_s: float = WITHIN_S
) -> UpstreamTrial:
    """Ask one upstream, by TLS if the entry has it, and otherwise by UDP.

    Args:
        server: with a literal address, not ``system``.
        clock: for the round-trip time.
        within_s: bound of both questions together.
    """
    clock = clock or SystemClock()
    trial = UpstreamTrial(server)
    connections = None if server.tls is Tls.NO else TlsConnections(clock)
    try:
        async with asyncio.timeout(within_s):
            begun = clock.monotonic()
            signed = await _ask(server, connections, SIGNED)
            trial = trial._replace(rtt_ms=round(1000 * (clock.monotonic() - begun)))
            absent = await _ask(server, connections, f"{secrets.token_hex(10)}.com")
    except TimeoutError:
        why = connections.problem(server) if connections else UNSAID
        return trial._replace(problem=why or say("it does not answer"))
    except (UpstreamError, OSError) as error:
        why = connections.problem(server) if connections else UNSAID
        return trial._replace(problem=why or _reason(error))
    finally:
        if connections:
            connections.close()
    return _judged(trial, signed, absent)


def _judged(trial: UpstreamTrial, signed: ParsedResponse, absent: ParsedResponse) -> UpstreamTrial:
    known, invented = _addresses(signed), _addresses(absent)
    if signed.rcode != Rcode.NOERROR:
        return trial._replace(problem=say("it answers with the error {rcode}", rcode=signed.rcode))
    return trial._replace(
        validates=signed.header.ad,
        rewrites_nxdomain=bool(invented),
        is_captive=any(map(is_private, known)) or bool(known & invented),
    )


def _addresses(response: ParsedResponse) -> set[bytes]:
    found = set()
    for record in response.records:
        if record.section == ANSWER and record.rtype == RRType.A:
            try:
                found.add(address_of(response, record))
            except WireError:
                continue
    return found


async def _ask(
    server: UpstreamServer, connections: TlsConnections | None, name: str
) -> ParsedResponse:
    """Return the answer for the addresses of a name; the caller bounds the time."""
    question = UpstreamQuestion(names.from_text(name), int(RRType.A), do=False, cd=False)
    if connections is not None:
        return await connections.ask(server, question, edns=True)
    loop = asyncio.get_running_loop()
    family = socket.AF_INET6 if ":" in server.address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as opened:
        opened.setblocking(False)
        where = (server.address, server.port)
        await loop.sock_connect(opened, where)
        while True:  # a lost datagram is no failure
            message_id = new_id()
            await loop.sock_sendall(opened, compose(question, message_id))
            try:
                async with asyncio.timeout(_AGAIN_AFTER_S):
                    while True:
                        message = await loop.sock_recv(opened, _LARGEST)
                        if answer := parse_answer(message, question, message_id):
                            return answer
            except TimeoutError:
                continue


def _reason(error: OSError | UpstreamError) -> Sentence:
    return refused(error) if isinstance(error, OSError) else quoted(str(error))
