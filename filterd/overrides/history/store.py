# SPDX-License-Identifier: Apache-2.0
"""The store: changes on the disk, one writer at a time, and all past states.

A change is acknowledged after its row and two copies of the overrides are on the disk.
A process that is killed in between leaves a store that is ahead of its copies, which
the next start writes anew.

A file is damaged when SQLite finds it so, when the chain of its rows is broken, or when it
ends before a copy does. It is then set aside, and a new one begins with the active
overrides: the newest sound copy, or the sound rows where they go further. Where neither
the file nor a copy can be read, though the policies kept beside it prove that there was
one, the overrides are *lost*: an empty file marks that until it is moved away.

``Started``, ``Done`` and ``HistoryCheck`` are its results; ``store_writer`` writes. Everything
here may block on the disk: it is for commands and for a thread.
"""

from __future__ import annotations

import logging
import os
from dataclasses import field
from itertools import islice, takewhile
from typing import TYPE_CHECKING, Any

from filterd.base.errors import StoreError
from filterd.base.value_class import frozen
from filterd.overrides.changes.change_kinds import ChangeRequest
from filterd.overrides.changes.effects import NOTHING, ChangeContext, ChangeEffect
from filterd.overrides.history import quarantine, restored_history, store_file
from filterd.overrides.history.history_chain import (
    GENESIS,
    RESTORED,
    VIEW,
    HistoryReplay,
    HistoryRow,
    replay,
)
from filterd.overrides.history.history_copies import HistoryCopies
from filterd.overrides.history.snapshot import Exported
from filterd.overrides.history.store_writer import PastChanges, StoreWriter
from filterd.texts.i18n import Sentence, say

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Mapping, Sequence

    from filterd.base.clock import Clock
    from filterd.base.state_folder import StateFolder
    from filterd.overrides.changes.effects import CheckedChange
    from filterd.overrides.history.restored_history import BackupOrigin
    from filterd.policy.temporary_rules import Overrides


_logger = logging.getLogger("filterd.overrides")


@frozen
class Started:
    """The overrides at a start, and the last change's hash; ``problem``: one line.

    As in the copies, things that ended long ago are missing.
    """

    overrides: Overrides
    problem: str = ""
    last_hash: str = field(default=GENESIS, compare=False)
    at: float = field(default=0.0, compare=False)

    @property
    def exported(self) -> Exported:
        """The same as a copy."""
        return Exported(self.overrides, self.last_hash, self.at)


@frozen
class Done:
    """A change that is on the disk, and the overrides after it, as in the copy.

    ``taken_back`` is the number of the change that it takes back, if it is an undo.
    """

    row: HistoryRow
    overrides: Overrides
    taken_back: HistoryRow | None = None
    at: float = field(default=0.0, compare=False)

    @property
    def exported(self) -> Exported:
        """The overrides after it as a copy."""
        return Exported(self.overrides, self.row.hash, self.at)


@frozen
class HistoryCheck:
    """The result of a check of the history; ``first_bad`` is the first altered row.

    ``set_aside`` are the names of damaged files, each with a history that ended, and
    ``altered`` of those among them that were altered.
    """

    number: int
    first_bad: int | None = None
    problem: str = ""
    set_aside: tuple[str, ...] = ()
    altered: tuple[str, ...] = ()

    @property
    def is_sound(self) -> bool:
        """Whether nothing was altered, neither here nor in the files set aside."""
        return self.first_bad is None and not self.altered


class Store:
    """The overrides in a state folder, and their history.

    Several processes may have one: each sees the changes of the others.

    Args:
        state: the folder.
        clock: for the time of a change.
        remembered: returns what processes of this daemon hold in memory, one more copy.
        not_before: returns the earliest time that it may be; None: by the clock.

    Attributes:
        writer: for what stands beside the rows in the file.
    """

    def __init__(
        self,
        state: StateFolder,
        clock: Clock,
        remembered: Callable[[], Exported | None] = lambda: None,
        not_before: Callable[[], float] | None = None,
    ) -> None:
        self._clock, self._path = clock, state.overrides
        self._copies = HistoryCopies(state, remembered)
        self.writer = StoreWriter(state, clock, self._copies, not_before or clock.wall)

    def start(self) -> Started:
        """Return the active overrides, and repair the state of the last run.

        It never fails: where the store cannot be used, the last copy is active. The
        problem is logged then, too.
        """
        is_new = not os.path.lexists(self._path) and self._copies.copied() is None
        if is_new and not self.writer.is_lost():
            return Started(NOTHING)
        self.writer.set_aside_because = ""
        try:
            brought = self.writer.write(self.writer.bring_up)
        except StoreError as error:
            _logger.error("%s", error)
            best = self._copies.best(self.writer.known)
            for sentence in self.lost():
                _logger.error("%s", sentence)
            return Started(self.writer.lasting(best), str(error), best.last_hash, best.at)
        return Started(brought.overrides, self.writer.set_aside_because, brought.hash, brought.at)

    def keep(self) -> None:
        """Write the store and its copies again where they are missing or damaged.

        Raises:
            StoreError: the disk refused, or another process is at work.
        """
        self.writer.write(self.writer.bring_up)

    def change(
        self,
        kind: str,
        payload: Mapping[str, Any],
        *,
        author: str,
        reason: str,
        now: float | None = None,
        not_before: float | None = None,
    ) -> Done:
        """Make a change; when this returns it is on the disk.

        Args:
            kind: of change, or its name in the history.
            payload: what the kind wants, as plain data.
            author: the user.
            reason: of the change.
            now: the Unix time that policy goes by; None: by the clock.
            not_before: the earliest one that it may be.

        Raises:
            ChangeError: it is wrong, or cannot be made as things are.
            StoreError: the disk refused, or another process is at work; nothing is changed.
        """
        request = ChangeRequest.of(kind, payload, author, reason)

        def make(connection: sqlite3.Connection, done: HistoryReplay) -> Done:
            at, past = self._clock.wall(), PastChanges(connection)
            row = request.row(at, done.overrides, past, done.last_hash, now, not_before)
            undone = row.undone()
            taken_back = None if undone is None else past.row(undone)
            added = self.writer.add(connection, done, row)
            return Done(row, added.overrides, taken_back, added.at)

        return self.writer.write(make)

    def restore(
        self, backup: Sequence[HistoryRow], origin: BackupOrigin, *, author: str, now: float
    ) -> Done:
        """Bring the overrides of a backup back; see ``restored_history``.

        Raises:
            StoreError: the disk refused, or another process is at work; nothing is changed.
        """

        def make(connection: sqlite3.Connection, done: HistoryReplay) -> Done:
            present = tuple(store_file.rows(connection))
            if (row := restored_history.done_before(present, origin)) is not None:
                return Done(row, self.writer.lasting(done), at=done.at)
            about = (present, done.overrides, backup, origin)
            found = restored_history.restored(*about, author=author, at=now)
            if found.adopts:
                self._copies.give_way(present if found.left else ())
                store_file.replace_rows(connection, backup)
                done = replay(backup)
            added = self.writer.add(connection, done, found.row)
            return Done(found.row, added.overrides, at=added.at)

        return self.writer.write(make)

    def effect(
        self, change: CheckedChange, *, author: str, now: float, not_before: float | None = None
    ) -> ChangeEffect:
        """Return the effect that a change would have; nothing is recorded. See ``change``."""

        def make(connection: sqlite3.Connection, done: HistoryReplay) -> ChangeEffect:
            number, past = done.overrides.number + 1, PastChanges(connection)
            context = ChangeContext(number, now, author, "", done.overrides, past, not_before)
            return change.effect(context)

        return self.writer.write(make)

    def current(self) -> Overrides:
        """Return the overrides.

        Raises:
            StoreError: the store cannot be read, or is damaged.
        """
        if not os.path.lexists(self._path):
            copied = self._copies.copied()
            return NOTHING if copied is None else copied.overrides
        with store_file.to_read(self._path) as connection:
            return self.writer.sound(connection).overrides

    def last_change(self) -> float:
        """Return the time of the last change, as in ``Exported.at``.

        Raises:
            StoreError: the store cannot be read, or is damaged.
        """
        if not self._path.exists():
            return 0.0
        with store_file.to_read(self._path) as connection:
            return self.writer.sound(connection).at

    def at(self, when: float) -> Overrides | None:
        """Return the overrides at the time ``when`` of the gateway's clock.

        Returns:
            None where that is not known any more, because the history of that time was set aside.

        Raises:
            StoreError: the store cannot be read, or is damaged.
        """
        if not os.path.lexists(self._path):
            return NOTHING
        with store_file.to_read(self._path) as connection:
            (last,) = connection.execute(store_file.LAST_BY, (when,)).fetchone()
            if last is None:
                first = connection.execute(store_file.FIRST).fetchone()
                return None if first and HistoryRow._make(first).kind == RESTORED else NOTHING
            wanted = takewhile(lambda row: row.number <= last, store_file.rows(connection))
            return self.writer.without_problem(replay(wanted)).overrides

    def rows(
        self, limit: int | None = None, *, views: bool = True, before: int | None = None
    ) -> tuple[HistoryRow, ...]:
        """Return the last changes, the newest first; all of them without a limit.

        Args:
            limit: their number.
            views: whether looks at the query log are among them.
            before: the number of a change; those before it. None for the last ones.

        Raises:
            StoreError: the store cannot be read, or is damaged.
        """
        if not os.path.lexists(self._path):
            return ()
        with store_file.to_read(self._path) as connection:
            found = (
                row
                for row in PastChanges(connection).newest_first()
                if (views or row.kind != VIEW) and (before is None or row.number < before)
            )
            return tuple(islice(found, limit))

    def verify(self) -> HistoryCheck:
        """Check the whole history for alterations.

        Raises:
            StoreError: the store cannot be read.
        """
        kept = quarantine.files(self._path)
        names = tuple(one.name for one in kept)
        altered = tuple(one.name for one in kept if quarantine.is_altered(one))
        done, rows = self._copies.salvaged()
        problem, first_bad = done.problem, done.first_bad
        if not problem:
            problem = self._copies.disagreement(done, rows.get)
            last = min(done.overrides.number + 1, self._copies.copied_number())
            first_bad = last if problem else None
        return HistoryCheck(done.overrides.number, first_bad, problem, names, altered)

    def lost(self) -> tuple[Sentence, ...]:
        """Return notices for every command: overrides that were lost."""
        if self.writer.is_lost() or (self.writer.known is None and self._copies.is_unreadable()):
            gone = say(
                "{path}: the settings made by commands cannot be read, and there is no copy of"
                " them: they are not in force; repair the disk and restart filterd, or set them"
                " again",
                path=self._path,
            )
            return (gone, *quarantine.lost(self._path))
        return tuple(quarantine.lost(self._path))

    def problems(self) -> tuple[Sentence, ...]:
        """Return why no change can be made, if so, and the files set aside, a line each.

        It does not check the history as ``verify`` does.
        """
        return tuple(store_file.problems(self._path))
