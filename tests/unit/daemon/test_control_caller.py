# SPDX-License-Identifier: Apache-2.0
"""The kernel reports the caller, with any event loop."""

from __future__ import annotations

import asyncio
import grp
import os
import pwd
import socket
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
import uvloop

from filterd.control import ask
from filterd.daemon.control_caller import Caller, caller_of
from filterd.daemon.control_server import ControlServer
from tests.support.asking_as import as_user

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

NOBODY = 65_533
"""A user ID that no machine gives a name."""

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


async def _who(_: dict[str, Any], caller: Caller) -> list[Any]:
    return [caller.uid, caller.user, sorted(caller.groups)]


def _told(path: Path, loop: Callable[[], asyncio.AbstractEventLoop], uid: int, *gids: int) -> Any:
    """Return whom a server takes a process of this user and these groups for."""

    async def whole() -> Any:
        server = ControlServer(path, {"who": _who})
        await server.start()
        path.chmod(0o666)
        try:
            return await asyncio.to_thread(as_user, uid, gids, ask, path, "who")
        finally:
            await server.close()

    with asyncio.Runner(loop_factory=loop) as runner:
        return runner.run(whole())


@needs_root
@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_user_is_known_by_name_and_by_all_groups(
    tmp_path_factory: pytest.TempPathFactory, loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    folder = tmp_path_factory.mktemp("open")
    for one in (folder, folder.parent, folder.parent.parent):
        one.chmod(0o755)
    user = pwd.getpwnam("nobody")
    first, second = grp.getgrgid(user.pw_gid), grp.getgrnam("daemon")
    told = _told(folder / "s", loop, user.pw_uid, first.gr_gid, second.gr_gid)
    assert told == [user.pw_uid, "nobody", sorted([first.gr_name, "daemon"])]


@needs_root
def test_a_user_without_a_name_is_a_number_and_in_no_group(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("open")
    for one in (folder, folder.parent, folder.parent.parent):
        one.chmod(0o755)
    told = _told(folder / "s", asyncio.new_event_loop, NOBODY, NOBODY)
    assert told == [NOBODY, f"uid-{NOBODY}", []]


@needs_root
def test_who_may_not_open_the_socket_gets_no_answer(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("open")
    with closing(socket.socket(socket.AF_UNIX)) as listening:
        listening.bind(str(folder / "s"))
        listening.listen()
        (folder / "s").chmod(0o660)
        with pytest.raises(AssertionError, match="uid-65533 may not ask filterd; root and"):
            as_user(NOBODY, [NOBODY], ask, folder / "s", "who")


def test_without_the_list_of_groups_the_one_of_the_credentials_counts() -> None:
    ends = socket.socketpair(socket.AF_UNIX)

    class Old:
        """A kernel that knows no such list."""

        def getsockopt(self, level: int, option: int, octets: int, /) -> bytes:
            if option != socket.SO_PEERCRED:
                raise OSError(92, "Protocol not available")
            return ends[0].getsockopt(level, option, octets)

    with closing(ends[0]), closing(ends[1]):
        assert caller_of(Old()).groups == {grp.getgrgid(os.getegid()).gr_name}
