# SPDX-License-Identifier: Apache-2.0
"""The commands for requests of review: list, approve, refuse. It keeps the queue.

Whoever could make the exception sees the request and may decide on it: the rights are those of
``overrides.permissions``. To approve is that exception, by the way that all changes take.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from filterd.daemon.control_commands import author_of
from filterd.errors import ChangeError, ControlError, StoreError
from filterd.field_checks import is_a_grade, is_whole
from filterd.i18n import say
from filterd.overrides import change_fields, permissions
from filterd.overrides.exception_changes import SetException
from filterd.overrides.review_requests import APPROVED, FORMAT, REFUSED, ReviewQueue
from filterd.overrides.roles import Rank
from filterd.policy.model import Audience
from filterd.policy.temporary_rules import TargetKind
from filterd.querylog.day_span import DaySpan
from filterd.state_file import to_plain

if TYPE_CHECKING:
    from filterd.daemon.control_caller import Caller
    from filterd.daemon.control_server import Command
    from filterd.daemon.manager import Manager
    from filterd.daemon.process import Setting
    from filterd.overrides.review_requests import PupilRequest, RequestFigures
    from filterd.overrides.roles import Author

_TERM = ("starts_at", "ends_at", "for_s", "lesson")

_log = logging.getLogger("filterd.reviews")


class Reviews:
    """The open requests, on the disk and in memory."""

    def __init__(self, manager: Manager, setting: Setting) -> None:
        self._manager, self._time = manager, setting.time
        self._path = setting.state.review_requests
        self._turn = asyncio.Lock()
        self._kept: ReviewQueue | None = None

    def commands(self) -> dict[str, Command]:
        """Return the commands by name."""
        return {
            "requests list": self._list,
            "requests approve": self._approve,
            "requests refuse": self._refuse,
        }

    @property
    def today(self) -> str:
        """The day of the school (ISO 8601)."""
        zone = ZoneInfo(self._manager.site.policy.time_zone)
        return DaySpan.at(self._time.least(), zone).day

    async def note(self, request: PupilRequest) -> None:
        """Add a request, or count it.

        Raises:
            ChangeError: there are too many.
            StoreError: the disk refused.
        """
        async with self._turn:
            await self._save((await self._queue()).with_one(replace(request, day=self.today)))

    async def figures(self, first: str, last: str) -> RequestFigures:
        """Return the figures of a period; days are included, ISO 8601."""
        async with self._turn:
            return (await self._queue()).figures(first, last)

    async def _queue(self) -> ReviewQueue:
        if self._kept is None:
            self._kept = await asyncio.to_thread(self._read)
        return self._kept.on(self.today)

    def _read(self) -> ReviewQueue:
        if not self._path.exists():
            return ReviewQueue()
        try:
            return FORMAT.load(self._path)
        except StoreError as error:
            _log.error("%s; the requests in it are lost", error)
            return ReviewQueue()

    async def _save(self, queue: ReviewQueue) -> None:
        await asyncio.to_thread(FORMAT.save, self._path, queue)
        self._kept = queue

    async def _list(self, _: dict[str, Any], caller: Caller) -> list[dict[str, Any]]:
        author = author_of(caller)
        author.must_be(Rank.TEACHER, say("see requests for review"))
        async with self._turn:
            queue = await self._queue()
        return [to_plain(one) for one in queue.requests if self._may_decide(author, one)]

    async def _approve(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        """Open the name to the class or grade of the request, or to all of its tier."""
        author, one = author_of(caller), await self._asked_about(request, caller)
        audience, whom = _whom(one)
        if request.get("for_tier") is True:
            audience, whom = Audience.TIER, one.tier
        told = await self._manager.changes.change(
            {
                "kind": "exception",
                "reason": request.get("reason", ""),
                "target_kind": str(TargetKind.NAME),
                "target": one.name,
                "allow": True,
                "audience": str(audience),
                "whom": whom,
                **{key: request[key] for key in _TERM if request.get(key) is not None},
            },
            author,
        )
        await self._remove(one, APPROVED)
        return {**told, "request": to_plain(one), "audience": str(audience), "whom": whom}

    async def _refuse(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        one, reason = (
            await self._asked_about(request, caller),
            change_fields.reason(request.get("reason", ""), required=True),
        )
        await self._manager.changes.note_refusal(one.name, one.seat, author_of(caller), reason)
        await self._remove(one, REFUSED)
        return {"request": to_plain(one)}

    async def _remove(self, one: PupilRequest, outcome: str) -> None:
        """Close a decided request; the decision stands also where the disk refuses."""
        async with self._turn:
            self._kept = (await self._queue()).without(one.id, outcome, self.today)
            try:
                await self._save(self._kept)
            except StoreError as error:
                _log.error("%s; the request comes back with the next start", error)

    async def _asked_about(self, request: dict[str, Any], caller: Caller) -> PupilRequest:
        """Return the request of a command, which the caller may decide on.

        Raises:
            ControlError: the caller may not.
            ChangeError: there is no such request.
        """
        author = author_of(caller)
        author.must_be(Rank.TEACHER, say("decide on requests for review"))
        number = request.get("id")
        if not is_whole(number):
            raise ControlError(say("it wants id, the number of a request"))
        async with self._turn:
            one = (await self._queue()).request(int(number or 0))
        permissions.check_change(author, self._exception(one), self._classroom())
        return one

    def _may_decide(self, author: Author, one: PupilRequest) -> bool:
        try:
            permissions.check_change(author, self._exception(one), self._classroom())
        except (ControlError, ChangeError):
            return False
        return True

    def _classroom(self) -> permissions.Classroom:
        return self._manager.changes.classroom(self._manager.site)

    def _exception(self, one: PupilRequest) -> SetException:
        """Return the shortest exception that fulfils a request: until the end of the day."""
        ends_at = self._classroom().day_ends_at
        return SetException(TargetKind.NAME, one.name, True, *_whom(one), ends_at=ends_at)


def _whom(one: PupilRequest) -> tuple[Audience, str]:
    return (Audience.GRADE if is_a_grade(one.seat) else Audience.CLASS), one.seat
