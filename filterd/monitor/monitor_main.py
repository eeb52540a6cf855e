# SPDX-License-Identifier: Apache-2.0
"""Run the monitor: serve metrics and health, watch the status.

A *watcher* is given an observation every ``WATCH_EVERY_S`` seconds, one after the other. To
add one, append it in ``watchers_of``.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from filterd.base import journal
from filterd.base.service_manager import READY, STOPPING, notify
from filterd.http.http_service import Handler, HttpRequest, Reply, serve
from filterd.monitor import metrics
from filterd.monitor.alert_watch import AlertWatch
from filterd.monitor.status_source import Observation, StatusSource

if TYPE_CHECKING:
    from collections.abc import Sequence

    from filterd.base.clock import Clock
    from filterd.base.state_folder import StateFolder
    from filterd.texts.i18n import Language

WATCH_EVERY_S = 15.0

Watcher = Callable[[Observation], Awaitable[None]]

_logger = logging.getLogger("filterd.monitor")


def run(
    config: Path, state: StateFolder, listen: tuple[str, int], clock: Clock, language: Language
) -> None:
    """Monitor until SIGTERM or SIGINT.

    Raises:
        ConfigError: the port cannot be bound.
    """
    journal.begin(language)
    watchers = watchers_of(config, state, clock)
    asyncio.run(_monitor(StatusSource(state.control_socket, clock), listen, watchers))


def watchers_of(config: Path, state: StateFolder, clock: Clock) -> Sequence[Watcher]:
    """Return what is given each observation."""
    folder = Path(os.environ.get("STATE_DIRECTORY", state.monitor))  # of systemd
    return (AlertWatch(config, folder / "monitor.filterd", clock),)


async def _monitor(
    source: StatusSource, listen: tuple[str, int], watchers: Sequence[Watcher]
) -> None:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    server = await serve(listen, handler_of(source))
    address, port = server.sockets[0].getsockname()[:2]
    shown = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
    _logger.info("metrics: http://%s/metrics", shown)
    watching = loop.create_task(watch(source, watchers)) if watchers else None
    notify(READY)
    await stop.wait()
    notify(STOPPING)
    server.close()
    if watching is not None:
        watching.cancel()


def handler_of(source: StatusSource) -> Handler:
    """Return what makes the replies."""

    async def metrics_reply() -> Reply:
        observation = await source.latest()
        return Reply(HTTPStatus.OK, metrics.exposition(observation.status), metrics.MEDIA_TYPE)

    async def health() -> Reply:
        status = (await source.latest()).status
        is_well = status is not None and bool(status.get("workers"))
        return Reply(HTTPStatus.OK if is_well else HTTPStatus.SERVICE_UNAVAILABLE)

    paths = {"/metrics": metrics_reply, "/healthz": health}

    async def handle(request: HttpRequest) -> Reply:
        if not _is_of_loopback(request.headers.get("host", "localhost")):
            return Reply(HTTPStatus.MISDIRECTED_REQUEST)
        make = paths.get(request.path)
        if make is None:
            return Reply(HTTPStatus.NOT_FOUND)
        if not request.is_read:
            return Reply(HTTPStatus.METHOD_NOT_ALLOWED, headers=(("Allow", "GET, HEAD"),))
        return await make()

    return handle


def _is_of_loopback(host: str) -> bool:
    """Return whether a Host is the loopback of a machine, at whatever port.

    Another name was led here (DNS rebinding), so that a page of the Internet may read the reply.
    """
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False


async def watch(source: StatusSource, watchers: Sequence[Watcher]) -> None:
    """Give observations to the watchers for ever; an error of one is logged."""
    while True:
        observation = await source.latest()
        for watcher in watchers:
            try:
                await watcher(observation)
            except Exception:
                _logger.exception("an observation could not be judged")
        await asyncio.sleep(WATCH_EVERY_S)
