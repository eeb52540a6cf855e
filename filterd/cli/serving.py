# SPDX-License-Identifier: Apache-2.0
"""The process that serves: the daemon and its control socket, put together.

``filterd serve`` parses its arguments and then *becomes* ``python -m
filterd.cli.serving``: what parses and draws for people (typer, rich, YAML,
pydantic) must not stay in the memory of a process that runs for months on a
small board. So this module imports none of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import uvloop

from filterd.clock import SystemClock
from filterd.control import Command, ControlServer
from filterd.errors import ControlError, FilterdError, StoreError
from filterd.lists import matcher
from filterd.paths import StateFolder
from filterd.policy.model import ListenAddress, Policy
from filterd.server import state as on_disk
from filterd.server.daemon import Daemon
from filterd.texts import Texts

_log = logging.getLogger("filterd")


def main(config: str, state: str, language: str, try_it: str) -> None:
    """Serve until told to stop.

    Args:
        config: the folder of ``site.yaml``.
        state: the folder of compiled policy and lists.
        language: of what is said at the start, ``vi`` or ``en``.
        try_it: ``yes`` to print commands that show what different classes get.
    """
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    texts = Texts("vi" if language == "vi" else "en")
    try:
        uvloop.run(_serve(Path(config), StateFolder(Path(state)), texts, try_it=try_it == "yes"))
    except FilterdError as error:
        for line in str(error).splitlines():
            _say(f"filterd: {line}")
        sys.exit(error.exit_code)
    except KeyboardInterrupt:  # before the loop could take it for a wish to stop
        sys.exit(0)


async def _serve(config: Path, state: StateFolder, texts: Texts, *, try_it: bool) -> None:
    """Serve until cancelled, which is what the signals do; then leave nothing behind."""
    daemon = Daemon(config, state, SystemClock())
    control = ControlServer(state.control_socket, commands(daemon))
    with on_disk.held(state), contextlib.suppress(asyncio.CancelledError):
        _heed_signals(daemon)
        try:
            await daemon.start()
            await _start_or_do_without(control)
            for line in _greeting(texts, daemon, try_it=try_it):
                _say(line)
            await asyncio.Event().wait()
        finally:
            await control.close()
            await daemon.stop()


async def _start_or_do_without(control: ControlServer) -> None:
    """Commands must not be able to take the DNS down: a full or damaged disk ends only them."""
    try:
        await control.start()
    except StoreError as error:
        _log.error("%s; serving without it", error)


def _heed_signals(daemon: Daemon) -> None:
    loop, this = asyncio.get_running_loop(), asyncio.current_task()
    assert this is not None
    reloads: set[asyncio.Task[None]] = set()

    def hang_up() -> None:
        task = loop.create_task(_reload(daemon))
        reloads.add(task)
        task.add_done_callback(reloads.discard)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, this.cancel)
    loop.add_signal_handler(signal.SIGHUP, hang_up)


async def _reload(daemon: Daemon) -> None:
    try:
        await daemon.reload()
    except FilterdError as error:
        for line in str(error).splitlines():
            _log.error("%s", line)
        _log.error("not reloaded: what was in force stays")


def commands(daemon: Daemon) -> dict[str, Command]:
    """Return what the control socket can be asked."""

    async def ping(_: dict[str, Any]) -> str:
        return "pong"

    async def status(_: dict[str, Any]) -> dict[str, Any]:
        return daemon.status()

    async def reload(_: dict[str, Any]) -> dict[str, Any]:
        return asdict(await daemon.reload())

    async def check(request: dict[str, Any]) -> dict[str, Any] | None:
        try:
            qname, qtype = bytes.fromhex(request["qname"]), int(request["qtype"])
            whom = {"grade": request["grade"], "address": request["client"], "at": request["at"]}
        except (KeyError, TypeError, ValueError) as error:
            raise ControlError("`check` wants qname, qtype, grade, client and at") from error
        told = await daemon.explain(qname, qtype, **whom)
        return told.as_dict() if told else None

    return {"ping": ping, "status": status, "reload": reload, "check": check}


def _greeting(texts: Texts, daemon: Daemon, *, try_it: bool) -> Iterator[str]:
    """Say what is served and what is missing; nothing that has to be looked for in a log."""
    policy = daemon.site.policy
    shown = ", ".join(f"{one.address} port {one.port}" for one in policy.listen)
    yield texts("serve.ready", listen=shown)
    if not matcher.NATIVE:
        yield texts("serve.pure")
    if not daemon.site.route.servers:
        yield texts("serve.no_upstream")
    if try_it:
        yield texts("serve.try")
        for line in _examples(policy):
            yield f"  {line}"


def _examples(policy: Policy) -> list[str]:
    """Return lookups as different classes of the sample site; see ``policies/site.yaml``."""
    listen = _loopback(policy)
    server = f"@{listen.address} -p {listen.port}"
    asked = [
        ("127.0.1.1", "www.tiktok.com", "grade 1"),
        ("127.0.11.1", "www.tiktok.com", "grade 11"),
        ("127.0.100.1", "www.tiktok.com", "staff"),
        ("127.0.100.1", "www.pornhub.com", "staff, locked for everybody"),
    ]
    width = max(len(f"{source} {name}") for source, name, _ in asked)
    return [
        f"dig -b {source} {server} {name}{' ' * (width - len(source) - len(name))} # {whom}"
        for source, name, whom in asked
    ]


def _loopback(policy: Policy) -> ListenAddress:
    return next((one for one in policy.listen if one.address == "127.0.0.1"), policy.listen[0])


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
