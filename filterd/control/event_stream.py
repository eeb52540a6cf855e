# SPDX-License-Identifier: Apache-2.0
"""Follow commands that stream, in an event loop."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Any

from filterd.control import frames
from filterd.control.connection import (
    FOLLOWED_SILENCE_S,
    connect,
    new_request,
    no_answer,
    read_content,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

_CONNECT_WITHIN_S = 1.0


async def follow(
    path: Path,
    command: str,
    *,
    act_for: str = "",
    address: str = "",
    silence_s: float = FOLLOWED_SILENCE_S,
    **arguments: Any,
) -> AsyncIterator[Any]:
    """Yield the values of a command that streams, in an event loop; see ``stream``.

    A heartbeat is yielded as None, so that the caller may pass one on.
    """
    request = new_request(command, arguments, act_for, address)
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connect(connection, path, _CONNECT_WITHIN_S)
            connection.setblocking(False)
            reader, writer = await asyncio.open_unix_connection(
                sock=connection, limit=frames.LARGEST_ANSWER_OCTETS
            )
            try:
                writer.write(frames.dump_request(request))
                while True:
                    async with asyncio.timeout(silence_s):
                        line = await reader.readline()
                    content, is_end = read_content(line, request, path)
                    if is_end:
                        return
                    yield None if content.get(frames.HEARTBEAT) else content["result"]
            finally:
                writer.transport.abort()
        except (OSError, ValueError) as error:  # a frame beyond the bound is a ValueError
            raise no_answer(path) from error
