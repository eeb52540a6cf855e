# SPDX-License-Identifier: Apache-2.0
"""Write the history: one writer at a time, the file and its copies alike.

A process that knows the rows replays new ones only. A damaged file is set aside, and the next
one begins with the active overrides.
"""

from __future__ import annotations

import logging
import time
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from filterd.base.errors import InUseError, StoreError
from filterd.base.paths import remove_temporaries, replacing, sole, with_sides
from filterd.overrides.changes.effects import ChangeEffect
from filterd.overrides.history import quarantine, snapshot, store_file
from filterd.overrides.history.history_chain import (
    RESTORED,
    HistoryReplay,
    HistoryRow,
    replay,
)
from filterd.overrides.history.snapshot import Exported
from filterd.overrides.history.store_file import DamagedError
from filterd.texts.i18n import say

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator

    from filterd.base.clock import Clock
    from filterd.base.state_folder import StateFolder
    from filterd.overrides.history.history_copies import HistoryCopies
    from filterd.policy.temporary_rules import Overrides

LOCK_TRIES, LOCK_PAUSE_S = 200, 0.025
_ALL = -1
_SELF = "filterd"

_logger = logging.getLogger("filterd.overrides")

ResultT = TypeVar("ResultT")


class PastChanges(NamedTuple):
    """The changes in the file, as the context of a new one."""

    connection: sqlite3.Connection

    def row(self, number: int) -> HistoryRow | None:
        """Return the change of a number."""
        found = self.connection.execute(store_file.ROW, (number,)).fetchone()
        return None if found is None else HistoryRow._make(found)

    def since(self, number: int) -> Iterator[HistoryRow]:
        """Return the changes after a number, in ascending order."""
        return store_file.rows(self.connection, number)

    def newest_first(self) -> Iterator[HistoryRow]:
        """Return all changes, the last one first."""
        return map(HistoryRow._make, self.connection.execute(store_file.ROWS_BACK, (_ALL,)))


class StoreWriter:
    """The file of the history and its copies, as one process knows and writes them.

    Args:
        state: the folder.
        clock: for the time at which a file is set aside.
        copies: of the history.
        not_before: returns the earliest time that it may be.

    Attributes:
        known: the rows that this process has read; None before.
        set_aside_because: why the last file was set aside; may be empty.
    """

    def __init__(
        self,
        state: StateFolder,
        clock: Clock,
        copies: HistoryCopies,
        not_before: Callable[[], float],
    ) -> None:
        self._state, self._clock, self._path = state, clock, state.overrides
        self._copies, self._not_before = copies, not_before
        self.known: HistoryReplay | None = None
        self.set_aside_because = ""

    def write(self, work: Callable[[sqlite3.Connection, HistoryReplay], ResultT]) -> ResultT:
        """Run ``work`` in a transaction, which it commits itself, with the store locked.

        A damaged store is replaced first, or when ``work`` finds that it is.

        Raises:
            StoreError: the disk refused, or another process is at work; nothing is changed.
        """
        with self._held():
            remove_temporaries(self._path, *self._state.overrides_copies)
            try:
                self._refuse_what_is_lost()
                return self._in_transaction(work)
            except DamagedError as error:
                self._begin_anew(error)
            return self._in_transaction(work)

    def _in_transaction(
        self, work: Callable[[sqlite3.Connection, HistoryReplay], ResultT]
    ) -> ResultT:
        with store_file.to_write(self._path, check=self.known is None) as connection:
            return work(connection, self.sound(connection))

    def bring_up(self, connection: sqlite3.Connection, done: HistoryReplay) -> Exported:
        """Commit a migrated file, and write the copies again as the store has them."""
        connection.execute("COMMIT")
        self.known = done
        brought = Exported(self.lasting(done), done.last_hash, done.at)
        for path in self._state.overrides_copies:
            copied = snapshot.newest((path,))
            if copied is None or (copied.hash, copied.at) != (done.last_hash, done.at):
                snapshot.FORMAT.save(path, brought)
        return brought

    def add(self, connection: sqlite3.Connection, done: HistoryReplay, row: HistoryRow) -> Exported:
        """Commit a row together with the copy of the overrides after it."""
        after = self.without_problem(replay((row,), done))
        added = Exported(self.lasting(after), row.hash, after.at)
        content = snapshot.FORMAT.dump(added)
        with ExitStack() as ready:
            copies = self._state.overrides_copies
            puts = [ready.enter_context(replacing(path, content)) for path in copies]
            connection.execute(store_file.ADD_ROW, row)
            connection.execute("COMMIT")
            self.known = after
            for put in puts:
                try:
                    put()
                except StoreError as error:  # recorded; the next start writes the copies again
                    _logger.error("%s", error)
        return added

    def lasting(self, done: HistoryReplay) -> Overrides:
        """Return the overrides that copies have: without what ended long ago."""
        return snapshot.lasting(done.overrides, self._not_before())

    def sound(self, connection: sqlite3.Connection) -> HistoryReplay:
        """Return the replay of the rows; only new ones are read.

        Raises:
            DamagedError: they are not as they were written, or not all there.
        """
        past, known = PastChanges(connection), self.known
        if known is not None:
            row = past.row(known.overrides.number)
            if row is not None and row.hash == known.last_hash:
                return self.without_problem(replay(past.since(row.number), known))
        done = self.without_problem(replay(past.since(0)))
        problem = self._copies.disagreement(done, past.row)
        if problem:
            raise DamagedError(self._path, problem, altered=True)
        return done

    def without_problem(self, done: HistoryReplay) -> HistoryReplay:
        """Return a replay of sound rows as it is.

        Raises:
            DamagedError: a row is not as it was written.
        """
        if done.first_bad is not None:
            raise DamagedError(
                self._path,
                say("change {number}: {problem}", number=done.first_bad, problem=done.problem),
                altered=True,
            )
        return done

    def is_lost(self) -> bool:
        """Return whether file and copies are gone, and this process does not know them."""
        return self.known is None and self._copies.is_lost()

    def _refuse_what_is_lost(self) -> None:
        if self.is_lost():
            raise DamagedError(self._path, say("it is missing, and there is no copy of it"))

    def _begin_anew(self, error: DamagedError) -> None:
        """Set the file aside, and begin another with the active overrides.

        Raises:
            StoreError: the disk refused.
        """
        now, best = self._clock.wall(), self._copies.best(self.known)
        is_whole = self.known is not None or self._copies.copied() is not None
        salvaged, rows = self._copies.salvaged()
        if rows or salvaged.problem:
            kept = quarantine.set_aside(
                self._path, now, altered=error.altered, lost=not is_whole
            ).name
        else:  # the file was lost, and this is the new one
            kept = "" if is_whole else quarantine.note_lost(self._path, now).name
            quarantine.remove(*with_sides(self._path))
        self.known = None
        effect = ChangeEffect(after=replace(best.overrides, number=0))
        payload = {"file": kept, "problem": error.problem}
        number = best.overrides.number + 1
        row = HistoryRow.of(number, now, _SELF, RESTORED, payload, "", effect, best.last_hash)
        with store_file.to_write(self._path, check=False) as connection:
            self.add(connection, HistoryReplay(at=best.at), row)
        stays = say("what was set") if is_whole else say("of what was set, only what could be read")
        self.set_aside_because = say(
            "{path}: damaged ({problem}); {where}{stays} stays in force",
            path=self._path,
            problem=error.problem,
            where=say("kept as {kept}, ", kept=kept) if kept else "",
            stays=stays,
        )
        _logger.error("%s", self.set_aside_because)

    @contextmanager
    def _held(self) -> Iterator[None]:
        """Lock the store for writing; wait a little for other processes."""
        otherwise = say("another command is changing the settings; try again")
        with ExitStack() as holding:
            for left in range(LOCK_TRIES - 1, -1, -1):
                try:
                    holding.enter_context(sole(self._state.overrides_lock, otherwise=otherwise))
                    break
                except InUseError:
                    if not left:
                        raise
                    time.sleep(LOCK_PAUSE_S)
            yield
