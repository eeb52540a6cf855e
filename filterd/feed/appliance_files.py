# SPDX-License-Identifier: Apache-2.0
"""Keep an appliance's id, its last run, and the latest known time.

The id is random, made once, and sent nowhere. It gives the appliance its place among all
others (``schedule.place_of``) and its ring. A damaged file is made anew.

``TimeFloor`` is for a board whose clock starts in 1970. A clock that
jumps far ahead may have been set to make all signatures look expired; its time is kept only
once something was signed at about that time.
"""

from __future__ import annotations

import json
import secrets
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from filterd.paths import read_plain, write_atomically
from filterd.state_file import FileFormat
from filterd.version import RELEASED_AT

if TYPE_CHECKING:
    from pathlib import Path

ID_OCTETS = 16
_MOST_OCTETS = 1_000

_FARTHEST_S = 366 * 86_400.0
_STEP_S = 3_600.0
"""No finer: a card wears out by being written to."""
_LATEST = 1e11


@dataclass(frozen=True, slots=True)
class _LastRun:
    done_at: float


_RUN_FORMAT = FileFormat(
    _LastRun, magic=b"filterd feed-run ", most_octets=_MOST_OCTETS, legacy=json.loads
)


@dataclass(frozen=True, slots=True)
class ApplianceFolder:
    """The files below ``/var/lib/filterd/feed``.

    One process at a time works with them.
    """

    folder: Path

    @property
    def id_path(self) -> Path:
        """The id, in hex. An image of a card for many schools must not have it."""
        return self.folder / "appliance-id"

    @property
    def last_run_path(self) -> Path:
        """The time at which a run last ended with an answer."""
        return self.folder / "last-run.json"

    def appliance_id(self) -> bytes:
        """Return the id; make it if there is none.

        Raises:
            StoreError: it cannot be kept.
        """
        try:
            known = bytes.fromhex(read_plain(self.id_path, _MOST_OCTETS).decode("ascii"))
        except (OSError, ValueError):
            known = b""
        if len(known) == ID_OCTETS:
            return known
        made = secrets.token_bytes(ID_OCTETS)
        write_atomically(self.id_path, made.hex().encode("ascii"), mode=0o600)
        return made

    def done_at(self) -> float | None:
        """Return the Unix time at which a run last ended with an answer; None if unknown."""
        last = _RUN_FORMAT.read(self.last_run_path)
        return None if last is None else last.done_at

    def remember(self, done_at: float) -> None:
        """Keep when a run ended.

        Raises:
            StoreError: it cannot be kept.
        """
        _RUN_FORMAT.save(self.last_run_path, _LastRun(done_at))


@dataclass(frozen=True, slots=True)
class _Believed:
    at: float


def _of_old(content: bytes) -> Any:
    """Read the form of releases up to 0.1: the seconds, and their CRC-32."""
    digits, _, stated = content.partition(b" ")
    if stated != b"%08x" % zlib.crc32(digits):
        raise ValueError
    return {"at": float(digits)}


class _TimeFormat(FileFormat[_Believed]):
    """The file's form: releases up to 0.1, put back, must not believe an earlier time."""

    def dump(self, value: _Believed) -> bytes:
        """Return the content of a file as those releases wrote it."""
        digits = b"%d" % value.at
        return b"%s %08x" % (digits, zlib.crc32(digits))


_TIME_FORMAT = _TimeFormat(
    _Believed, magic=b"filterd feed-time ", most_octets=1_000, legacy=_of_old
)


class TimeFloor:
    """The latest time that was believed, in the feed's state folder."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "time-floor"

    def read(self) -> float:
        """Return the earliest possible Unix time: the release, where no more is known."""
        kept = _TIME_FORMAT.read(self._path) or _Believed(0.0)
        return max(float(RELEASED_AT), kept.at if kept.at < _LATEST else 0.0)

    def note(self, now: float, signed_at: float = 0.0) -> None:
        """Keep the time of the clock if it can be believed.

        Args:
            now: Unix time, by the clock.
            signed_at: when the newest verified publication was signed; 0 for unknown.

        Raises:
            StoreError: it cannot be kept.
        """
        known = self.read()
        if known + _STEP_S < now <= max(known, signed_at) + _FARTHEST_S:
            _TIME_FORMAT.save(self._path, _Believed(float(int(now))))
