# SPDX-License-Identifier: Apache-2.0
"""A local user floods the control socket: the manager stays small."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.support.commands import run
from tests.support.daemon import copy_lists, free_port, serving, write_site
from tests.support.processes import _resident, children
from tests.support.unix_sockets import connect
from tests.support.unprivileged import NOBODY, open_folder
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from filterd.base.state_folder import StateFolder

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("needs_root")]
CONNECTIONS, OCTETS = 1_200, 500_000
MOST_GROWTH = 40_000_000
FLOODED_S = 3.0
UNBOUNDED = (
    "import dataclasses, filterd.daemon.handlers.control_caller as q;"
    "q.AN_ACCOUNT = q.A_USER = q.AccountLimits(10**9, 10**12, 10**9);"
    "from filterd.cli.entry import main; main()"
)


@contextlib.contextmanager
def _flooding(path: Path, uid: int) -> Iterator[None]:
    """Have a user open connections and send much on each, but no whole request."""
    ready, writing_end = os.pipe()
    attacker = os.fork()
    if attacker == 0:
        try:
            os.setgroups([])
            os.setgid(uid)
            os.setuid(uid)
            _flood(path, writing_end)
        finally:
            os._exit(1)
    try:
        assert select.select([ready], [], [], 60)[0]
        yield
    finally:
        os.kill(attacker, signal.SIGKILL)
        os.waitpid(attacker, 0)
        os.close(ready)
        os.close(writing_end)


def _flood(path: Path, writing_end: int) -> None:
    held: list[socket.socket] = []
    for number in range(10**6):
        one = socket.socket(socket.AF_UNIX)
        one.settimeout(0.05)
        with contextlib.suppress(OSError):
            connect(one, path)
            one.sendall(b"x" * OCTETS)
        held.append(one)
        if len(held) >= CONNECTIONS:
            held.pop(0).close()
        if number == CONNECTIONS // 4:
            os.write(writing_end, b"x")


@contextlib.contextmanager
def _growth(
    built: StateFolder, uid: int, *program: str, least: int | None = None
) -> Iterator[tuple[list[int], tuple[str, ...]]]:
    """Flood a manager, and go on until it has grown by so many octets at ``least``."""
    with (
        open_folder() as folder,
        serving(
            write_site(folder / "site", port=free_port()),
            (state := copy_lists(built, folder / "state")).folder,
            program=program or ("-m", "filterd"),
        ) as served,
    ):
        manager = children(served.process.pid)[0]
        while run("status", *served.options).code:
            pass
        state.folder.chmod(0o755)
        state.control_socket.chmod(0o666)
        before = _resident(manager)
        grown: list[int] = []
        with _flooding(state.control_socket, uid):
            time.sleep(FLOODED_S)
            if least is not None:
                until(lambda: _resident(manager) - before > least, f"a growth of {least} octets")
            grown.append(_resident(manager) - before)
            yield grown, served.options
        grown.append(_resident(manager) - before)
        assert children(served.process.pid)[0] == manager


@pytest.mark.parametrize("uid", [NOBODY, 0], ids=["another-user", "root"])
def test_a_flood_takes_little_memory_and_root_is_answered(built: StateFolder, uid: int) -> None:
    with _growth(built, uid) as (grown, options):
        done = run("status", *options)
        if uid:  # a flood with root's own rights may find it busy
            assert done.code == 0, done.err
    assert max(grown) < MOST_GROWTH
    assert run("status", *options).code == 2  # it has ended


def test_control_without_bounds_the_manager_grows(built: StateFolder) -> None:
    least = 2 * MOST_GROWTH
    with _growth(built, NOBODY, "-c", UNBOUNDED, least=least) as (grown, _):
        pass
    assert max(grown) > least


FOLLOWERS = 400


def _follow(path: Path, writing_end: int) -> None:
    """Ask to follow on as many connections as there may be, and read nothing."""
    frame = b'{"version": 1, "id": 1, "stream": 0, "act_for": "", "ask": "log-follow",'
    held: list[socket.socket] = []
    for number in range(10**6):
        one = socket.socket(socket.AF_UNIX)
        one.settimeout(0.05)
        with contextlib.suppress(OSError):
            connect(one, path)
            one.sendall(frame + b' "arguments": {}}\n')
        held.append(one)
        if len(held) >= FOLLOWERS:
            held.pop(0).close()
        if number == FOLLOWERS // 2:
            os.write(writing_end, b"x")


@pytest.mark.parametrize("uid", [NOBODY, 0], ids=["another-user", "root"])
def test_a_flood_of_followers_takes_little_memory_and_commands_are_answered(
    built: StateFolder, uid: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules[__name__], "_flood", _follow)
    with _growth(built, uid) as (grown, options):
        done = run("status", *options)
        assert done.code == 0, done.err
    assert max(grown) < MOST_GROWTH
