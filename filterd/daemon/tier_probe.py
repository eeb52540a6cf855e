# SPDX-License-Identifier: Apache-2.0
"""Ask the daemon, as a client of one grade, for a name that must be blocked.

The question comes from a probe address (``clients.identifier``) and takes the way of every
device: the sockets, the rate limit, the fast path or the chain. Only an answer that filterd
itself composes for a block counts as one; what an upstream answers never does.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, NamedTuple

from filterd.errors import WireError
from filterd.fastpath.pktinfo import is_here
from filterd.i18n import Sentence, say
from filterd.policy.model import ListenAddress
from filterd.upstream.upstream_question import UpstreamQuestion, compose, new_id, parse_answer
from filterd.wire import ANSWER, EdeCode, Rcode, RRType, edes_of
from filterd.wire.header import TC

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from filterd.policy.model import GradePolicy
    from filterd.wire import ParsedResponse

    _Ask = Callable[[str, ListenAddress, UpstreamQuestion], Awaitable[ParsedResponse]]

ANSWER_WITHIN_S, TRIES = 1.0, 3

_LARGEST = 1232
_ANY_IPV4 = "0.0.0.0"  # noqa: S104 -- compared, not bound
_BLOCKS = frozenset((EdeCode.BLOCKED, EdeCode.FILTERED))
_NO_VERDICT = frozenset((Rcode.REFUSED, Rcode.FORMERR, Rcode.NOTIMP))
"""SERVFAIL is not among them: no block needs an upstream that could fail."""
_NO_NAMES = b"\0\0"
"""Primary server and mailbox in the SOA of a block, two roots; no zone of an upstream has them."""


class SelfTestOutcome(StrEnum):
    """The outcome of a self-test.

    FAILED: an answer came that is no block. UNKNOWN: none came, or nothing could be asked.
    """

    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "unknown"


class TierProbe(NamedTuple):
    """The questions for one name that must be blocked for one grade.

    Attributes:
        source: the probe address of the grade.
        name: canonical wire name.
        sinkholes: RDATA of the addresses that stand for a block of the grade.
    """

    source: str
    name: bytes
    sinkholes: frozenset[bytes]

    @classmethod
    def of(cls, source: str, name: bytes, grade: GradePolicy) -> TierProbe:
        """Return the questions for a name and a grade."""
        addresses = IPv4Address(grade.sinkhole_ipv4), IPv6Address(grade.sinkhole_ipv6)
        return cls(source, name, frozenset(one.packed for one in addresses))

    async def by_udp(self, at: ListenAddress) -> SelfTestOutcome:
        """Ask for A and AAAA by UDP; the name is blocked if it is for both types."""
        outcomes = [await self._judged(_by_udp, at, one) for one in (RRType.A, RRType.AAAA)]
        return worst(outcomes)

    async def by_tcp(self, at: ListenAddress) -> SelfTestOutcome:
        """Ask for A by TCP."""
        return await self._judged(_by_tcp, at, RRType.A)

    async def _judged(self, ask: _Ask, at: ListenAddress, qtype: RRType) -> SelfTestOutcome:
        """Ask a few times, until an answer shows whether the name is blocked."""
        question = UpstreamQuestion(self.name, int(qtype), do=False, cd=False)
        for _ in range(TRIES):
            with contextlib.suppress(OSError, EOFError, WireError):  # TimeoutError is an OSError
                async with asyncio.timeout(ANSWER_WITHIN_S):
                    response = await ask(self.source, at, question)
                if response.rcode not in _NO_VERDICT:
                    is_block = is_own_block(response, self.sinkholes)
                    return SelfTestOutcome.PASSED if is_block else SelfTestOutcome.FAILED
        return SelfTestOutcome.UNKNOWN


def worst(outcomes: Iterable[SelfTestOutcome]) -> SelfTestOutcome:
    """Return the worst of some outcomes; UNKNOWN for none."""
    found = set(outcomes)
    if SelfTestOutcome.FAILED in found:
        return SelfTestOutcome.FAILED
    is_passed = found == {SelfTestOutcome.PASSED}
    return SelfTestOutcome.PASSED if is_passed else SelfTestOutcome.UNKNOWN


def open_to(category: str, tiers: Iterable[str]) -> Sentence:
    """Return what is wrong where a category is open to tiers; it has no listed name."""
    return say(
        "a listed name of '{category}' is not blocked for {tiers}",
        category=category,
        tiers=", ".join(tiers),
    )


def asked_at(listen: Iterable[ListenAddress]) -> list[ListenAddress]:
    """Return the addresses at which the daemon can be asked now; IPv4 only."""
    here = (
        ListenAddress("127.0.0.1" if one.address == _ANY_IPV4 else one.address, one.port)
        for one in listen
        if ":" not in one.address
    )
    return [one for one in dict.fromkeys(here) if is_here(one.address)]


def is_own_block(response: ParsedResponse, sinkholes: frozenset[bytes]) -> bool:
    """Return whether an answer is a block of filterd (``resolve.answer_reply``).

    Args:
        response: of the daemon, with its extended errors (RFC 8914).
        sinkholes: RDATA of the addresses that stand for a block.

    Raises:
        WireError: an extended error is malformed.
    """
    if not any(one.code in _BLOCKS for one in edes_of(response.edns)):
        return False
    rdata = [
        (one.section, one.rtype, response.message[one.rdata_offset : one.end])
        for one in response.records
    ]
    answers = [data for section, _, data in rdata if section == ANSWER]
    if answers:
        return sinkholes.issuperset(answers)
    return any(rtype == RRType.SOA and data.startswith(_NO_NAMES) for _, rtype, data in rdata)


async def _by_udp(source: str, at: ListenAddress, question: UpstreamQuestion) -> ParsedResponse:
    loop, message_id = asyncio.get_running_loop(), new_id()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as opened:
        opened.bind((source, 0))
        opened.connect((at.address, at.port))
        opened.send(compose(question, message_id))
        while True:
            answer = parse_answer(await loop.sock_recv(opened, _LARGEST), question, message_id)
            if answer is not None:
                break
    if answer.header.flags & TC:  # above a rate limit, as for a device
        return await _by_tcp(source, at, question)
    return answer


async def _by_tcp(source: str, at: ListenAddress, question: UpstreamQuestion) -> ParsedResponse:
    message_id = new_id()
    reader, writer = await asyncio.open_connection(at.address, at.port, local_addr=(source, 0))
    try:
        query = compose(question, message_id)
        writer.write(len(query).to_bytes(2) + query)
        length = int.from_bytes(await reader.readexactly(2))
        answer = parse_answer(await reader.readexactly(length), question, message_id)
    finally:
        writer.close()
    if answer is None:
        raise EOFError("no answer to the question")
    return answer
