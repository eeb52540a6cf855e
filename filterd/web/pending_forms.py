# SPDX-License-Identifier: Apache-2.0
"""Keep forms that wait for the password of their session, for some minutes.

They may hold a new password, so they do not stand in the page that asks for the present one.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from filterd.clock import Clock

KEPT_S = 600.0
_MOST, _MOST_OF_SESSION = 64, 4


class _Form(NamedTuple):
    """A form: the hash of its session's token, its operation, its fields, its end."""

    session: bytes
    operation: str
    fields: dict[str, str]
    ends_at: float


class PendingForms:
    """The forms of a web process, in its memory only, each for one session."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: dict[str, _Form] = {}

    def keep(self, token: str, operation: str, fields: dict[str, str]) -> str:
        """Keep the fields of a form; return the key by which its session takes them."""
        now, session = self._clock.monotonic(), _hash(token)
        self._kept = {key: one for key, one in self._kept.items() if one.ends_at > now}
        own = [key for key, one in self._kept.items() if one.session == session]
        if len(own) >= _MOST_OF_SESSION:
            del self._kept[own[0]]
        elif len(self._kept) >= _MOST:
            del self._kept[next(iter(self._kept))]
        key = secrets.token_urlsafe(16)
        self._kept[key] = _Form(session, operation, fields, now + KEPT_S)
        return key

    def take(self, token: str, operation: str, key: str) -> dict[str, str] | None:
        """Take the fields of a form; None if it is another session's or no longer kept."""
        found = self._kept.get(key)
        if found is None or (found.session, found.operation) != (_hash(token), operation):
            return None
        del self._kept[key]
        return found.fields if found.ends_at > self._clock.monotonic() else None


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
