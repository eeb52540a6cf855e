# SPDX-License-Identifier: Apache-2.0
"""Bind and connect Unix sockets below temporary folders, whose paths may be long."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from filterd.base.socket_path import short_path

if TYPE_CHECKING:
    import socket
    from pathlib import Path


def bind(opened: socket.socket, path: Path | str) -> None:
    """Bind a socket to a path of any length."""
    with short_path(path) as address:
        opened.bind(address)


def connect(opened: socket.socket, path: Path | str) -> None:
    """Connect a socket to the one at a path of any length."""
    with short_path(path) as address:
        opened.connect(address)


async def open_streams(path: Path) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect to the socket at a path of any length, in the event loop."""
    with short_path(path) as address:
        return await asyncio.open_unix_connection(address)
