# SPDX-License-Identifier: Apache-2.0
"""What the time must at least be, for a board that starts in 1970 (reliability.md G1, G3).

A file has the last time that was believed. A clock that jumps far ahead may have
been set by somebody who wants all that is signed to look expired; its time is
kept only once something was signed at about that time.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from filterd.state_file import FileFormat
from filterd.version import RELEASED_AT

if TYPE_CHECKING:
    from pathlib import Path

_FARTHEST_S = 366 * 86_400.0
_STEP_S = 3_600.0
"""No finer: a card wears out by being written to."""
_LATEST = 1e11


@dataclass(frozen=True, slots=True)
class _Believed:
    at: float


def _of_old(content: bytes) -> Any:
    """Read what releases up to 0.1 wrote: the seconds, and their CRC-32."""
    digits, _, stated = content.partition(b" ")
    if stated != b"%08x" % zlib.crc32(digits):
        raise ValueError
    return {"at": float(digits)}


class _Format(FileFormat[_Believed]):
    """The file's form: releases up to 0.1, put back, must not believe an earlier time."""

    def dump(self, value: _Believed) -> bytes:
        """Return the content of a file as those releases wrote it."""
        digits = b"%d" % value.at
        return b"%s %08x" % (digits, zlib.crc32(digits))


_FORMAT = _Format(_Believed, magic=b"filterd feed-time ", most_octets=1_000, legacy=_of_old)


class TimeFloor:
    """The last time that was believed, below the feed's state folder.

    Args:
        folder: the feed's.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "time-floor"

    def read(self) -> float:
        """Return what the time must at least be, Unix time: the release, where no more is known."""
        kept = _FORMAT.read(self._path) or _Believed(0.0)
        return max(float(RELEASED_AT), kept.at if kept.at < _LATEST else 0.0)

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
            _FORMAT.save(self._path, _Believed(float(int(now))))
