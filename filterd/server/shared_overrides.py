# SPDX-License-Identifier: Apache-2.0
"""What commands have set, in memory that all processes of a daemon share.

The supervisor makes it before it forks and fills it before the first answer; from
then on only the manager writes. So a worker that is started anew needs no file for
it: whatever becomes of the disk, what is in force stays in force.

There are two slots, each with a number, a length and the content of a copy. The
older one is written, the newer sound one is read: a manager that dies while it
writes leaves the other.
"""

from __future__ import annotations

import mmap
import struct

from filterd.errors import StoreError
from filterd.overrides.export import FORMAT, Exported

SLOT_OCTETS = 4 << 20
"""Of address space; memory is taken as it is written. A school has some thousand octets."""
_HEAD = struct.Struct("=QQ")
_TRIES = 3
_PLACE = "memory"


class SharedOverrides:
    """The newest copy of what is set."""

    def __init__(self, slot_octets: int = SLOT_OCTETS) -> None:
        self._octets = slot_octets
        self._memory = mmap.mmap(-1, 2 * slot_octets)  # anonymous and shared: children see it

    def put(self, exported: Exported) -> None:
        """Keep this from now on; what has no room is not kept, and read from the disk."""
        content = FORMAT.dump(exported)
        if len(content) > self._octets - _HEAD.size:
            for at in (0, self._octets):
                _HEAD.pack_into(self._memory, at, 0, 0)
            return
        newest = max((0, 1), key=self._number)
        at = (1 - newest) * self._octets
        _HEAD.pack_into(self._memory, at, 0, 0)
        self._memory[at + _HEAD.size : at + _HEAD.size + len(content)] = content
        _HEAD.pack_into(self._memory, at, self._number(newest) + 1, len(content))

    def get(self) -> Exported | None:
        """Return what is kept; None where nothing is."""
        for _ in range(_TRIES):  # it may be written twice meanwhile
            for slot in sorted((0, 1), key=self._number, reverse=True):
                number, length = _HEAD.unpack_from(self._memory, slot * self._octets)
                if not number:
                    continue
                begin = slot * self._octets + _HEAD.size
                try:
                    return FORMAT.parse(self._memory[begin : begin + length], _PLACE)
                except StoreError:
                    continue
        return None

    def _number(self, slot: int) -> int:
        number: int = _HEAD.unpack_from(self._memory, slot * self._octets)[0]
        return number
