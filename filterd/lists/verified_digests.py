# SPDX-License-Identifier: Apache-2.0
"""Which indexes have been checked through and through, from one process to the next.

An index is checked in two ways. Its digest tells whether every octet is the one
that was written; that is owed whenever a file is opened to be served, because a
card may have lost some since. Whether what was written contradicts itself is a
question to the compiler, and for the same octets the answer stays the same: it
costs ten times as much, so it is asked once and remembered here by the digest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.paths import read_plain, write_atomically
from filterd.version import __version__

if TYPE_CHECKING:
    from pathlib import Path

_HEAD = f"filterd checked indexes 1, as filterd {__version__} checks"
_MOST_OCTETS = 4096
_KEPT = 4
"""The index in force, the one before it, and those that are being made."""


def checked_digests(record: Path) -> tuple[bytes, ...]:
    """Return the digests of indexes known to be sound; none where the record is of no use."""
    try:
        head, *lines = read_plain(record, _MOST_OCTETS).decode("ascii").splitlines()
        return tuple(map(bytes.fromhex, lines)) if head == _HEAD else ()
    except (OSError, ValueError):
        return ()


def note_checked(record: Path, digest: bytes) -> None:
    """Remember that the index with this digest was checked through and through.

    Raises:
        StoreError: the disk refused; it will be checked again.
    """
    others = [one for one in checked_digests(record) if one != digest]
    lines = [one.hex() for one in (digest, *others[: _KEPT - 1])]
    write_atomically(record, "\n".join((_HEAD, *lines, "")).encode("ascii"))
