# SPDX-License-Identifier: Apache-2.0
"""Messages to mutate: generated, hostile and captured ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support import cost_bombs, malformed
from tests.support.packets import captured_packets, mutate, nudge
from tests.support.wire import a_query, a_response

if TYPE_CHECKING:
    import random

NAMES = ("porn.example", "x.PORN.example", "a.b.malware.example", "social.example", "other.test")
_TYPES = ("A", "AAAA", "HTTPS", "TXT", "CNAME", "ANY", "TYPE0", "TYPE65280")


def captured() -> list[bytes]:
    """Return captured messages, none where they are absent."""
    try:
        return [packet.message for packet in captured_packets()]
    except pytest.skip.Exception:
        return []


def well_formed() -> list[bytes]:
    """Return queries that the fast path may answer, and some that it may not."""
    return [
        a_query(name, qtype, edns=edns, do=do, cd=do, rd=qtype != "TXT", udp_size=size)
        for name in NAMES
        for qtype in _TYPES
        for edns, do, size in ((False, False, 512), (True, False, 1232), (True, True, 4096))
    ]


def responses() -> list[bytes]:
    """Return responses of up to 50 records, more than the fast path keeps."""
    made = [
        a_response(
            a_query(name, edns=edns, udp_size=4096),
            *(f"{name} {ttl + n} A 198.18.0.{n}" for n in range(count)),
        )
        for name in NAMES
        for edns in (True, False)
        for count, ttl in ((0, 0), (1, 300), (2, 0), (7, 60), (47, 5), (48, 5), (50, 5))
    ]
    text = "x" * 200
    large = (f"other.test 60 TXT {text}{n}" for n in range(6))
    return [*made, a_response(a_query("other.test", udp_size=4096), *large)]


class Messages:
    """Draws messages, most of them spoilt.

    Args:
        rng: to draw from.
        seeds: what is drawn and spoilt.
    """

    def __init__(self, rng: random.Random, seeds: list[bytes]) -> None:
        self._rng, self._seeds = rng, seeds

    def one(self) -> bytes:
        """Return one as it is, one that a few bits spoil, or one that is hardly a message."""
        seed = self._rng.choice(self._seeds)
        drawn = self._rng.random()
        if drawn < 0.2:
            return seed
        return nudge(seed, self._rng) if drawn < 0.5 else mutate(seed, self._rng)


def hostile_queries() -> list[bytes]:
    """Return known bad or expensive messages, and captured queries and responses."""
    known = [message for message, _ in malformed.QUERIES.values()]
    return [*known, *cost_bombs.QUERIES.values(), *captured()]


def hostile_responses() -> list[bytes]:
    """Return known bad or expensive responses, and captured ones."""
    known = [message for message, _ in malformed.RESPONSES.values()]
    return [*known, *cost_bombs.RESPONSES.values(), *captured()]
