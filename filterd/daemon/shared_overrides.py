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

import contextlib
import logging
import mmap
import os
import struct
from typing import TYPE_CHECKING

from filterd.bounded_child import close_all_but_standard, in_fork
from filterd.errors import StoreError
from filterd.overrides import snapshot as exported
from filterd.overrides.effects import NOTHING
from filterd.overrides.history_chain import GENESIS
from filterd.overrides.snapshot import FORMAT, Exported

if TYPE_CHECKING:
    from filterd.clock import Clock
    from filterd.daemon.process import Setting
    from filterd.policy.temporary_rules import Overrides
    from filterd.state_folder import StateFolder

SLOT_OCTETS = 4 << 20
"""Of address space; memory is taken as it is written. A school has some thousand octets."""
_HEAD = struct.Struct("=QQ")
_TRIES = 3
_PLACE = "memory"
_STORE_WITHIN_S = 60.0
"""Without a copy; with one a start need not wait so long for a slow disk."""

_log = logging.getLogger("filterd.shared_overrides")


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


def overrides_in_force(setting: Setting) -> Overrides:
    """Return what commands have set, as the daemon holds it in memory."""
    held = setting.overrides.get()
    if held is None:  # too much for the memory, or nothing
        held = exported.newest(setting.state.overrides_copies)
    return NOTHING if held is None else held.overrides


def recall_overrides(state: StateFolder, clock: Clock, held: SharedOverrides) -> None:
    """Take into memory what commands have set, before the first answer.

    A copy may be gone, or older than the store, which is then read and its copies are
    written anew. A child does that, with SQLite, and no other process needs that.
    """
    copied = exported.newest(state.overrides_copies)
    if copied is not None:
        held.put(copied)
    try:
        code = in_fork(
            lambda: _follow_the_store(state, clock, held),
            _STORE_WITHIN_S if copied is None else _STORE_WITHIN_S / 4,
        )
        problem = f"exit status {code}" if code else ""
    except (OSError, TimeoutError) as error:
        problem = str(error) or "it took too long"
    if problem:
        _log.error("%s: what commands have set was not read (%s)", state.overrides, problem)


def _follow_the_store(state: StateFolder, clock: Clock, held: SharedOverrides) -> int:
    """Look whether the copies end where the store does; if not, mend it all, and hold that."""
    close_all_but_standard()
    from filterd.overrides import store_file  # noqa: PLC0415 -- of this child alone

    copies = [exported.newest((path,)) for path in state.overrides_copies]
    hashes = {None if one is None else one.hash for one in copies}
    if os.path.lexists(state.overrides):
        with contextlib.suppress(StoreError):  # then it is mended
            last = store_file.last_row(state.overrides)
            if hashes == {GENESIS if last is None else last.hash}:
                return 0
    from filterd.overrides.store import Store  # noqa: PLC0415 -- hardly ever

    held.put(Store(state, clock, held.get).start().exported)
    return 0
