# SPDX-License-Identifier: Apache-2.0
"""The store: changes on the disk, one writer at a time, and what was set at any time.

A change is acknowledged after its row and two copies of what is set are on the
disk. A process that is killed in between leaves a store that is ahead of its
copies, which the next start writes anew.

A file is damaged when SQLite says so, when the chain of its rows is broken, or
when it ends before a copy does. It is then set aside, and a new one begins with
what was in force: the newest sound copy, or what is sound of the rows where they
go further. Where neither the file nor a copy can be read, though the policies
that were kept beside it tell of one, what was set is *lost*: an empty file says
so until it is moved away.

Everything here may wait for the disk: it is for commands and for a thread.
"""

from __future__ import annotations

import logging
import os
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import takewhile
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from filterd.errors import InUseError, StoreError
from filterd.overrides import database, export, schema
from filterd.overrides.changes import Request
from filterd.overrides.database import DamagedError
from filterd.overrides.effects import NOTHING, Effect
from filterd.overrides.export import Exported
from filterd.overrides.history import GENESIS, RESTORED, Replay, Row, replay
from filterd.paths import remove_temporaries, replacing, sole
from filterd.sentences import UNSAID, Sentence, say

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator, Mapping

    from filterd.clock import Clock
    from filterd.paths import StateFolder
    from filterd.policy.overrides import Overrides

LOCK_TRIES = 200
LOCK_PAUSE_S = 0.025
_ALL = -1
_SELF = "filterd"

_log = logging.getLogger("filterd.overrides")
ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True)
class Started:
    """What is set at a start, and the hash of the last change; ``problem`` is one line, or "".

    As in the copies, what ended long ago is not in it.
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
    """A change that is on the disk, and what is set now, as it is in the copy.

    ``taken_back`` is the change that it takes back, if it is an undo.
    """

    row: Row
    overrides: Overrides
    taken_back: Row | None = None
    at: float = field(default=0.0, compare=False)

    @property
    def exported(self) -> Exported:
        """What is set now as a copy."""
        return Exported(self.overrides, self.row.hash, self.at)


@dataclass(frozen=True, slots=True)
class Verified:
    """Whether the history is as it was written; ``first_bad`` is the first row that is not.

    ``set_aside`` are the names of damaged files, each with a history that ended, and
    ``altered`` of those among them that somebody has altered.
    """

    number: int
    first_bad: int | None = None
    problem: str = ""
    set_aside: tuple[str, ...] = ()
    altered: tuple[str, ...] = ()

    @property
    def is_sound(self) -> bool:
        """Whether nothing was altered, neither here nor in what was set aside."""
        return self.first_bad is None and not self.altered


class _Past(NamedTuple):
    """The changes in the file, for those to ask who make one."""

    connection: sqlite3.Connection

    def row(self, number: int) -> Row | None:
        found = self.connection.execute(schema.ROW, (number,)).fetchone()
        return None if found is None else Row._make(found)

    def since(self, number: int) -> Iterator[Row]:
        return database.rows(self.connection, number)

    def newest_first(self) -> Iterator[Row]:
        return map(Row._make, self.connection.execute(schema.ROWS_BACK, (_ALL,)))


class Store:
    """What commands have set, and its history, in a state folder.

    Several processes may have one: each sees what the others have written.

    Args:
        state: the folder.
        clock: for when a change is made.
        remembered: returns what processes of this daemon hold in memory, one more copy.
    """

    def __init__(
        self,
        state: StateFolder,
        clock: Clock,
        remembered: Callable[[], Exported | None] = lambda: None,
    ) -> None:
        self._state, self._clock, self._path = state, clock, state.overrides
        self._remembered = remembered
        self._known: Replay | None = None
        self._set_aside_because = ""

    def start(self) -> Started:
        """Return what is in force, and mend what the last life has left.

        It never fails: where the store cannot be used, the last copy is in force. What
        is wrong stands in the log then, too.
        """
        if not os.path.lexists(self._path) and self._copied() is None and not self._is_lost():
            return Started(NOTHING)
        self._set_aside_because = ""
        try:
            brought = self.write(self._bring_up)
        except StoreError as error:
            _log.error("%s", error)
            best = self._best()
            for sentence in self.lost():
                _log.error("%s", sentence)
            return Started(self._lasting(best), str(error), best.last_hash, best.at)
        return Started(brought.overrides, self._set_aside_because, brought.hash, brought.at)

    def keep(self) -> None:
        """Write the store and its copies anew where they are gone or damaged.

        Raises:
            StoreError: the disk refused, or somebody else is at work.
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
    ) -> Done:
        """Make a change; when this returns it is on the disk.

        Args:
            kind: of change, or its name in the history.
            payload: what the kind wants, as plain data.
            author: who makes it.
            reason: why.
            now: the Unix time that it is at least, by policy time; None: by the clock.

        Raises:
            ChangeError: it is wrong, or cannot be made as things are.
            StoreError: the disk refused, or somebody else is at work; nothing is changed.
        """
        request = Request.of(kind, payload, author, reason)

        def make(connection: sqlite3.Connection, done: Replay) -> Done:
            at, past = self._clock.wall(), _Past(connection)
            row = request.row(at, done.overrides, past, done.last_hash, now)
            undone = row.undone()
            taken_back = None if undone is None else past.row(undone)
            added = self._add(connection, done, row)
            return Done(row, added.overrides, taken_back, added.at)

        return self.write(make)

    def current(self) -> Overrides:
        """Return what is set.

        Raises:
            StoreError: the store cannot be read, or is damaged.
        """
        if not os.path.lexists(self._path):
            copied = self._copied()
            return NOTHING if copied is None else copied.overrides
        with database.to_read(self._path) as connection:
            return self._sound(connection).overrides

    def last_change(self) -> float:
        """Return when the last change was made, as ``Exported.at`` says it.

        Raises:
            StoreError: the store cannot be read, or is damaged.
        """
        if not self._path.exists():
            return 0.0
        with database.to_read(self._path) as connection:
            return self._sound(connection).at

    def at(self, when: float) -> Overrides | None:
        """Return what was set when the gateway's clock last showed ``when``.

        Returns:
            None where that is not known any more, because the history of then was set aside.

        Raises:
            StoreError: the store cannot be read, or is damaged.
        """
        if not os.path.lexists(self._path):
            return NOTHING
        with database.to_read(self._path) as connection:
            (last,) = connection.execute(schema.LAST_BY, (when,)).fetchone()
            if last is None:
                first = connection.execute(schema.FIRST).fetchone()
                return None if first and Row._make(first).kind == RESTORED else NOTHING
            wanted = takewhile(lambda row: row.number <= last, database.rows(connection))
            return self._without_problem(replay(wanted)).overrides

    def rows(self, limit: int | None = None) -> tuple[Row, ...]:
        """Return the last changes, the newest first; all of them without a limit.

        Raises:
            StoreError: the store cannot be read, or is damaged.
        """
        if not os.path.lexists(self._path):
            return ()
        with database.to_read(self._path) as connection:
            found = connection.execute(schema.ROWS_BACK, (_ALL if limit is None else limit,))
            return tuple(map(Row._make, found))

    def verify(self) -> Verified:
        """Look through the whole history for what was altered.

        Raises:
            StoreError: the store cannot be read.
        """
        aside = database.set_aside_files(self._path)
        names = tuple(one.name for one in aside)
        altered = tuple(one.name for one in aside if database.is_altered(one))
        done, rows = self._salvaged()
        problem, first_bad = done.problem, done.first_bad
        if not problem:
            problem = self._disagreement(done, rows.get)
            first_bad = min(done.overrides.number + 1, self._copied_number()) if problem else None
        return Verified(done.overrides.number, first_bad, problem, names, altered)

    def lost(self) -> tuple[Sentence, ...]:
        """Return what every command must say: that something which was set is in force no more."""
        if self._is_lost() or self._is_unreadable():
            gone = say(
                "{path}: what commands had set cannot be read, and no copy of it is left: it is not"
                " in force; mend the disk and restart filterd, or set it again",
                path=self._path,
            )
            return (gone, *database.lost(self._path))
        return tuple(database.lost(self._path))

    def problems(self) -> tuple[Sentence, ...]:
        """Return why nothing can be changed, if so, and what was set aside, a line each.

        It does not look through the history as ``verify`` does.
        """
        return tuple(database.problems(self._path))

    def write(self, work: Callable[[sqlite3.Connection, Replay], ResultT]) -> ResultT:
        """Do something in a transaction, which it commits itself, with the store held.

        A damaged store is replaced first, or when ``work`` finds that it is.

        Raises:
            StoreError: the disk refused, or somebody else is at work; nothing is changed.
        """
        with self._held():
            remove_temporaries(self._path, *self._state.overrides_copies)
            try:
                self._refuse_what_is_lost()
                return self._in_transaction(work)
            except DamagedError as error:
                self._begin_anew(error)
            return self._in_transaction(work)

    def _in_transaction(self, work: Callable[[sqlite3.Connection, Replay], ResultT]) -> ResultT:
        with database.to_write(self._path, check=self._known is None) as connection:
            return work(connection, self._sound(connection))

    def _bring_up(self, connection: sqlite3.Connection, done: Replay) -> Exported:
        """Keep what an older file has become, and have the copies say what the store does."""
        connection.execute("COMMIT")
        self._known = done
        brought = Exported(self._lasting(done), done.last_hash, done.at)
        for path in self._state.overrides_copies:
            copied = export.newest((path,))
            if copied is None or (copied.hash, copied.at) != (done.last_hash, done.at):
                export.FORMAT.save(path, brought)
        return brought

    def _add(self, connection: sqlite3.Connection, done: Replay, row: Row) -> Exported:
        """Commit a row together with the copy of what is set after it."""
        after = self._without_problem(replay((row,), done))
        added = Exported(self._lasting(after), row.hash, after.at)
        content = export.FORMAT.dump(added)
        with ExitStack() as ready:
            copies = self._state.overrides_copies
            puts = [ready.enter_context(replacing(path, content)) for path in copies]
            connection.execute(schema.ADD_ROW, row)
            connection.execute("COMMIT")
            self._known = after
            for put in puts:
                try:
                    put()
                except StoreError as error:  # it is recorded; the next start writes it anew
                    _log.error("%s", error)
        return added

    def _lasting(self, done: Replay) -> Overrides:
        return export.lasting(done.overrides, self._clock.wall())

    def _sound(self, connection: sqlite3.Connection) -> Replay:
        """Return what the rows come to; only those that are new here are looked at.

        Raises:
            DamagedError: they are not as they were written, or not all there.
        """
        past, known = _Past(connection), self._known
        if known is not None:
            row = past.row(known.overrides.number)
            if row is not None and row.hash == known.last_hash:
                return self._without_problem(replay(past.since(row.number), known))
        done = self._without_problem(replay(past.since(0)))
        problem = self._disagreement(done, past.row)
        if problem:
            raise DamagedError(self._path, problem, altered=True)
        return done

    def _without_problem(self, done: Replay) -> Replay:
        if done.first_bad is not None:
            raise DamagedError(
                self._path,
                say("change {number}: {problem}", number=done.first_bad, problem=done.problem),
                altered=True,
            )
        return done

    def _disagreement(self, done: Replay, row_of: Callable[[int], Row | None]) -> Sentence:
        """Say what the copy knows of the history that is not in it."""
        copied = self._copied()
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
            return say("change {number} is another than the one that was made", number=number)
        return UNSAID

    def _copied(self) -> Exported | None:
        """Return the newest copy, the one in memory included; None where there is none."""
        found = (self._remembered(), export.newest(self._state.overrides_copies))
        return max(filter(None, found), key=lambda one: one.overrides.number, default=None)

    def _refuse_what_is_lost(self) -> None:
        if self._is_lost():
            raise DamagedError(self._path, say("it is gone, and no copy of it is left"))

    def _is_lost(self) -> bool:
        """Tell whether neither file nor copy is there, though there must have been one.

        Kept policies stand in a file's rows, and a copy that cannot be read is one all the same.
        """
        if self._known is not None or os.path.lexists(self._path) or self._copied() is not None:
            return False
        with suppress(OSError):
            if any(self._state.past_policies.glob("*.filterd")):
                return True
        return any(map(os.path.lexists, self._state.overrides_copies))

    def _is_unreadable(self) -> bool:
        """Tell whether there is no copy of a file of which something cannot be read."""
        if self._known is not None or not os.path.lexists(self._path):
            return False
        try:
            return self._copied() is None and self._salvaged()[0].first_bad is not None
        except StoreError:
            return True

    def _copied_number(self) -> int:
        copied = self._copied()
        return 0 if copied is None else copied.overrides.number

    def _salvaged(self) -> tuple[Replay, dict[int, Row]]:
        """Return what the sound rows at the beginning come to, and all that can be read.

        Raises:
            StoreError: the file cannot be read, without being damaged.
        """
        rows, problem = dict[int, Row](), UNSAID
        if os.path.lexists(self._path):
            try:
                with database.to_read(self._path) as connection:
                    rows.update((row.number, row) for row in database.rows(connection))
            except DamagedError as error:
                problem = error.problem
        done = replay(rows.values())
        if problem and done.first_bad is None:
            done = replace(done, first_bad=done.overrides.number + 1, problem=problem)
        return done, rows

    def _best(self) -> Replay:
        """Return the latest state that is known: the copy where nothing goes further."""
        copied, known = self._copied(), self._known
        best = Replay() if copied is None else Replay(copied.overrides, copied.hash, copied.at)
        try:
            salvaged = self._salvaged()[0]
        except StoreError as error:
            _log.error("%s", error)
            salvaged = Replay()
        for other in (known or Replay(), salvaged):
            if other.overrides.number > best.overrides.number:
                best = Replay(other.overrides, other.last_hash, other.at)
        return best

    def _begin_anew(self, error: DamagedError) -> None:
        """Set the file aside, and begin another with what was in force.

        Raises:
            StoreError: the disk refused.
        """
        now, best = self._clock.wall(), self._best()
        is_whole = self._known is not None or self._copied() is not None
        salvaged, rows = self._salvaged()
        if rows or salvaged.problem:
            kept = database.set_aside(
                self._path, now, altered=error.altered, lost=not is_whole
            ).name
        else:  # the file was lost, and this is the new one
            kept = "" if is_whole else database.note_lost(self._path, now).name
            database.remove(self._path)
        self._known = None
        effect = Effect(after=replace(best.overrides, number=0))
        told = {"file": kept, "problem": error.problem}
        number = best.overrides.number + 1
        row = Row.of(number, now, _SELF, RESTORED, told, "", effect, best.last_hash)
        with database.to_write(self._path, check=False) as connection:
            self._add(connection, Replay(at=best.at), row)
        where = f"kept as {kept}, " if kept else ""
        stays = "what was set" if is_whole else "of what was set, only what could be read"
        self._set_aside_because = (
            f"{self._path}: damaged ({error.problem}); {where}{stays} stays in force"
        )
        _log.error("%s", self._set_aside_because)

    @contextmanager
    def _held(self) -> Iterator[None]:
        """Hold the store for writing; wait a little for others."""
        otherwise = say("another command is changing what is set; try again")
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
