# SPDX-License-Identifier: Apache-2.0
"""Hash passwords and PINs by scrypt (RFC 7914), a few at a time.

One takes 16 MiB and some 50 ms of a core. So two are worked out at a time, in threads that give
way to everything else, and a few wait; more are refused in words. A crowd of sign-ins takes
no more memory than that.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import secrets
from collections import Counter
from typing import TYPE_CHECKING

from filterd.accounts.sign_in_delays import busy
from filterd.base.errors import ChangeError
from filterd.base.value_class import frozen
from filterd.policy.field_checks import a_text
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

AT_ONCE = 2
WAITING = 4
OF_ONE_ORIGIN = 2
"""At work or waiting."""
LEAST_LETTERS, _MOST_LETTERS = 10, 200
_PIN_LETTERS = 6
_N, _R, _P = 1 << 14, 8, 1
_MOST_OCTETS = 64 << 20
_KEY_OCTETS = 32
_ROW = "01234567890 09876543210"


@frozen
class PasswordHash:
    """A password as scrypt keeps it, with the parameters of then."""

    n: int
    r: int
    p: int
    salt: bytes
    key: bytes

    @classmethod
    def of(cls, secret: str) -> PasswordHash:
        """Return the hash of a password; it takes 50 ms."""
        salt = secrets.token_bytes(16)
        return cls(_N, _R, _P, salt, _key(secret, _N, _R, _P, salt))

    def is_of(self, secret: str) -> bool:
        """Return whether it is the hash of this password; it takes 50 ms."""
        return hmac.compare_digest(self.key, _key(secret, self.n, self.r, self.p, self.salt))


_UNKNOWN = PasswordHash(_N, _R, _P, bytes(16), bytes(_KEY_OCTETS))
"""For accounts that do not exist, so that they take as long as those that do."""


class HashTurns:
    """The turns at hashing."""

    def __init__(self) -> None:
        self._at_work = asyncio.Semaphore(AT_ONCE)
        self._origins = Counter[str]()

    @contextlib.asynccontextmanager
    async def turn(self, origin: str) -> AsyncIterator[None]:
        """Wait for a turn.

        Args:
            origin: of the sign-in (``sign_in_delays.origin_of``), which has a few turns only.

        Raises:
            BusySignInError: too many wait.
        """
        is_full = self._origins.total() >= AT_ONCE + WAITING
        if is_full or self._origins[origin] >= OF_ONE_ORIGIN:
            raise busy()
        self._origins[origin] += 1
        try:
            async with self._at_work:
                yield
        finally:
            self._origins -= Counter({origin: 1})

    async def new(self, origin: str, secret: str) -> PasswordHash:
        """Return the hash of a password.

        Raises:
            BusySignInError: too many wait.
        """
        async with self.turn(origin):
            return await asyncio.to_thread(PasswordHash.of, secret)


async def is_right(kept: PasswordHash | None, secret: str) -> bool:
    """Return whether a password is right; it takes as long where there is none.

    The caller has a turn.
    """
    if len(secret) > _MOST_LETTERS:
        secret = ""
    found = await asyncio.to_thread((kept or _UNKNOWN).is_of, secret)
    return found and kept is not None


def new_password(value: object, account: str) -> str:
    """Check a password that a person chooses.

    Raises:
        ChangeError: it is too short, too long, or the account's name.
    """
    text = normal(a_text(value))
    if len(text) < LEAST_LETTERS or account.casefold() in (text.casefold(), text[::-1].casefold()):
        raise ChangeError(
            say("a password has at least {least} characters", least=LEAST_LETTERS),
            hint=say("and is not the name of the account; three words are good"),
        )
    if len(text) > _MOST_LETTERS or len(set(text)) == 1:
        raise ChangeError(
            say(
                "a password has at most {most} characters, and not all the same", most=_MOST_LETTERS
            )
        )
    return text


def new_pin(value: object) -> str:
    """Check a PIN that a person chooses.

    Raises:
        ChangeError: it is none, or easily guessed.
    """
    text = a_text(value)
    is_number = len(text) == _PIN_LETTERS and text.isascii() and text.isdecimal()
    if not is_number or len(set(text)) <= 1 or text in _ROW:
        raise ChangeError(
            say("a PIN has {n} digits, which are not all the same or in a row", n=_PIN_LETTERS)
        )
    return text


def normal(text: str) -> str:
    """Return a password in one form: keyboards write diacritics in several (RFC 8265)."""
    from unicodedata import normalize  # noqa: PLC0415 -- a megabyte, needed here only

    return normalize("NFC", text)


def _key(secret: str, n: int, r: int, p: int, salt: bytes) -> bytes:
    octets = secret.encode("utf-8", "surrogatepass")
    return hashlib.scrypt(octets, salt=salt, n=n, r=r, p=p, maxmem=_MOST_OCTETS, dklen=_KEY_OCTETS)
