# SPDX-License-Identifier: Apache-2.0
"""Bound the directory of a zip file before ``zipfile`` reads it.

``zipfile`` makes an object of each entry.
"""

from __future__ import annotations

import re

TAIL_OCTETS = 66_000
"""From the end of a file: its last record, with the longest comment, is within (APPNOTE 4.3.16)."""
MOST_OCTETS = 1 << 20
"""Of a directory: some ten thousand files."""

_ends = re.compile(rb"PK\x05\x06").finditer
_ZIP64 = b"PK\x06\x07"
_SIZE = slice(12, 16)


def is_small(tail: bytes) -> bool:
    """Return whether the directory of a file is of at most ``MOST_OCTETS``.

    Each mark of a last record counts: a file may have one within the fields or the comment of
    the true one. A file without any is none, which ``zipfile`` reports.

    Args:
        tail: the last ``TAIL_OCTETS`` of the file, or all of it.
    """
    if _ZIP64 in tail[-TAIL_OCTETS:]:
        return False
    sizes = (tail[one.start() :][_SIZE] for one in _ends(tail, max(len(tail) - TAIL_OCTETS, 0)))
    return all(int.from_bytes(size, "little") <= MOST_OCTETS for size in sizes)
