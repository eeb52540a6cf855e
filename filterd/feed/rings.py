# SPDX-License-Identifier: Apache-2.0
"""Who takes a new version first: few, then more, then all, so that harm shows where few have it.

Pure. An appliance's ring follows from its id and the version: 1 in 100 takes it
when it is published, 10 in 100 twelve hours later, all others after a day; for
each version others are the first. What is urgent waits for nobody.

Who publishes every evening would keep the last ring from ever taking anything, as
the version that it waits for is followed by another one. So nobody waits longer
than until the second night after the first version that it did not take.
"""

from __future__ import annotations

import hashlib

APART_S = 12 * 3_600.0
"""From one ring to the next (reliability.md E1)."""
LONGEST_S = 2 * 86_400.0 - 3_600.0
"""From the first version that was not taken, whichever is the newest then: two nights, and
an hour less, since no two runs come to the second at the same time."""

_RINGS = (0.01, 0.10, 1.0)
"""Which part of all appliances has a version once a ring has taken it."""


def ring_of(appliance_id: bytes, version: int) -> int:
    """Return the ring of an appliance for a version: 0, 1 or 2; the id itself goes nowhere."""
    digest = hashlib.sha256(b"ring\0%d\0" % version + appliance_id).digest()
    place = int.from_bytes(digest[:6], "big") / 2**48
    return next(ring for ring, part in enumerate(_RINGS) if place < part)


def may_take_at(
    appliance_id: bytes, version: int, published_at: float, waiting_since: float | None
) -> float:
    """Return from when on an appliance takes a version; Unix time.

    Args:
        appliance_id: its id.
        version: the version.
        published_at: when it was signed, Unix time.
        waiting_since: when it first saw a version that it did not take; None for now.
    """
    at = published_at + ring_of(appliance_id, version) * APART_S
    return at if waiting_since is None else min(at, waiting_since + LONGEST_S)
