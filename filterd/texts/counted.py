# SPDX-License-Identifier: Apache-2.0
"""Write numbers, sizes, counts and durations as people read them.

Examples are ``1 name``, ``21 minutes``, and the fingerprint of a key.
"""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256

from filterd.texts.i18n import Sentence, say_n

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


def number(value: int) -> str:
    """Return a number in groups of three digits, with thin spaces between them.

    Vietnamese and English readers both read numbers so.
    """
    return f"{value:,}".replace(",", "\u202f")


def rough(value: int) -> str:
    """Return a number in at most seven characters below ten millions: ``4 599 k``."""
    return number(value) if value < 1_000_000 else f"{number(round(value / 1_000))} k"


def size(octets: int) -> str:
    """Return a length as people read it, in B, kB or MB.

    kB and MB are of a thousand, as a data plan counts.
    """
    if octets < 10_000:
        return f"{number(octets)} B"
    if octets < 10_000_000:
        return f"{number(round(octets / 1_000))} kB"
    return f"{number(round(octets / 1_000_000))} MB"


def names(n: int) -> Sentence:
    """Return how many names."""
    return say_n("{n} name", "{n} names", n, n=number(n))


def lists(n: int) -> Sentence:
    """Return how many lists."""
    return say_n("{n} list", "{n} lists", n)


def api_tokens(n: int) -> Sentence:
    """Return how many API tokens."""
    return say_n("{n} API token", "{n} API tokens", n)


def devices(n: int) -> Sentence:
    """Return how many devices."""
    return say_n("{n} device", "{n} devices", n)


def zones(n: int) -> Sentence:
    """Return how many local zones."""
    return say_n("{n} local zone", "{n} local zones", n)


def rooms(n: int) -> Sentence:
    """Return how many rooms."""
    return say_n("{n} room", "{n} rooms", n)


def networks(n: int) -> Sentence:
    """Return how many networks."""
    return say_n("{n} network", "{n} networks", n)


def grades(n: int) -> Sentence:
    """Return how many grades."""
    return say_n("{n} grade", "{n} grades", n)


def own_rules(n: int) -> Sentence:
    """Return how many rules a school has of its own."""
    return say_n("{n} rule of its own", "{n} rules of its own", n)


def days(n: int) -> Sentence:
    """Return how many days."""
    return say_n("{n} day", "{n} days", n, n=number(n))


def minutes(n: int) -> Sentence:
    """Return how many minutes."""
    return say_n("{n} minute", "{n} minutes", n)


def duration(seconds: float) -> Sentence:
    """Return a duration in the largest unit of which it has two or more.

    So little is lost.
    """
    whole = int(seconds)
    if whole >= 2 * _DAY:
        return days(whole // _DAY)
    if whole >= 2 * _HOUR:
        return say_n("{n} hour", "{n} hours", whole // _HOUR)
    if whole >= 2 * _MINUTE:
        return minutes(whole // _MINUTE)
    return say_n("{n} second", "{n} seconds", whole)


def utc(at: float) -> str:
    """Return a Unix time as text that means the same on every machine."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M} UTC"


def fingerprint(content: bytes) -> str:
    """Return the SHA-256 of octets in groups of four digits, as one reads it out."""
    return grouped(sha256(content).hexdigest())


def grouped(digits: str) -> str:
    """Return hexadecimal digits in groups of four."""
    return " ".join(digits[at : at + 4] for at in range(0, len(digits), 4))
