# SPDX-License-Identifier: Apache-2.0
"""Check, record and activate changes by command while the daemon serves.

One change after the other, and none beside a reload: both move the epoch. A
change is recorded first; then every worker makes the next site of its present one
and the copy of the overrides, and the epoch is moved. Nothing is compiled for it,
and no lists are opened.

An epoch is taken before anything is recorded. So a manager that dies in between
leaves an undecided one, and its successor has all workers load the files on the
disk (``filterd.daemon.manager.manager``). A worker that could not get ready in time
does the same at its next question.

This module loads SQLite: only the manager imports it, once it is a process of its own.

A request is plain data from outside; ``resolved_request`` replaces what it leaves open.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, NamedTuple

from filterd.base.errors import ChangeError, ControlError, FilterdError, StoreError
from filterd.daemon.manager.change_judgement import ChangeJudgement
from filterd.daemon.manager.change_records import Records, ViewRecords
from filterd.daemon.manager.guarded_openings import LASTS_S, GuardedOpenings
from filterd.daemon.manager.resolved_request import (
    add_what_lists_have,
    dating,
    work_out_length,
    work_out_lesson,
    work_out_room,
)
from filterd.daemon.manager.store_upkeep import StoreUpkeep
from filterd.overrides.changes import change_kinds as kinds
from filterd.overrides.changes import log_changes
from filterd.overrides.changes.change_kinds import is_undated
from filterd.overrides.changes.effects import NOTHING, end_of
from filterd.overrides.history.history_chain import CLOCK, CLOCK_ACCEPTED, GENESIS, GUARDED
from filterd.overrides.history.snapshot import Exported
from filterd.overrides.history.store import Store
from filterd.overrides.mistake_reports import KIND as REPORT
from filterd.overrides.rights.roles import Author, Rank
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from filterd.daemon.process import Setting
    from filterd.daemon.time.timekeeper import ClockStep, Timekeeper
    from filterd.overrides.changes.preconditions import Warnings
    from filterd.overrides.history.history_chain import HistoryRow
    from filterd.overrides.history.restored_history import BackupOrigin
    from filterd.overrides.history.store import Done
    from filterd.overrides.rights.permissions import Classroom
    from filterd.overrides.rights.read_access import View
    from filterd.policy.temporary_rules import Overrides
    from filterd.resolve.site import Site

EXAM = "exam"
_END_WITHIN_S = 1.0
_ITSELF = Author("filterd", Rank.ADMIN)
_MS = 1000

_logger = logging.getLogger("filterd.changes")


class Enforcement(NamedTuple):
    """The manager's means to let changes act on the daemon.

    Attributes:
        turn: held while the epoch is about to move.
        site: returns the site in force.
        enforce: activates overrides in all workers, under an epoch.
        keeper: of policy time.
    """

    turn: asyncio.Lock
    site: Callable[[], Site]
    enforce: Callable[[Overrides, int], Awaitable[None]]
    keeper: Timekeeper


class Changes:
    """Makes changes; ``records`` reports them."""

    def __init__(self, setting: Setting, in_force: Enforcement) -> None:
        self._setting, self._clock, self._in_force = setting, setting.clock, in_force
        self._time = setting.time
        self._store = Store(
            setting.state, setting.clock, setting.overrides.get, setting.time.not_before
        )
        self.upkeep = StoreUpkeep(setting, self._store, in_force.turn)
        self.judgement = ChangeJudgement(self._store, setting.time, in_force.keeper)
        self.guarded = GuardedOpenings(in_force.site, setting.time)
        self.records = Records(setting, self._store, in_force.site)
        self._views = ViewRecords(setting.clock, self._record)
        self._at_work: set[asyncio.Task[dict[str, Any]]] = set()

    def start(self) -> bool:
        """Repair the state of the last run; return whether workers must load it again."""
        before = self._setting.overrides.get() or Exported(NOTHING, GENESIS)
        now = self.upkeep.start()
        self._setting.overrides.put(now)
        return now != before

    async def close(self) -> None:
        """Wait for the running changes to end, if they do so soon.

        The next process activates a change that is recorded by then.
        """
        if not self._at_work:
            return
        _, late = await asyncio.wait(self._at_work, timeout=_END_WITHIN_S)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def change(self, request: Mapping[str, Any], author: Author) -> dict[str, Any]:
        """Make a change and activate it in every worker; return the result.

        It continues if the client closes its connection.

        Args:
            request: ``kind``, ``reason`` and the fields of the kind. ``lesson``, true,
                means the end of the present lesson.
            author: of the change.

        Raises:
            ChangeError: it is wrong, or cannot be made at present.
            StoreError: it cannot be recorded.
            ControlError: this author may not make it; or it is recorded, and the
                message reports that it is not in force yet.
        """
        task = asyncio.get_running_loop().create_task(self._change(dict(request), author))
        self._at_work.add(task)
        task.add_done_callback(self._at_work.discard)
        return await asyncio.shield(task)

    async def preview(self, request: Mapping[str, Any], author: Author) -> dict[str, Any]:
        """Return what a setting of a grade would change now, by the checks of ``change``.

        Raises:
            ChangeError, ControlError: as ``change``; StoreError: the disk refused.
        """
        author.must_be(Rank.TEACHER, say("change anything"))
        payload = dict(request)
        reason = payload.pop("reason", "")
        async with self._in_force.turn:
            site = self._in_force.site()
            return await asyncio.to_thread(self.judgement.preview, site, payload, author, reason)

    async def status(self) -> dict[str, Any]:
        """Return problems of the store, files set aside, and counts of reported mistakes."""
        problems = await self.upkeep.problems()
        return {"problems": problems, "mistakes": await self.records.mistake_counts()}

    async def note(
        self, kind: str, about: Mapping[str, Any], author: Author, reason: str = ""
    ) -> None:
        """Record an act that others carry out, before they do.

        Args:
            kind: ``ACCOUNT``, ``REFUSAL``, ``REMOVAL``, ``SITE_EDIT`` or ``TRIAL`` of
                ``overrides.history.history_chain``.
            about: the fields of that kind.
            author: of the act.
            reason: of the author, where one is asked for.

        Raises:
            StoreError: it cannot be recorded; the act must not be carried out then.
        """
        async with self._in_force.turn:
            await asyncio.to_thread(self._record, kind, about, author, reason)

    async def note_view(self, view: View, author: Author, about: Mapping[str, Any]) -> None:
        """Record a look at the query log, before it is shown; see ``ViewRecords.note``.

        Raises:
            StoreError: it cannot be recorded.
        """
        async with self._in_force.turn:
            await asyncio.to_thread(self._views.note, view, author, about)

    async def restore(self, rows: Sequence[HistoryRow], origin: BackupOrigin, by: Author) -> int:
        """Bring overrides back in every worker; return the number of the change."""
        async with self._in_force.turn:
            epoch, now = self._setting.page.next_epoch(), self._time.least()
            done = await asyncio.to_thread(
                self._store.restore, rows, origin, author=by.name, now=now
            )
            self._setting.overrides.put(done.exported)
            await self._put_in_force(done, epoch, None)
        return done.row.number

    async def _change(self, request: dict[str, Any], author: Author) -> dict[str, Any]:
        asked_at = self._clock.monotonic()
        kind, reason = str(request.pop("kind", "")), request.pop("reason", "")
        if kind != log_changes.CONFIRM:
            author.must_be(Rank.TEACHER, say("change anything"))
        if kind in kinds.MADE_ELSEWHERE:
            raise ChangeError(kinds.MADE_ELSEWHERE[kind])
        async with self._in_force.turn:
            site = self._in_force.site()
            now, standing = self._time.least(), self._in_force.keeper.standing
            if kind == EXAM:
                work_out_room(request, site, now)
            work_out_lesson(request, site.timed.policy, now, standing)
            undated = work_out_length(request, now, standing)
            if kind == REPORT:
                add_what_lists_have(request, site.index)
            epoch = self._setting.page.next_epoch()
            step = self._in_force.keeper.acceptable() if kind == CLOCK_ACCEPTED else None
            done, warnings = await asyncio.to_thread(
                self._checked_and_recorded, site, kind, request, author, reason, step
            )
            if undated:
                warnings = (*warnings, {"warning": "clock-unknown"})
            number = done.row.number
            try:
                await self._put_in_force(done, epoch, step)
            except FilterdError as error:
                raise ControlError(
                    say(
                        "change {number} is recorded, but not in force everywhere yet: {error}",
                        number=number,
                        error=error.sentence,
                    )
                ) from error
        in_force_ms = round((self._clock.monotonic() - asked_at) * _MS, 1)
        _logger.info(
            "change %d by %s: %s, in force after %s ms", number, author.name, kind, in_force_ms
        )
        until = None if self.judgement.is_time_unknown else end_of(done.row.effect().after)
        found_room = {"room": request["room"]} if kind == EXAM else {}
        return _answer(done, until, in_force_ms, warnings) | found_room

    async def know_time(self, step: ClockStep | None, *, again: bool = False) -> None:
        """Let policy time make a step, and date what was set before it was confirmed.

        Args:
            step: that policy time should make.
            again: whether to try once more what has failed.

        Raises:
            FilterdError: it cannot be recorded, or is not in force everywhere.
        """
        is_due = again and self._time.is_confirmed
        if step is None and not (is_due and is_undated(self._in_force.site().timed.overrides)):
            return
        now = self._time.least() if step is None else step.now
        async with self._in_force.turn:
            overrides = self._in_force.site().timed.overrides
            payload, is_idle = dating(step, overrides, self._setting), not is_undated(overrides)
            if step is not None and (not step.is_confirmed or (is_idle and not payload)):
                await asyncio.to_thread(self._in_force.keeper.make, step)
                return
            epoch = self._setting.page.next_epoch()
            try:
                done = await asyncio.to_thread(self._record, CLOCK, payload, _ITSELF, "", now)
            except StoreError:
                if step is not None:  # the disk is full: that is no reason to be in 1970
                    await asyncio.to_thread(self._in_force.keeper.make, step)
                raise
            await self._put_in_force(done, epoch, step)

    async def end_guarded(self) -> None:
        """Give an end to what opens a guarded category without one.

        It was set before the category, or a list with the name, was guarded.

        Raises:
            FilterdError: it cannot be recorded, or is not in force everywhere.
        """
        if not self._time.is_confirmed or not await asyncio.to_thread(self.guarded.endless):
            return
        async with self._in_force.turn:
            endless = await asyncio.to_thread(self.guarded.endless)
            if not endless:
                return
            epoch, now = self._setting.page.next_epoch(), self._time.least()
            payload = {"numbers": endless, "ends_at": now + LASTS_S}
            done = await asyncio.to_thread(self._record, GUARDED, payload, _ITSELF, "", now)
            await self._put_in_force(done, epoch, None)
        _logger.warning("what opens a guarded category ends in 30 days: %s", endless)

    def classroom(self, site: Site) -> Classroom:
        """Return what a teacher's rights depend on at this moment."""
        return self.judgement.classroom(site)

    def _checked_and_recorded(
        self,
        site: Site,
        kind: str,
        payload: dict[str, Any],
        author: Author,
        reason: str,
        step: ClockStep | None,
    ) -> tuple[Done, Warnings]:
        change, payload = self.judgement.permitted(site, kind, payload, author)
        if step is not None:
            about = dating(step, site.timed.overrides, self._setting)
            return self._record(kind, about, author, reason, step.now), ()
        warnings = self.judgement.fit(site, change)
        return self._record(kind, payload, author, reason), warnings

    async def _put_in_force(self, done: Done, epoch: int, step: ClockStep | None) -> None:
        """Activate a change, and let policy time make its step, if it has one."""
        if step is None:
            await self._in_force.enforce(done.overrides, epoch)
            return
        await asyncio.to_thread(self._in_force.keeper.doubt, step)
        try:
            await self._in_force.enforce(done.overrides, epoch)
        finally:
            await asyncio.to_thread(self._in_force.keeper.make, step)

    def _record(
        self,
        kind: str,
        payload: Mapping[str, Any],
        author: Author,
        reason: str,
        now: float | None = None,
    ) -> Done:
        how: dict[str, Any] = {"now": now}
        if now is None:
            how = {"now": self._time.least(), "not_before": self._time.not_before()}
        done = self._store.change(kind, payload, author=author.name, reason=reason, **how)
        self._setting.overrides.put(done.exported)  # from there workers take it
        return done


def _answer(
    done: Done, until: float | None, in_force_ms: float, warnings: Warnings
) -> dict[str, Any]:
    """Return a change that is in force, as plain data; ``until``: its end."""
    return {
        "number": done.row.number,
        "until": until,
        "undone": done.row.undone(),
        "taken_back": None if done.taken_back is None else done.taken_back.to_plain(),
        "in_force_ms": in_force_ms,
        "warnings": list(warnings),
        "row": done.row.to_plain(),
    }
