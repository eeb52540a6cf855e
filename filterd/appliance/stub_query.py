# SPDX-License-Identifier: Apache-2.0
"""Ask one resolver as a stub resolver does (RFC 1035 §4.2.1), and try it.

A trial has two questions. One is for a name that exists and is signed, the other for a random
name that does not exist (RFC 8020). A resolver that gives the second an address rewrites NXDOMAIN;
one that gives both the same address is the resolver of a captive portal.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
from typing import TYPE_CHECKING, NamedTuple

from filterd.base.clock import SystemClock
from filterd.base.errors import FilterdError, UpstreamError, WireError
from filterd.policy.model import Tls
from filterd.texts.i18n import UNSAID, Sentence, quoted, refused, say
from filterd.upstream.private_ranges import is_private
from filterd.upstream.tls import TlsConnections
from filterd.upstream.upstream_question import UpstreamQuestion, compose, new_id, parse_answer
from filterd.wire import ANSWER, EdeCode, Rcode, RRType, address_of, edes_of
from filterd.wire import name as names

if TYPE_CHECKING:
    from filterd.base.clock import Clock
    from filterd.policy.model import UpstreamServer
    from filterd.wire import ParsedResponse

AGAIN_AFTER_S, WITHIN_S = 1.0, 3.0
LOCAL_NAME = "localhost"
"""A name that filterd answers by itself (RFC 6761 §6.3)."""
_LARGEST = 65_535
_BLOCKS = frozenset((EdeCode.BLOCKED, EdeCode.CENSORED, EdeCode.FILTERED, EdeCode.PROHIBITED))


def question_for(name: str) -> UpstreamQuestion:
    """Return the question for the IPv4 addresses of a name."""
    return UpstreamQuestion(names.from_text(name), int(RRType.A), do=False, cd=False)


async def ask(
    server: str, port: int, name: str, *, source: str = "", within_s: float = WITHIN_S
) -> ParsedResponse:
    """Return a server's answer; the question is repeated until the time is over.

    Args:
        server: an address literal, with its scope if it is link-local.
        port: of it.
        name: whose IPv4 addresses are asked for.
        source: the own address to ask from; empty for the kernel's choice.
        within_s: until there must be an answer.

    Raises:
        TimeoutError: there is none.
        OSError: the server cannot be reached, or ``source`` is not of this machine.
    """
    loop, question = asyncio.get_running_loop(), question_for(name)
    family = socket.AF_INET6 if ":" in server else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as opened:
        opened.setblocking(False)
        if source:
            opened.bind((source, 0))
        async with asyncio.timeout(within_s):
            await loop.sock_connect(opened, (server, port))
            while True:
                message_id = new_id()
                await loop.sock_sendall(opened, compose(question, message_id))
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(AGAIN_AFTER_S):
                        while True:
                            message = await loop.sock_recv(opened, _LARGEST)
                            if answer := parse_answer(message, question, message_id):
                                return answer


def is_block(response: ParsedResponse) -> bool:
    """Return whether an answer states that the name is blocked (RFC 8914 §4).

    Raises:
        WireError: what it states is malformed.
    """
    return any(one.code in _BLOCKS for one in edes_of(response.edns))


def rcode_name(response: ParsedResponse) -> str:
    """Return the name of an answer's RCODE, or its number where it has none here."""
    return Rcode(response.rcode).name if response.rcode in list(Rcode) else str(response.rcode)


def addresses_in(response: ParsedResponse) -> set[bytes]:
    """Return the IPv4 addresses of an answer, four octets each.

    Raises:
        WireError: one of them has another length.
    """
    records = (record for record in response.records if record.section == ANSWER)
    return {address_of(response, record) for record in records if record.rtype == RRType.A}


SIGNED = "example.com"
"""A name that IANA keeps and signs (RFC 6761 §6.5)."""


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
        return _judged(trial, signed, absent)
    except (UpstreamError, WireError, OSError) as error:
        why = connections.problem(server) if connections else UNSAID
        return trial._replace(problem=why or _reason(error))
    finally:
        if connections:
            connections.close()


def _judged(trial: UpstreamTrial, signed: ParsedResponse, absent: ParsedResponse) -> UpstreamTrial:
    known, invented = addresses_in(signed), addresses_in(absent)
    if signed.rcode != Rcode.NOERROR:
        problem = say("it answers with the error {rcode}", rcode=rcode_name(signed))
        return trial._replace(problem=problem)
    return trial._replace(
        validates=signed.header.ad,
        rewrites_nxdomain=bool(invented),
        is_captive=any(map(is_private, known)) or bool(known & invented),
    )


async def _ask(
    server: UpstreamServer, connections: TlsConnections | None, name: str
) -> ParsedResponse:
    """Return the answer for the addresses of a name; the caller bounds the time."""
    if connections is not None:
        return await connections.ask(server, question_for(name), edns=True)
    return await ask(server.address, server.port, name)


def _reason(error: OSError | FilterdError) -> Sentence:
    if isinstance(error, TimeoutError):
        return say("it does not answer")
    return refused(error) if isinstance(error, OSError) else quoted(str(error))
