# SPDX-License-Identifier: Apache-2.0
"""Run the process that shows pupils why a page is closed."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from filterd.base import journal
from filterd.base.addresses import parse_listen
from filterd.base.clock import SystemClock
from filterd.base.errors import FilterdError
from filterd.base.process_memory import limit_free_memory
from filterd.base.service_manager import READY, STOPPING, notify, passed_sockets
from filterd.blockpage.manager_answers import ManagerAnswers
from filterd.blockpage.page_service import PageService, ReviewTokens
from filterd.http.http_service import ConnectionBounds, serve
from filterd.texts.i18n import language_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from filterd.base.clock import Clock

Listen = tuple[str, int] | socket.socket
BOUNDS = ConnectionBounds(most=256, most_of_client=8)
"""A class opens a page at the same time; one device opens few."""


def main(control_socket: str, language: str, *listen: str) -> None:
    """Serve until SIGTERM or SIGINT.

    Args:
        control_socket: its path.
        language: of the journal.
        listen: addresses with ports, for when the service manager passes no sockets.
    """
    spoken = language_of(language)
    journal.begin(spoken)
    limit_free_memory()
    try:
        places: list[Listen] = [*passed_sockets()]
        places = places or [parse_listen(one, "[::]:80") for one in listen]
        asyncio.run(serve_pages(Path(control_socket), places, SystemClock()))
    except FilterdError as error:
        for line in error.translated(spoken).splitlines():
            sys.stderr.write(f"filterd: {line}\n")
        sys.exit(error.exit_code)


async def serve_pages(control_socket: Path, listen: Sequence[Listen], clock: Clock) -> None:
    """Serve until a signal to stop.

    Raises:
        ConfigError: a port cannot be bound.
    """
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    journal.attend(loop)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    answers = ManagerAnswers(control_socket, clock)
    pages = PageService(answers, ReviewTokens(clock))
    servers = [await serve(one, pages.handle, BOUNDS) for one in listen]
    notify(READY)
    await stop.wait()
    notify(STOPPING)
    for server in servers:
        server.close()
    answers.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
