# SPDX-License-Identifier: Apache-2.0
"""Limit the connections and octets that users of the control socket hold.

Root and the daemon's own user (its reload, its feed) have each an account of their own.
All others share one, of which one user gets only a part: so root is answered, whatever
the others do. If an account is full, the oldest of its connections without a request is
closed.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from filterd.errors import ControlError
from filterd.i18n import say

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class AccountLimits:
    """What an account may hold at a time.

    Attributes:
        connections: open ones.
        octets: of requests, and of answers until they are taken in.
        commands: at work; more of them wait for their turn.
    """

    connections: int
    octets: int
    commands: int


AN_ACCOUNT = AccountLimits(32, 24 * _MIB, 8)
A_USER = AccountLimits(8, 12 * _MIB, 2)
"""One largest answer fits in, or a largest request in each connection."""


def busy() -> ControlError:
    """Return the error for a client that asks for too much at a time."""
    return ControlError(say("filterd has too many commands to answer at the moment; try again"))


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
    """The accounts. ``own_uid`` is the daemon's user."""

    def __init__(self, own_uid: int) -> None:
        self._named = {uid: _Account(AN_ACCOUNT) for uid in (0, own_uid)}
        self._others = _Account(AN_ACCOUNT)
        self._users: dict[int, _Account] = {}

    def take(self, uid: int) -> Share | None:
        """Return a new connection's share, None where there is no room for one more."""
        named = self._named.get(uid)
        user = self._users.get(uid) or _Account(A_USER)
        accounts = (user, self._others) if named is None else (named,)
        if not all(one.make_room() for one in accounts):
            return None
        if named is None:
            self._users[uid] = user
        return Share(self, uid, accounts)

    def forget(self, uid: int) -> None:
        """Forget a user without a connection."""
        if uid in self._users and not self._users[uid].connections:
            del self._users[uid]


class Share:
    """What one connection holds."""

    def __init__(self, quota: Quota, uid: int, accounts: tuple[_Account, ...]) -> None:
        self._quota, self._uid, self._accounts = quota, uid, accounts
        self._octets = 0
        self._is_held = True
        self.task: asyncio.Task[None] | None = None
        """The task that serves the connection."""
        for one in accounts:
            one.connections += 1
            one.silent[self] = None

    def has_asked(self) -> None:
        """Keep the connection to its end: its request has come."""
        for one in self._accounts:
            one.silent.pop(self, None)

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
        if any(one.octets + octets > one.most.octets for one in self._accounts):
            raise busy()
        for one in self._accounts:
            one.octets += octets
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
                    for one in self._accounts:
                        await taken.enter_async_context(one.commands)
            except TimeoutError as error:
                raise busy() from error
            yield

    def release(self) -> None:
        """Give all of it back, once."""
        if not self._is_held:
            return
        self._is_held = False
        self.has_asked()
        for one in self._accounts:
            one.connections -= 1
            one.octets -= self._octets
        self._quota.forget(self._uid)
