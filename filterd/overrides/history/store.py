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

``Started``, ``Done`` and ``HistoryCheck`` are its results. Everything here may block on the
disk: it is for commands and for a thread.
"""

from __future__ import annotations

import logging
import os
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from itertools import islice, takewhile
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from filterd.base.errors import InUseError, StoreError
from filterd.base.paths import remove_temporaries, replacing, sole, with_sides
from filterd.overrides.changes.change_kinds import ChangeRequest
from filterd.overrides.changes.effects import NOTHING, ChangeContext, ChangeEffect
from filterd.overrides.history import quarantine, restored_history, snapshot, store_file
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
from filterd.overrides.history.store_file import DamagedError
from filterd.texts.i18n import Sentence, say

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from filterd.base.clock import Clock
    from filterd.base.state_folder import StateFolder
    from filterd.overrides.changes.effects import CheckedChange
    from filterd.overrides.history.restored_history import BackupOrigin
    from filterd.policy.temporary_rules import Overrides

LOCK_TRIES, LOCK_PAUSE_S = 200, 0.025
_ALL = -1
_SELF = "filterd"

_logger = logging.getLogger("filterd.overrides")


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
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


ResultT = TypeVar("ResultT")


class _Past(NamedTuple):
    """The changes in the file, as the context of a new one."""

    connection: sqlite3.Connection

    def row(self, number: int) -> HistoryRow | None:
        found = self.connection.execute(store_file.ROW, (number,)).fetchone()
        return None if found is None else HistoryRow._make(found)

    def since(self, number: int) -> Iterator[HistoryRow]:
        return store_file.rows(self.connection, number)

    def newest_first(self) -> Iterator[HistoryRow]:
        return map(HistoryRow._make, self.connection.execute(store_file.ROWS_BACK, (_ALL,)))


class Store:
    """The overrides in a state folder, and their history.

    Several processes may have one: each sees the changes of the others.

    Args:
        state: the folder.
        clock: for the time of a change.
        remembered: returns what processes of this daemon hold in memory, one more copy.
        not_before: returns the earliest time that it may be; None: by the clock.
    """

    def __init__(
        self,
        state: StateFolder,
        clock: Clock,
        remembered: Callable[[], Exported | None] = lambda: None,
        not_before: Callable[[], float] | None = None,
    ) -> None:
        self._not_before = not_before or clock.wall
        self._state, self._clock, self._path = state, clock, state.overrides
        self._copies = HistoryCopies(state, remembered)
        self._known: HistoryReplay | None = None
        self._set_aside_because = ""

    def start(self) -> Started:
        """Return the active overrides, and repair the state of the last run.

        It never fails: where the store cannot be used, the last copy is active. The
        problem is logged then, too.
        """
        is_new = not os.path.lexists(self._path) and self._copies.copied() is None
        if is_new and not self._is_lost():
            return Started(NOTHING)
        self._set_aside_because = ""
        try:
            brought = self.write(self._bring_up)
        except StoreError as error:
            _logger.error("%s", error)
            best = self._copies.best(self._known)
            for sentence in self.lost():
                _logger.error("%s", sentence)
            return Started(self._lasting(best), str(error), best.last_hash, best.at)
        return Started(brought.overrides, self._set_aside_because, brought.hash, brought.at)

    def keep(self) -> None:
        """Write the store and its copies again where they are missing or damaged.

        Raises:
            StoreError: the disk refused, or another process is at work.
        """
        self.write(self._bring_up)

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
            at, past = self._clock.wall(), _Past(connection)
            row = request.row(at, done.overrides, past, done.last_hash, now, not_before)
            undone = row.undone()
            taken_back = None if undone is None else past.row(undone)
            added = self._add(connection, done, row)
            return Done(row, added.overrides, taken_back, added.at)

        return self.write(make)

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
                return Done(row, self._lasting(done), at=done.at)
            about = (present, done.overrides, backup, origin)
            found = restored_history.restored(*about, author=author, at=now)
            if found.adopts:
                self._copies.give_way(present if found.left else ())
                store_file.replace_rows(connection, backup)
                done = replay(backup)
            added = self._add(connection, done, found.row)
            return Done(found.row, added.overrides, at=added.at)

        return self.write(make)

    def effect(
        self, change: CheckedChange, *, author: str, now: float, not_before: float | None = None
    ) -> ChangeEffect:
        """Return the effect that a change would have; nothing is recorded. See ``change``."""

        def make(connection: sqlite3.Connection, done: HistoryReplay) -> ChangeEffect:
            number, past = done.overrides.number + 1, _Past(connection)
            context = ChangeContext(number, now, author, "", done.overrides, past, not_before)
            return change.effect(context)

        return self.write(make)

    def current(self) -> Overrides:
        """Return the overrides.

        Raises:
            StoreError: the store cannot be read, or is damaged.
        """
        if not os.path.lexists(self._path):
            copied = self._copies.copied()
            return NOTHING if copied is None else copied.overrides
        with store_file.to_read(self._path) as connection:
            return self._sound(connection).overrides

    def last_change(self) -> float:
        """Return the time of the last change, as in ``Exported.at``.

        Raises:
            StoreError: the store cannot be read, or is damaged.
        """
        if not self._path.exists():
            return 0.0
        with store_file.to_read(self._path) as connection:
            return self._sound(connection).at

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
            return self._without_problem(replay(wanted)).overrides

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
                for row in _Past(connection).newest_first()
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
        if self._is_lost() or (self._known is None and self._copies.is_unreadable()):
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
        with store_file.to_write(self._path, check=self._known is None) as connection:
            return work(connection, self._sound(connection))

    def _bring_up(self, connection: sqlite3.Connection, done: HistoryReplay) -> Exported:
        """Commit a migrated file, and write the copies again as the store has them."""
        connection.execute("COMMIT")
        self._known = done
        brought = Exported(self._lasting(done), done.last_hash, done.at)
        for path in self._state.overrides_copies:
            copied = snapshot.newest((path,))
            if copied is None or (copied.hash, copied.at) != (done.last_hash, done.at):
                snapshot.FORMAT.save(path, brought)
        return brought

    def _add(
        self, connection: sqlite3.Connection, done: HistoryReplay, row: HistoryRow
    ) -> Exported:
        """Commit a row together with the copy of the overrides after it."""
        after = self._without_problem(replay((row,), done))
        added = Exported(self._lasting(after), row.hash, after.at)
        content = snapshot.FORMAT.dump(added)
        with ExitStack() as ready:
            copies = self._state.overrides_copies
            puts = [ready.enter_context(replacing(path, content)) for path in copies]
            connection.execute(store_file.ADD_ROW, row)
            connection.execute("COMMIT")
            self._known = after
            for put in puts:
                try:
                    put()
                except StoreError as error:  # recorded; the next start writes the copies again
                    _logger.error("%s", error)
        return added

    def _lasting(self, done: HistoryReplay) -> Overrides:
        return snapshot.lasting(done.overrides, self._not_before())

    def _sound(self, connection: sqlite3.Connection) -> HistoryReplay:
        """Return the replay of the rows; only new ones are read.

        Raises:
            DamagedError: they are not as they were written, or not all there.
        """
        past, known = _Past(connection), self._known
        if known is not None:
            row = past.row(known.overrides.number)
            if row is not None and row.hash == known.last_hash:
                return self._without_problem(replay(past.since(row.number), known))
        done = self._without_problem(replay(past.since(0)))
        problem = self._copies.disagreement(done, past.row)
        if problem:
            raise DamagedError(self._path, problem, altered=True)
        return done

    def _without_problem(self, done: HistoryReplay) -> HistoryReplay:
        if done.first_bad is not None:
            raise DamagedError(
                self._path,
                say("change {number}: {problem}", number=done.first_bad, problem=done.problem),
                altered=True,
            )
        return done

    def _is_lost(self) -> bool:
        return self._known is None and self._copies.is_lost()

    def _refuse_what_is_lost(self) -> None:
        if self._is_lost():
            raise DamagedError(self._path, say("it is missing, and there is no copy of it"))

    def _begin_anew(self, error: DamagedError) -> None:
        """Set the file aside, and begin another with the active overrides.

        Raises:
            StoreError: the disk refused.
        """
        now, best = self._clock.wall(), self._copies.best(self._known)
        is_whole = self._known is not None or self._copies.copied() is not None
        salvaged, rows = self._copies.salvaged()
        if rows or salvaged.problem:
            kept = quarantine.set_aside(
                self._path, now, altered=error.altered, lost=not is_whole
            ).name
        else:  # the file was lost, and this is the new one
            kept = "" if is_whole else quarantine.note_lost(self._path, now).name
            quarantine.remove(*with_sides(self._path))
        self._known = None
        effect = ChangeEffect(after=replace(best.overrides, number=0))
        payload = {"file": kept, "problem": error.problem}
        number = best.overrides.number + 1
        row = HistoryRow.of(number, now, _SELF, RESTORED, payload, "", effect, best.last_hash)
        with store_file.to_write(self._path, check=False) as connection:
            self._add(connection, HistoryReplay(at=best.at), row)
        stays = say("what was set") if is_whole else say("of what was set, only what could be read")
        self._set_aside_because = say(
            "{path}: damaged ({problem}); {where}{stays} stays in force",
            path=self._path,
            problem=error.problem,
            where=say("kept as {kept}, ", kept=kept) if kept else "",
            stays=stays,
        )
        _logger.error("%s", self._set_aside_because)

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
