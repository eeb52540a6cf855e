# SPDX-License-Identifier: Apache-2.0
"""One question to one server by TCP: for answers that do not fit a datagram."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from filterd.errors import UpstreamMalformedError, UpstreamUnreachableError
from filterd.upstream.upstream_question import UpstreamQuestion, compose, new_id, parse_answer
from filterd.wire import ParsedResponse, frame

if TYPE_CHECKING:
    from filterd.policy.model import UpstreamServer


async def ask_by_tcp(
    server: UpstreamServer, question: UpstreamQuestion, *, edns: bool
) -> ParsedResponse:
    """Ask on a fresh connection. The caller bounds the time by cancelling.

    Raises:
        UpstreamUnreachableError: no connection, or it ended before the answer.
        UpstreamMalformedError: the answer is not one to this question, or not whole.
    """
    message_id = new_id()
    try:
        reader, writer = await asyncio.open_connection(server.address, server.port)
        try:
            writer.write(frame(compose(question, message_id, edns=edns)))
            length = int.from_bytes(await reader.readexactly(2), "big")
            message = await reader.readexactly(length)
        finally:
            writer.close()
    except (OSError, EOFError) as error:
        raise UpstreamUnreachableError(f"{server.address} by TCP: {error}") from error
    response = parse_answer(message, question, message_id)
    if response is None:
        raise UpstreamMalformedError(f"{server.address} by TCP answered another question")
    if response.header.tc:
        raise UpstreamMalformedError(f"{server.address} truncated its answer even by TCP")
    return response
