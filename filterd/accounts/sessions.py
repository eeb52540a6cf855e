# SPDX-License-Identifier: Apache-2.0
"""Keep the sessions of people who have signed in, in the memory of the manager.

A token has 256 random bits and is kept as its SHA-256 only. A session ends

* with the school day, at the latest;
* after 30 idle minutes, if it has a role that sees or changes more than a teacher's;
* when the account is disabled, or its password or roles change;
* with the manager: its restart is rare, and no file has sessions that could be stolen.

It belongs to the process that signed the person in, and to the origin (``origin_of``) of the
device; that of an enrolled device belongs to the device instead, which may change its address.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from filterd.accounts.account import hash_of, new_secret
from filterd.accounts.grant import FRESH_S
from filterd.base.errors import ControlError
from filterd.overrides.rights.roles import Role
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from filterd.base.clock import Clock

IDLE_S = 30 * 60.0
MOST, MOST_OF_ONE = 500, 10
"""Sessions at a time, in all and of an account; the one that is idle for longest gives way."""
WITH_THE_DAY = frozenset((Role.READER, Role.TEACHER))
"""Roles whose sessions may be idle until the day ends."""


@dataclass(slots=True)
class Session:
    """A person who has signed in, on one device.

    Attributes:
        account: the name.
        roles: of the account at the time.
        uid: of the process that signed the person in; another one cannot use the token.
        origin: of the person's device.
        device: the id of an enrolled one on which a PIN signed in; else empty.
        admitted: the address that a code of the console has admitted; else empty.
        ends_at, used_at, fresh_until: monotonic times.
    """

    account: str
    roles: frozenset[Role]
    uid: int
    origin: str
    device: str = ""
    admitted: str = ""
    ends_at: float = math.inf
    used_at: float = 0.0
    fresh_until: float = 0.0

    def ends_in_s(self, now: float) -> float:
        """Return after how many seconds without a request it ends."""
        left = self.ends_at - now
        return left if self.roles <= WITH_THE_DAY else min(left, self.used_at + IDLE_S - now)


class SignInError(ControlError):
    """The person must sign in (again)."""

    code = "sign-in"


def sign_in_again() -> SignInError:
    """Return the error for a token that is of no session."""
    return SignInError(say("this session has ended; sign in again"))


class Sessions:
    """The sessions by the hash of their token."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._by_hash: dict[bytes, Session] = {}

    def begin(self, session: Session, *, is_fresh: bool, for_s: float) -> str:
        """Begin a session of at most ``for_s`` seconds; return its token."""
        token, now = new_secret(), self._clock.monotonic()
        self._make_room(MOST_OF_ONE, session.account)
        self._make_room(MOST)
        session.used_at, session.ends_at = now, now + for_s
        session.fresh_until = now + FRESH_S if is_fresh else 0.0
        self._by_hash[hash_of(token)] = session
        return token

    def use(self, token: str, uid: int, origin: str, device: str) -> Session:
        """Return the session of a token, and note that it was used.

        Args:
            token: as the process sends it.
            uid: of the process.
            origin: of the person's device.
            device: the id of the enrolled device whose cookie came with it; else empty.

        Raises:
            SignInError: it is of no session, or of one that has ended or is another one's.
        """
        key, now = hash_of(token), self._clock.monotonic()
        session = self._by_hash.get(key)
        if session is None or session.uid != uid:
            raise sign_in_again()
        is_there = device == session.device if session.device else origin == session.origin
        if session.ends_in_s(now) <= 0:
            del self._by_hash[key]
            raise sign_in_again()
        if not is_there:  # its owner goes on: a stolen copy must not end it
            raise sign_in_again()
        session.used_at = now
        return session

    def is_on(self, token: str) -> bool:
        """Return whether a token is of a session that has not ended; this is no use of it."""
        session = self._by_hash.get(hash_of(token))
        return session is not None and session.ends_in_s(self._clock.monotonic()) > 0

    def admits(self, address: str) -> bool:
        """Return whether a code of the console has admitted an address, for a session."""
        now = self._clock.monotonic()
        there = (one for one in self._by_hash.values() if one.admitted == address != "")
        return any(one.ends_in_s(now) > 0 for one in there)

    def refresh(self, token: str) -> None:
        """Note that the password was given a moment ago."""
        if (session := self._by_hash.get(hash_of(token))) is not None:
            session.fresh_until = self._clock.monotonic() + FRESH_S

    def end(self, token: str) -> None:
        """End a session, if there is one."""
        self._by_hash.pop(hash_of(token), None)

    def end_all(self, account: str, *, besides: str = "", device: str = "") -> None:
        """End the sessions of an account, or only those of one of its devices.

        Args:
            account: its name.
            besides: the token of one that goes on.
            device: the id of the device; empty for all.
        """
        kept = hash_of(besides)
        for key, one in tuple(self._by_hash.items()):
            if one.account == account and key != kept and device in ("", one.device):
                del self._by_hash[key]

    def count(self, account: str) -> int:
        """Return the number of sessions of an account."""
        now = self._clock.monotonic()
        return sum(
            one.account == account and one.ends_in_s(now) > 0 for one in self._by_hash.values()
        )

    def _make_room(self, most: int, account: str | None = None) -> None:
        there = [
            (one.used_at, key)
            for key, one in self._by_hash.items()
            if account in (None, one.account)
        ]
        if len(there) >= most:
            del self._by_hash[min(there)[1]]
