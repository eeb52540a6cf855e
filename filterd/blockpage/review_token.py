# SPDX-License-Identifier: Apache-2.0
"""Bind the form of a request to the page that showed it.

There are no cookies and no accounts here, so any page of the Internet could make a browser
send the form. It cannot read this page, and so has no token.
"""

from __future__ import annotations

import hmac
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from filterd.clock import Clock

VALID_S = 3600.0


class ReviewTokens:
    """Tokens for one address and one name; they are valid for an hour or two."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._key = clock, secrets.token_bytes(32)

    def token(self, address: str, name: str) -> str:
        """Return the token of now."""
        return self._of(self._hour(), address, name)

    def is_valid(self, token: str, address: str, name: str) -> bool:
        """Return whether a token is of this hour or the one before."""
        hour = self._hour()
        valid = (self._of(one, address, name) for one in (hour, hour - 1))
        return any(hmac.compare_digest(token.encode(), one.encode()) for one in valid)

    def _hour(self) -> int:
        return int(self._clock.monotonic() // VALID_S)

    def _of(self, hour: int, address: str, name: str) -> str:
        told = f"{hour}\n{address}\n{name}".encode()
        return hmac.new(self._key, told, "sha256").hexdigest()[:32]
