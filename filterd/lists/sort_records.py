# SPDX-License-Identifier: Apache-2.0
r"""Records: one entry as one ``bytes``, so that sorting bytes sorts entries.

``key + b"\0" + claim (u32) + line (u32)``, both big-endian. The NUL keeps the
order of keys: it is smaller than what may follow a key within a longer one.
Sorted, the records of a name stand together by claim and line, and everything
beneath a name is one run.

The line 0, which no list has, *cancels* its claim: it sorts before the entries
that it is about (Adblock's ``$badfilter``).
"""

from __future__ import annotations

import struct
from bisect import bisect_left
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

TAIL_OCTETS = 9
CANCELS = 0

_tail = struct.Struct(">xII")
record_tail = _tail.pack
"""``record_tail(claim, line)``: what follows the key; a bare function, because it runs per line."""


def read_tail(record: bytes) -> tuple[int, int]:
    """Return claim id and line of a record."""
    claim, line = _tail.unpack(record[-TAIL_OCTETS:])
    return claim, line


def run_of(records: Sequence[bytes], key: bytes, *, subtree: bool) -> slice:
    """Find the records of ``key`` in sorted records, and with ``subtree`` of all beneath it."""
    first, beyond = (key, b"\xff") if subtree else (key + b"\0", b"\1")
    return slice(bisect_left(records, first), bisect_left(records, key + beyond))
