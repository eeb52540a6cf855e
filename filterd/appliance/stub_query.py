# SPDX-License-Identifier: Apache-2.0
"""Ask one resolver by UDP, as a device's stub resolver does (RFC 1035 §4.2.1)."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING

from filterd.upstream.upstream_question import UpstreamQuestion, compose, new_id, parse_answer
from filterd.wire import ANSWER, EdeCode, Rcode, RRType, address_of, edes_of
from filterd.wire import name as names

if TYPE_CHECKING:
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
    records = (one for one in response.records if one.section == ANSWER)
    return {address_of(response, one) for one in records if one.rtype == RRType.A}
