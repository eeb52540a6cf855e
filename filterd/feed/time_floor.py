# SPDX-License-Identifier: Apache-2.0
"""What the time must at least be, for a board that starts in 1970 (reliability.md G1, G3).

A file has the last time that was believed. A clock that jumps far ahead may have
been set by somebody who wants all that is signed to look expired; its time is
kept only once something was signed at about that time.
"""

from __future__ import annotations

import math
import zlib
from typing import TYPE_CHECKING

from filterd.paths import open_plain, write_atomically
from filterd.version import RELEASED_AT

if TYPE_CHECKING:
    from pathlib import Path

_FARTHEST_S = 366 * 86_400.0
_STEP_S = 3_600.0
"""No finer: a card wears out by being written to."""
_LATEST = 1e11
_MOST_OCTETS = 40


class TimeFloor:
    """The last time that was believed, below the feed's state folder.

    Args:
        folder: the feed's.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "time-floor"

    def read(self) -> float:
        """Return what the time must at least be, Unix time: the release, where no more is known."""
        try:
            with open_plain(self._path) as file:
                digits, _, sum_of_them = file.read(_MOST_OCTETS).partition(b" ")
                kept = float(digits) if sum_of_them == _sum(digits) else 0.0
        except (OSError, ValueError):
            kept = 0.0
        return max(float(RELEASED_AT), kept if math.isfinite(kept) and kept < _LATEST else 0.0)

    def note(self, now: float, signed_at: float = 0.0) -> None:
        """Keep the time, if it can be believed.

        Args:
            now: as the clock shows it, Unix time.
            signed_at: when the newest publication that was verified was signed; 0 for unknown.

        Raises:
            StoreError: it cannot be kept.
        """
        known = self.read()
        if known + _STEP_S < now <= max(known, signed_at) + _FARTHEST_S:
            digits = b"%d" % now
            write_atomically(self._path, digits + b" " + _sum(digits))


def _sum(digits: bytes) -> bytes:
    """Return a checksum: one flipped bit makes 1800000000 a time that never comes."""
    return b"%08x" % zlib.crc32(digits)
