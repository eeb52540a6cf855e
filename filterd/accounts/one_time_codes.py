# SPDX-License-Identifier: Apache-2.0
"""Keep codes that are valid once and for minutes, in the memory of the manager."""

from __future__ import annotations

import secrets
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from filterd.accounts.account import hash_of

if TYPE_CHECKING:
    from filterd.base.clock import Clock

MOST = 200
_OCTETS = 16


class CodePurpose(StrEnum):
    """What a code is good for."""

    SIGN_IN = "sign-in"
    CONSOLE = "console"
    """To sign in, too; made at the gateway, it admits the device that has it."""
    DEVICE = "device"


FOR_S = {
    CodePurpose.SIGN_IN: 15 * 60.0,
    CodePurpose.CONSOLE: 15 * 60.0,
    CodePurpose.DEVICE: 5 * 60.0,
}


class _OneTimeCode(NamedTuple):
    """A code; ``is_chosen`` by a person, so that it may be guessed."""

    purpose: CodePurpose
    account: str
    until: float
    is_chosen: bool


class OneTimeCodes:
    """The codes that are good at present; the oldest gives way."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._by_hash: dict[bytes, _OneTimeCode] = {}

    def make(self, purpose: CodePurpose, account: str, chosen: str = "") -> str:
        """Return a new code for an account; ``chosen`` is one that a person thought of."""
        while len(self._by_hash) >= MOST:
            del self._by_hash[next(iter(self._by_hash))]
        code = chosen or secrets.token_urlsafe(_OCTETS)
        until = self._clock.monotonic() + FOR_S[purpose]
        self._by_hash[hash_of(code)] = _OneTimeCode(purpose, account, until, bool(chosen))
        return code

    def account_of(self, purpose: CodePurpose, code: str) -> str:
        """Return the account of a code; empty for one that is not good. It stays good."""
        found = self._by_hash.get(hash_of(code))
        if found is None or found.purpose != purpose or found.until < self._clock.monotonic():
            return ""
        return found.account

    def may_be_guessed(self, code: str) -> bool:
        """Return whether a code is none of those with 128 random bits."""
        found = self._by_hash.get(hash_of(code))
        return found is None or found.is_chosen

    def take(self, code: str) -> None:
        """Use a code up."""
        self._by_hash.pop(hash_of(code), None)

    def forget(self, account: str) -> None:
        """Forget the codes of an account."""
        self._by_hash = {key: one for key, one in self._by_hash.items() if one.account != account}
