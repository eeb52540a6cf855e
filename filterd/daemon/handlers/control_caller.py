# SPDX-License-Identifier: Apache-2.0
"""Identify users of the control socket by the kernel, and limit what they hold.

The kernel reports the user at the other end of a connection (unix(7), SO_PEERCRED).
The process cannot claim another user. Its groups are those at the time of its
connection: a user who was just added to a group has to log in again.

Root, the daemon's own user (its reload, its feed) and the processes behind pages have each
an account of their own. All others share one, of which one user gets only a part: so root is
answered, whatever the others do. If an account is full, the oldest of its connections without a
request is closed.

The process of the pupils' page may ask for what that page shows and nothing else. The web
process acts for a person: without a token it may ask only what is open to everyone. Any process
that reports the address of a person's device does the same, whatever its own rights are. Other
processes cannot report one: a user who chooses an address for each try would never be slowed.
"""

from __future__ import annotations

import asyncio
import contextlib
import grp
import os
import pwd
import socket
from dataclasses import field
from struct import Struct, iter_unpack
from typing import TYPE_CHECKING, Protocol

from filterd.base.errors import ControlError
from filterd.base.value_class import frozen
from filterd.operations.scopes import needs_root
from filterd.overrides.rights.roles import Author, Rank
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from filterd.accounts.grant import Grant
    from filterd.control.frames import ControlRequest

_SO_PEERGROUPS = 59  # asm-generic/socket.h; Linux 4.13
_MOST_OCTETS = 1024
"""As much as Python takes from the kernel at once: 256 groups."""

_CREDENTIALS = Struct("@iII")

_MIB = 1 << 20


class Connection(Protocol):
    """A socket, or an event loop's object for one."""

    def getsockopt(self, level: int, option: int, octets: int, /) -> bytes:
        """Return an option (getsockopt(2))."""


@frozen
class Caller:
    """The client's user: ID, name, the names of the groups.

    ``grant`` has the rights of the account in whose name that user asks, and counts instead
    of them; ``address`` is that of the person's device, empty where none is known. ``token``
    is what the grant follows from.
    """

    uid: int
    user: str
    groups: frozenset[str]
    grant: Grant | None = None
    address: str = ""
    token: str = field(default="", repr=False)


def caller_of(connection: Connection) -> Caller:
    """Return the user that opened the other end of a Unix socket.

    Raises:
        OSError: the kernel does not report it.
    """
    uid, gid = _ids_of(connection)
    gids = {gid, *_supplementary(connection)}
    return Caller(uid, _user(uid), frozenset(filter(None, map(_group, gids))))


def uid_of(connection: Connection) -> int:
    """Return the user ID alone, which needs no lookup.

    Raises:
        OSError: the kernel does not report it.
    """
    return _ids_of(connection)[0]


def _ids_of(connection: Connection) -> tuple[int, int]:
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, uid, gid = _CREDENTIALS.unpack(credentials)
    return uid, gid


def _supplementary(connection: Connection) -> list[int]:
    try:
        octets = connection.getsockopt(socket.SOL_SOCKET, _SO_PEERGROUPS, _MOST_OCTETS)
    except OSError:  # an old kernel, or more groups than these: that gives no right
        return []
    return [gid for (gid,) in iter_unpack("@I", octets)]


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid-{uid}"


def _group(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return ""


@frozen
class AccountLimits:
    """The limits of an account.

    Attributes:
        connections: open ones.
        octets: of requests, and of answers until they are taken in.
        commands: at work; more of them wait for their turn.
    """

    connections: int
    octets: int
    commands: int


AN_ACCOUNT = AccountLimits(32, 24 * _MIB, 8)
A_FACE = AccountLimits(64, 24 * _MIB, 12)
"""Of which passwords that are checked or wait are six at most (``accounts.password_hash``)."""
A_USER = AccountLimits(8, 12 * _MIB, 2)
"""One largest answer fits in, or a largest request in each connection."""


def busy() -> ControlError:
    """Return the error for a client that asks for too much at a time."""
    error = ControlError(say("filterd has too many commands to answer at the moment; try again"))
    error.code = "busy"
    return error


class _Account:
    def __init__(self, most: AccountLimits) -> None:
        self.most = most
        self.connections = self.octets = 0
        self.commands = asyncio.Semaphore(most.commands)
        self.silent: dict[Share, None] = {}
        """Those that have not asked yet, the oldest first."""

    def make_room(self) -> bool:
        """Return whether there is room for one more connection, by now."""
        if self.connections >= self.most.connections and self.silent:
            next(iter(self.silent)).give_way()
        return self.connections < self.most.connections


class Quota:
    """The accounts.

    Args:
        own_uid: the daemon's user.
        faces: users of the processes that many people reach, by a browser.
    """

    def __init__(self, own_uid: int, faces: Iterable[int] = ()) -> None:
        self._named = {uid: _Account(A_FACE) for uid in faces}
        self._named |= {uid: _Account(AN_ACCOUNT) for uid in (0, own_uid)}
        self._others = _Account(AN_ACCOUNT)
        self._users: dict[int, _Account] = {}

    def take(self, uid: int) -> Share | None:
        """Return a new connection's share, None where there is no room for one more."""
        named = self._named.get(uid)
        user = self._users.get(uid) or _Account(A_USER)
        accounts = (user, self._others) if named is None else (named,)
        if not all(account.make_room() for account in accounts):
            return None
        if named is None:
            self._users[uid] = user
        return Share(self, uid, accounts)

    def forget(self, uid: int) -> None:
        """Forget a user without a connection."""
        if uid in self._users and not self._users[uid].connections:
            del self._users[uid]


class Share:
    """The connections, octets and commands of one connection."""

    def __init__(self, quota: Quota, uid: int, accounts: tuple[_Account, ...]) -> None:
        self._quota, self._uid, self._accounts = quota, uid, accounts
        self._octets = 0
        self._is_held = True
        self.task: asyncio.Task[None] | None = None
        """The task that serves the connection."""
        for account in accounts:
            account.connections += 1
            account.silent[self] = None

    def has_asked(self) -> None:
        """Note that the request has come: the connection is not closed for another one."""
        for account in self._accounts:
            account.silent.pop(self, None)

    def give_way(self) -> None:
        """End the connection."""
        self.release()
        if self.task is not None:
            self.task.cancel()

    def hold(self, octets: int) -> None:
        """Hold so many octets more.

        Raises:
            ControlError: there is no room for them.
        """
        if any(account.octets + octets > account.most.octets for account in self._accounts):
            raise busy()
        for account in self._accounts:
            account.octets += octets
        self._octets += octets

    @contextlib.asynccontextmanager
    async def at_work(self, within_s: float) -> AsyncIterator[None]:
        """Wait for one's turn.

        Raises:
            ControlError: it does not come in time.
        """
        async with contextlib.AsyncExitStack() as taken:
            try:
                async with asyncio.timeout(within_s):
                    for account in self._accounts:
                        await taken.enter_async_context(account.commands)
            except TimeoutError as error:
                raise busy() from error
            yield

    def release(self) -> None:
        """Give all of it back, once."""
        if not self._is_held:
            return
        self._is_held = False
        self.has_asked()
        for account in self._accounts:
            account.connections -= 1
            account.octets -= self._octets
        self._quota.forget(self._uid)


WEB_GROUP, PAGE_GROUP = "filterd-web", "filterd-page"
PAGE_COMMANDS = "page-"
"""The beginning of the names of commands for the pupils' page."""
_USERS = ("filterd-web", "filterd-blockpage")
"""Of these processes; each has a share of the control socket of its own."""


def face_uids() -> tuple[int, ...]:
    """Return the user IDs of these processes, as far as the machine has them."""
    found = []
    for user in _USERS:
        try:
            found.append(pwd.getpwnam(user).pw_uid)
        except KeyError:
            continue
    return tuple(found)


def check_face(caller: Caller, command: str) -> None:
    """Refuse other commands to the process of the pupils' page.

    Raises:
        ControlError: it asks for one.
    """
    if PAGE_GROUP in caller.groups and not command.startswith(PAGE_COMMANDS):
        raise ControlError(
            say("{user} may only ask for what the pupils' page shows", user=caller.user)
        )


def check_address(caller: Caller, address: str) -> None:
    """Refuse the address of a device to all processes but those that devices reach.

    Raises:
        ControlError: the process is another user's.
    """
    is_face = not caller.groups.isdisjoint((WEB_GROUP, PAGE_GROUP))
    if address and not is_face and caller.uid not in (0, os.geteuid()):
        raise ControlError(say("{user} may not ask for another device", user=caller.user))


def check_login(caller: Caller, request: ControlRequest) -> None:
    """Refuse to an administrator's own login at the gateway what needs proof.

    A terminal may be left open, as a session of the dashboard may; root is the proof here.

    Raises:
        ControlError: it names the ways to take.
    """
    author = Author.of(caller.uid, caller.user, caller.groups, os.geteuid())
    if author.rank >= Rank.ADMIN and needs_root(request.command, request.arguments):
        author.must_have_proved(say("do this by an own login"))


def acts_for_a_person(caller: Caller, request: ControlRequest) -> bool:
    """Return whether the rights of a person count, and not those of the process."""
    return bool(request.act_for or request.address or WEB_GROUP in caller.groups)


def author_of(caller: Caller) -> Author:
    """Return a caller as an author, with its rank."""
    if caller.grant is not None:
        grant = caller.grant
        return Author.with_roles(grant.author, grant.roles, is_fresh=grant.is_fresh)
    return Author.of(caller.uid, caller.user, caller.groups, os.geteuid())


def sees_alerts(caller: Caller) -> bool:
    """Return whether addresses of alerts are shown; a webhook's may be a secret.

    Users of the gateway can read ``site.yaml``; people by the web cannot.
    """
    return caller.grant is None or author_of(caller).rank >= Rank.ADMIN
