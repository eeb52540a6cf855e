# SPDX-License-Identifier: Apache-2.0
"""Pseudonyms of devices that end with the school day.

A pseudonym is a keyed hash of the MAC, or of the address while no MAC is known. The key of
a day is in a file that all processes of the daemon share, in the folder of the control
socket (``/run``): whichever comes first that day writes it over that of the day before. So
with a day its key is gone, and no one can compute its pseudonyms again. A reboot ends it
before.

Pseudonyms by a MAC, an IPv4 and an IPv6 address are of three ranges (``lookups.BY_IPV4``): one
device may have one of each kind, and many of the last.

The file is written in place under a lock: of two processes that find the key of yesterday
one makes the key of today, and the other reads it. No process waits for a lock that
is held for longer than some milliseconds.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import re
import secrets
import stat
import time
from datetime import date, timedelta
from errno import EINVAL
from typing import TYPE_CHECKING

from filterd.querylog.day_schema import DaySpan
from filterd.querylog.lookups import BY_IPV4, BY_IPV6

if TYPE_CHECKING:
    from io import FileIO
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from filterd.policy.model import Client

_NONE = "none"
_WRITTEN = re.compile(rf"(\d{{4}}-\d\d-\d\d) ([0-9a-f]{{32}}|{_NONE})\n", re.ASCII)
"""What the file of a key holds: a date, and 16 octets in hexadecimal, or that it has no key."""

_is_mac = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}", re.ASCII).fullmatch

_NO_DAY = DaySpan("", 0, 0)

_MOST_KNOWN = 10_000
"""Devices memorised; as many as ``clients`` memorises."""

_WAITS, _WAIT_S = 10, 0.002
"""While another process writes the key, which takes microseconds unless it loses the processor.

Once only: while a lock is held for longer, nothing waits.
"""

_logger = logging.getLogger("filterd.log")


class Pseudonyms:
    """Pseudonyms by the key of today.

    Args:
        path: the file of the key.
        zone: in which days begin; it may be set anew.
    """

    def __init__(self, path: Path, zone: ZoneInfo) -> None:
        self.zone = zone
        self._path = path
        self._span, self._span_zone = _NO_DAY, zone
        self._key = b""
        self._known: dict[str, int] = {}
        self._problem = ""

    def of_client(self, client: Client, now: float) -> int:
        """Return the pseudonym of a client's device on the day of a Unix time; see ``of``."""
        return self.of(client.mac or client.address or "", now)

    def of(self, device: str, now: float) -> int:
        """Return a pseudonym, 1 to 2^31 - 1; 0 while there is no key, or for no device.

        Args:
            device: a MAC, or an address.
            now: Unix time.
        """
        span = self._span
        is_known = span.begins <= now < span.ends and self._span_zone is self.zone
        if not is_known and not self._take_key(now):
            return 0
        known = self._known.get(device)
        if known is None:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            known = self._known[device] = self._hashed(device)
        return known

    def end_yesterday(self, now: float) -> None:
        """Forget a key of another day here and in the file, also without lookups."""
        if self._span is not _NO_DAY and not self._span.has(now):
            self._forget()
        if os.path.lexists(self._path):
            self._take_key(now)

    def _take_key(self, now: float) -> bool:
        """Have the key of the day of a Unix time, and return whether there is one."""
        span = DaySpan.at(now, self.zone)
        self._forget()
        try:
            self._key = _key_of(self._path, span.day, 0 if self._problem else _WAITS)
        except OSError as error:
            if str(error) != self._problem:
                _logger.error("%s; until then the log has no pseudonyms of devices", error)
            self._problem = str(error)
            return False
        problem = "" if self._key else "the clock was set back over midnight"
        if problem and problem != self._problem:
            _logger.warning("%s; this day the log has no pseudonyms of devices", problem)
        self._span, self._span_zone, self._problem = span, self.zone, problem
        return True

    def _hashed(self, device: str) -> int:
        return _hashed(device, self._key) if device and self._key else 0

    def _forget(self) -> None:
        self._span, self._key = _NO_DAY, b""
        self._known.clear()


def _hashed(device: str, key: bytes) -> int:
    digest = hashlib.blake2b(device.encode(), key=key, digest_size=8).digest()
    if _is_mac(device):
        first, end = 1, BY_IPV4
    else:
        first, end = (BY_IPV6, 2**31) if ":" in device else (BY_IPV4, BY_IPV6)
    return first + int.from_bytes(digest) % (end - first)


def _key_of(path: Path, day: str, waits: int) -> bytes:
    """Return the key of a day, and make it if the file has that of an earlier day.

    Of a day that a clock is set back to it is empty: a second key of one day would give its
    devices second pseudonyms, and a name of three devices would count as one of six.

    Args:
        path: the file.
        day: ISO 8601.
        waits: how often to wait for another process.

    Raises:
        OSError: it cannot be read or written, or another process is at it.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags, 0o600), "r+b", buffering=0) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(EINVAL, "Not a plain file", str(path))
        # Without the lock too: it would fail while another process only reads.
        while (key := _written_key(file, day)) is None and not _lock(file, waits):
            waits -= 1
            time.sleep(_WAIT_S)
        if (key := key or _written_key(file, day)) is not None:
            return key
        key = b"" if _written(file)[0] > day else secrets.token_bytes(16)
        # In this order: a process that reads meanwhile finds nothing, never a half of each.
        file.truncate(0)
        file.seek(0)
        file.write(f"{day} {key.hex() or _NONE}\n".encode())
        return key


def _lock(file: FileIO, waits: int) -> bool:
    """Lock a file; return whether it could be done.

    Raises:
        OSError: it could not, and no waits are left.
    """
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        if waits == 0:
            raise
        return False
    return True


def _written_key(file: FileIO, day: str) -> bytes | None:
    """Return the key of a day as a file has it; None if it has none yet.

    It is empty while the file has that of the next day, which will be needed.
    """
    written, key = _written(file)
    if written == (date.fromisoformat(day) + timedelta(days=1)).isoformat():
        return b""
    return (b"" if key == _NONE else bytes.fromhex(key)) if written == day else None


def _written(file: FileIO) -> tuple[str, str]:
    """Return the day and the key that a file has, empty where it has none."""
    file.seek(0)
    found = _WRITTEN.fullmatch(file.read(128).decode("ascii", "replace"))
    return (found[1], found[2]) if found is not None else ("", "")
