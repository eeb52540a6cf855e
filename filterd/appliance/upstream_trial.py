# SPDX-License-Identifier: Apache-2.0
"""Try one upstream with two questions: does it answer, validate, tell the truth.

One question is for a name that exists and is signed, the other for a random name that does
not exist (RFC 8020). A resolver that gives the second an address rewrites NXDOMAIN; one that
gives both the same address is the resolver of a captive portal.
"""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING, NamedTuple

from filterd.appliance.stub_query import addresses_in, ask, question_for, rcode_name
from filterd.clock import SystemClock
from filterd.errors import FilterdError, UpstreamError, WireError
from filterd.i18n import UNSAID, Sentence, quoted, refused, say
from filterd.policy.model import Tls
from filterd.upstream.private_ranges import is_private
from filterd.upstream.tls import TlsConnections
from filterd.wire import Rcode

if TYPE_CHECKING:
    from filterd.clock import Clock
    from filterd.policy.model import UpstreamServer
    from filterd.wire import ParsedResponse

SIGNED = "example.com"
"""A name that IANA keeps and signs (RFC 6761 §6.5)."""
WITHIN_S = 3.0


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
