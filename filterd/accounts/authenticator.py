# SPDX-License-Identifier: Apache-2.0
"""Codes of an authenticator (TOTP, RFC 6238), and recovery codes. Pure.

The parameters are those that every authenticator has: SHA-1, six digits, 30 seconds.
"""

from __future__ import annotations

import hmac
import secrets
from base64 import b32encode
from struct import pack
from urllib.parse import quote

from filterd.accounts.account import hash_of

STEP_S = 30
RECOVERY_CODES = 10
_DIGITS, _SECRET_OCTETS, _RECOVERY_OCTETS = 6, 20, 10
_AROUND = (-1, 0, 1)
"""Steps by which the clock of a phone may differ."""


def new_authenticator() -> bytes:
    """Return a new secret (RFC 4226 §4: 160 bits)."""
    return secrets.token_bytes(_SECRET_OCTETS)


def text_of(secret: bytes) -> str:
    """Return a secret as a person types it into an authenticator."""
    return b32encode(secret).decode().rstrip("=")


def uri_of(secret: bytes, account: str, school: str) -> str:
    """Return a secret as the address that an authenticator reads from a QR code."""
    issuer, name = quote(f"filterd {school}"[:60], safe=""), quote(account, safe="")
    return f"otpauth://totp/{issuer}:{name}?secret={text_of(secret)}&issuer={issuer}"


def code_at(secret: bytes, step: int) -> str:
    """Return the code of a time step (RFC 4226 §5.3)."""
    digest = hmac.digest(secret, pack(">Q", step), "sha1")
    begin = digest[-1] & 15
    number = int.from_bytes(digest[begin : begin + 4]) & 0x7FFF_FFFF
    return f"{number % 10**_DIGITS:0{_DIGITS}}"


def step_of(secret: bytes, code: str, now: float, last: int) -> int | None:
    """Return the time step of a code; None for a wrong one, or one that was used.

    Args:
        secret: of the account.
        code: as it was typed.
        now: Unix time.
        last: the step of the last code that was used.
    """
    given, present = code.encode("utf-8", "replace"), int(now // STEP_S)
    for step in (present + by for by in _AROUND):
        if step > last and hmac.compare_digest(code_at(secret, step).encode(), given):
            return step
    return None


def is_authenticator_code(code: str) -> bool:
    """Return whether a text has the form of a code, and not of a recovery code."""
    return len(code) == _DIGITS and code.isascii() and code.isdecimal()


def new_recovery_codes() -> tuple[str, ...]:
    """Return ten codes, each of which signs in once in place of the authenticator."""
    return tuple(_grouped(secrets.token_bytes(_RECOVERY_OCTETS)) for _ in range(RECOVERY_CODES))


def recovery_hash(code: str) -> bytes:
    """Return the hash under which a recovery code is kept."""
    return hash_of("".join(code.split()).replace("-", "").lower())


def _grouped(octets: bytes) -> str:
    text = b32encode(octets).decode().lower()
    return "-".join(text[at : at + 4] for at in range(0, len(text), 4))
