# SPDX-License-Identifier: Apache-2.0
"""The copies of the history: in the file, beside it, in memory.

They are only read, by a process that does not know the overrides yet.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from filterd.base.errors import StoreError
from filterd.base.paths import write_atomically
from filterd.overrides.history import quarantine, restored_history, snapshot, store_file
from filterd.overrides.history.history_chain import HistoryReplay, HistoryRow, replay
from filterd.overrides.history.store_file import DamagedError
from filterd.texts.i18n import UNSAID, Sentence, say

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from filterd.base.state_folder import StateFolder
    from filterd.overrides.history.snapshot import Exported


class HistoryCopies:
    """The history as far as it can be read, and its copies.

    Args:
        state: the folder.
        remembered: returns what processes of this daemon hold in memory, one more copy.
    """

    def __init__(self, state: StateFolder, remembered: Callable[[], Exported | None]) -> None:
        self._state, self._path, self._remembered = state, state.overrides, remembered

    def disagreement(
        self, done: HistoryReplay, row_of: Callable[[int], HistoryRow | None]
    ) -> Sentence:
        """Return the changes that a copy has and the file has not; ``UNSAID`` if none."""
        copied = self.copied()
        if copied is None or not copied.overrides.number:
            return UNSAID
        number = copied.overrides.number
        if number > done.overrides.number:
            last = done.overrides.number
            return say(
                "changes up to {number} were made, and its last is {last}", number=number, last=last
            )
        row = row_of(number)
        if row is not None and row.hash != copied.hash:
            return say("change {number} is not the one that was made", number=number)
        return UNSAID

    def copied(self) -> Exported | None:
        """Return the newest copy, the one in memory included; None without any."""
        found = (self._remembered(), snapshot.newest(self._state.overrides_copies))
        return max(filter(None, found), key=lambda one: one.overrides.number, default=None)

    def is_lost(self) -> bool:
        """Return whether file and copies are all gone, though there must have been some.

        A copy that cannot be read counts as there; kept policies stand in rows of a file.
        """
        if os.path.lexists(self._path) or self.copied() is not None:
            return False
        with suppress(OSError):
            if any(self._state.past_policies.glob("*.filterd")):
                return True
        return any(map(os.path.lexists, self._state.overrides_copies))

    def is_unreadable(self) -> bool:
        """Return whether a file is partly unreadable and has no copy."""
        if not os.path.lexists(self._path):
            return False
        try:
            return self.copied() is None and self.salvaged()[0].first_bad is not None
        except StoreError:
            return True

    def copied_number(self) -> int:
        """Return the number of the last change of the newest copy; 0 without any."""
        copied = self.copied()
        return 0 if copied is None else copied.overrides.number

    def salvaged(self) -> tuple[HistoryReplay, dict[int, HistoryRow]]:
        """Return the replay of the sound rows at the beginning, and all readable rows.

        Raises:
            StoreError: the file cannot be read, without being damaged.
        """
        rows, problem = dict[int, HistoryRow](), UNSAID
        if os.path.lexists(self._path):
            try:
                with store_file.to_read(self._path) as connection:
                    rows.update((row.number, row) for row in store_file.rows(connection))
            except DamagedError as error:
                problem = error.problem
        done = replay(rows.values())
        if problem and done.first_bad is None:
            done = replace(done, first_bad=done.overrides.number + 1, problem=problem)
        return done, rows

    def give_way(self, present: Sequence[HistoryRow]) -> None:
        """Remove the copies before another history takes the place of the file's.

        A copy that is ahead of the file would have it taken for altered.

        Args:
            present: the rows to keep aside; empty for none.

        Raises:
            StoreError: the disk refused.
        """
        if present:
            write_atomically(self._state.replaced_history, restored_history.dump(present))
        quarantine.remove(*self._state.overrides_copies)

    def best(self, known: HistoryReplay | None) -> HistoryReplay:
        """Return the latest known state: the copy, unless file or memory are later."""
        copied = self.copied()
        best = (
            HistoryReplay()
            if copied is None
            else HistoryReplay(copied.overrides, copied.hash, copied.at)
        )
        salvaged = HistoryReplay()
        with suppress(StoreError):  # that it cannot be read is logged where it was to be written
            salvaged = self.salvaged()[0]
        for other in (known or HistoryReplay(), salvaged):
            if other.overrides.number > best.overrides.number:
                best = HistoryReplay(other.overrides, other.last_hash, other.at)
        return best
