# SPDX-License-Identifier: Apache-2.0
"""Keep the sessions of people who have signed in, in the memory of the manager.

A token has 256 random bits and is kept as its SHA-256 only. A session ends when it is idle,
at a set time, or with the manager.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from filterd.accounts.grant import Grant
from filterd.errors import ControlError
from filterd.i18n import say

if TYPE_CHECKING:
    from filterd.clock import Clock
    from filterd.overrides.roles import Role

IDLE_S = 30 * 60.0
MOST = 500
"""Sessions at a time; the one that is idle for longest gives way."""
_TOKEN_OCTETS = 32


@dataclass(slots=True)
class Session:
    """A person who has signed in, on one device.

    Attributes:
        account: the name.
        roles: of the account at the time.
        uid: of the process that signed the person in; another one cannot use the token.
        used_at, fresh_until: monotonic times.
    """

    account: str
    roles: frozenset[Role]
    uid: int
    used_at: float
    fresh_until: float = 0.0


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

    def begin(self, account: str, roles: frozenset[Role], uid: int) -> str:
        """Begin a session; return its token."""
        token = secrets.token_urlsafe(_TOKEN_OCTETS)
        self._by_hash[_hash(token)] = Session(account, roles, uid, self._clock.monotonic())
        return token

    def grant(self, token: str, uid: int) -> Grant:
        """Return what a token grants, and note that it was used.

        Raises:
            SignInError: it is of no session, or of one that has ended.
        """
        session, now = self._by_hash.get(_hash(token)), self._clock.monotonic()
        if session is None or session.uid != uid or now - session.used_at > IDLE_S:
            self._by_hash.pop(_hash(token), None)
            raise sign_in_again()
        session.used_at = now
        return Grant(session.account, session.roles, is_fresh=now < session.fresh_until)

    def end(self, token: str) -> None:
        """End a session, if there is one."""
        self._by_hash.pop(_hash(token), None)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
