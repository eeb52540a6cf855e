# SPDX-License-Identifier: Apache-2.0
"""The kernel reports the caller, with any event loop."""

from __future__ import annotations

import asyncio
import grp
import os
import pwd
import socket
from contextlib import closing
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
import uvloop

from filterd.accounts.grant import Grant
from filterd.base.errors import ControlError
from filterd.control import ask
from filterd.control.frames import ControlRequest
from filterd.daemon.handlers.control_caller import (
    A_FACE,
    A_USER,
    AN_ACCOUNT,
    Caller,
    Quota,
    Share,
    acts_for_a_person,
    author_of,
    caller_of,
    check_address,
    check_face,
    check_login,
    face_uids,
    sees_alerts,
)
from filterd.daemon.handlers.control_server import ControlServer
from filterd.operations.scopes import REQUESTS, needs_password
from filterd.overrides.rights.roles import ADMINS, TEACHERS, Role
from tests.support.asking_as import as_user
from tests.support.unix_sockets import bind
from tests.support.unprivileged import open_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

NOBODY = 65_533
"""A user ID that no machine gives a name."""


async def _caller(_: dict[str, Any], caller: Caller) -> list[Any]:
    return [caller.uid, caller.user, sorted(caller.groups)]


def _credentials(
    path: Path, loop: Callable[[], asyncio.AbstractEventLoop], uid: int, *gids: int
) -> Any:
    """Return the caller that a server sees for a process of this user and these groups."""

    async def whole() -> Any:
        server = ControlServer(path, {"who": _caller})
        await server.start()
        path.chmod(0o666)
        try:
            return await asyncio.to_thread(as_user, uid, gids, ask, path, "who")
        finally:
            await server.close()

    with asyncio.Runner(loop_factory=loop) as runner:
        return runner.run(whole())


@pytest.mark.usefixtures("needs_root")
@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_user_is_known_by_name_and_by_all_groups(
    loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    user = pwd.getpwnam("nobody")
    first, second = grp.getgrgid(user.pw_gid), grp.getgrnam("daemon")
    with open_folder() as folder:
        credentials = _credentials(folder / "s", loop, user.pw_uid, first.gr_gid, second.gr_gid)
    assert credentials == [user.pw_uid, "nobody", sorted([first.gr_name, "daemon"])]


@pytest.mark.usefixtures("needs_root")
def test_a_user_without_a_name_is_a_number_and_in_no_group() -> None:
    with open_folder() as folder:
        credentials = _credentials(folder / "s", asyncio.new_event_loop, NOBODY, NOBODY)
    assert credentials == [NOBODY, f"uid-{NOBODY}", []]


@pytest.mark.usefixtures("needs_root")
def test_a_user_without_rights_to_the_socket_gets_no_answer(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("open")
    with closing(socket.socket(socket.AF_UNIX)) as listening:
        bind(listening, folder / "s")
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


OWN, TEACHER, ADMIN = 990, 1000, 1001
ROOT = 0


def _fill(quota: Quota, uid: int) -> list[Share]:
    """Take all that a user gets, and have each ask."""
    found = []
    while (share := quota.take(uid)) is not None:
        share.has_asked()
        found.append(share)
    return found


@pytest.fixture
def quota() -> Quota:
    return Quota(OWN)


@pytest.mark.parametrize(
    ("uid", "most"),
    [(TEACHER, A_USER), (ROOT, AN_ACCOUNT), (OWN, AN_ACCOUNT)],
    ids=["teacher", "root", "own"],
)
def test_no_user_has_more_than_these(quota: Quota, uid: int, most: object) -> None:
    assert len(_fill(quota, uid)) == getattr(most, "connections")  # noqa: B009 -- for mypy


def test_many_users_together_have_one_account_and_root_its_own(quota: Quota) -> None:
    held = [share for uid in range(2000, 2050) for share in _fill(quota, uid)]
    assert len(held) == AN_ACCOUNT.connections
    assert quota.take(TEACHER) is None
    assert quota.take(ROOT) is not None
    assert quota.take(OWN) is not None
    held.pop().release()
    assert quota.take(TEACHER) is not None


def test_what_was_released_can_be_taken_again(quota: Quota) -> None:
    for _ in range(3):
        for share in _fill(quota, TEACHER):
            share.hold(1000)
            share.release()
            share.release()  # no more than once
    assert not quota._users


def test_the_oldest_that_has_not_asked_makes_room(quota: Quota) -> None:
    asked, silent, other = (quota.take(TEACHER) for _ in range(3))
    assert asked is not None
    assert silent is not None
    assert other is not None
    asked.has_asked()
    _fill(quota, TEACHER)
    assert not silent._is_held
    assert not other._is_held
    assert asked._is_held


@pytest.mark.parametrize("uid", [TEACHER, ROOT])
def test_octets_are_bounded(quota: Quota, uid: int) -> None:
    most = A_USER if uid == TEACHER else AN_ACCOUNT
    first, second = quota.take(uid), quota.take(uid)
    assert first is not None
    assert second is not None
    first.hold(most.octets)
    with pytest.raises(ControlError, match="too many commands"):
        second.hold(1)
    first.release()
    second.hold(most.octets)


def test_users_share_the_octets_of_their_account(quota: Quota) -> None:
    shares = [quota.take(uid) for uid in range(2000, 2010)]
    *first, last = (share for share in shares if share is not None)
    for share in first[: AN_ACCOUNT.octets // A_USER.octets]:
        share.hold(A_USER.octets)
    with pytest.raises(ControlError):
        last.hold(1)
    root = quota.take(ROOT)
    assert root is not None
    root.hold(AN_ACCOUNT.octets)


def test_commands_wait_for_their_turn_and_not_for_ever(quota: Quota) -> None:
    async def work() -> None:
        shares = [quota.take(TEACHER) for _ in range(A_USER.commands + 1)]
        *first, last = (share for share in shares if share is not None)
        going = asyncio.Event()

        async def command(share: Share) -> None:
            async with share.at_work(10.0):
                await going.wait()

        tasks = [asyncio.ensure_future(command(share)) for share in first]
        await asyncio.sleep(0)
        with pytest.raises(ControlError, match="too many commands"):
            async with last.at_work(0.01):
                pass
        root = quota.take(ROOT)
        assert root is not None
        async with root.at_work(0.01):
            pass
        going.set()
        async with last.at_work(10.0):
            pass
        await asyncio.gather(*tasks)

    asyncio.run(work())


PAGE = Caller(991, "filterd-blockpage", frozenset({"filterd-page"}))
WEB = Caller(990, "filterd-web", frozenset({"filterd-web"}))
ROOT_CALLER = Caller(0, "root", frozenset())


def test_the_pupils_page_asks_for_nothing_else() -> None:
    check_face(PAGE, "page-why")
    for command in ("status", "pages", "change", ""):
        with pytest.raises(ControlError):
            check_face(PAGE, command)
        check_face(WEB, command)


def test_a_person_counts_where_one_is_named_or_the_web_asks() -> None:
    plain = ControlRequest("status", {})
    assert not acts_for_a_person(ROOT_CALLER, plain)
    assert acts_for_a_person(WEB, plain)
    assert acts_for_a_person(ROOT_CALLER, plain._replace(address="10.0.1.5"))
    assert acts_for_a_person(ROOT_CALLER, plain._replace(act_for="x"))


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        *((one, {}) for one in sorted(REQUESTS) if needs_password(one, {})),
        ("change", {"kind": "log-level", "level": "off"}),
        ("change", {"kind": "clock-accept"}),
    ],
)
def test_an_administrators_login_is_no_proof_and_root_is(
    command: str, arguments: dict[str, Any]
) -> None:
    request = ControlRequest(command, arguments)
    minh = Caller(1001, "minh", frozenset({"filterd-admin"}))
    with pytest.raises(ControlError, match="root may, or an administrator in the dashboard"):
        check_login(minh, request)
    check_login(ROOT_CALLER, request)
    # Others are refused where the command knows why.
    check_login(Caller(1002, "lan", frozenset({"filterd-teacher"})), request)
    check_login(minh, ControlRequest("status", {}))
    check_login(minh, ControlRequest("change", {"kind": "log-confirm", "id": 1}))


def test_no_other_user_sets_the_address_of_its_caller() -> None:
    for caller in (PAGE, WEB, ROOT_CALLER):
        check_address(caller, "10.0.1.5")
    teacher = Caller(1001, "mai", frozenset({"filterd-teacher"}))
    check_address(teacher, "")
    with pytest.raises(ControlError, match="another device"):
        check_address(teacher, "10.0.1.5")


def test_each_has_a_share_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    def known(name: str) -> Any:
        if name == "filterd-web":
            return SimpleNamespace(pw_uid=990)
        raise KeyError(name)

    monkeypatch.setattr(pwd, "getpwnam", known)
    assert face_uids() == (990,)
    quota = Quota(989, face_uids())
    shares = [quota.take(990) for _ in range(A_FACE.connections)]
    for share in shares:
        assert share is not None
        share.has_asked()
    assert quota.take(990) is None
    assert quota.take(0) is not None
    assert quota.take(1001) is not None


@pytest.mark.parametrize(
    ("uid", "groups", "rank"),
    [(0, (), 2), (1001, (ADMINS,), 2), (1002, (TEACHERS,), 1), (1003, ("filterd",), 0)],
)
def test_a_caller_has_a_rank(uid: int, groups: tuple[str, ...], rank: int) -> None:
    assert author_of(Caller(uid, "lan", frozenset(groups))).rank == rank


def test_addresses_of_alerts_are_shown_at_the_gateway_and_to_administrators() -> None:
    user = Caller(1003, "an", frozenset({"filterd"}))
    of_web = {role: replace(user, grant=Grant("lan", frozenset({role}))) for role in Role}
    assert sees_alerts(user)
    assert {role for role, one in of_web.items() if sees_alerts(one)} == {Role.ADMIN}
