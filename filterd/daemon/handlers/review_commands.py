# SPDX-License-Identifier: Apache-2.0
"""Decide on requests of review, and answer the pupils' page.

A user who could make the exception sees the request and may decide on it: the rights are those
of ``overrides.rights.permissions``. To approve is that exception, by the way that all changes take.

The commands of the page are all that its process (``filterd.blockpage``) may ask. The address of
the frame is that of the pupil's device; it finds class and tier, and goes no further than a count
in memory.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections import defaultdict
from dataclasses import replace
from math import inf, isfinite
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from filterd.base.errors import ChangeError, ControlError, StoreError
from filterd.base.state_file import to_plain
from filterd.daemon.handlers.control_caller import PAGE_GROUP, author_of
from filterd.daemon.handlers.handled import handled
from filterd.operations.exceptions import Allow
from filterd.operations.parameters.audience import ChangeAudience
from filterd.operations.review_requests import (
    ApproveRequest,
    ReadRequests,
    RefusedRequest,
    RefuseRequest,
)
from filterd.overrides.changes import change_fields
from filterd.overrides.changes.effects import ChangeContext, NoHistory
from filterd.overrides.changes.exception_changes import SetException
from filterd.overrides.history.history_chain import REFUSAL
from filterd.overrides.review_requests import APPROVED, FORMAT, REFUSED, PupilRequest, ReviewQueue
from filterd.overrides.rights import permissions
from filterd.overrides.rights.roles import Rank
from filterd.overrides.target_text import Target
from filterd.policy import field_checks
from filterd.policy.field_checks import is_a_grade
from filterd.policy.model import Audience
from filterd.policy.temporary_rules import TargetKind
from filterd.querylog.day_schema import DaySpan
from filterd.resolve.block_reason import BlockFacts, BlockReason, facts_of
from filterd.texts import words
from filterd.texts.i18n import say
from filterd.wire import RRType
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from filterd.daemon.handlers.control_caller import Caller
    from filterd.daemon.handlers.control_server import Command
    from filterd.daemon.manager.manager import Manager
    from filterd.daemon.process import Setting
    from filterd.overrides.review_requests import RequestFigures
    from filterd.overrides.rights.roles import Author

_logger = logging.getLogger("filterd.reviews")


class Reviews:
    """The open requests, on the disk and in memory."""

    def __init__(self, manager: Manager, setting: Setting) -> None:
        self._manager, self._time = manager, setting.time
        self._path = setting.state.review_requests
        self._turn = asyncio.Lock()
        self._kept: ReviewQueue | None = None
        self._taken = set[int]()
        """Requests on which a decision is being made."""

    def commands(self) -> dict[str, Command]:
        """Return the commands by name."""
        return {
            **handled(ReadRequests, self._list),
            **handled(ApproveRequest, self._approve),
            **handled(RefuseRequest, self._refuse),
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
            _logger.error("%s; the requests in it are lost", error)
            return ReviewQueue()

    async def _save(self, queue: ReviewQueue) -> None:
        await asyncio.to_thread(FORMAT.save, self._path, queue)
        self._kept = queue

    async def _list(self, _: ReadRequests, caller: Caller) -> tuple[PupilRequest, ...]:
        author = author_of(caller)
        author.must_be(Rank.TEACHER, say("see requests for review"))
        async with self._turn:
            queue = await self._queue()
        return tuple(request for request in queue.requests if self._may_decide(author, request))

    async def _approve(self, asked: ApproveRequest, caller: Caller) -> dict[str, Any]:
        """Open the name to the class or grade of the request, or to all of its tier."""
        async with self._deciding(asked.id, caller) as one:
            audience = ChangeAudience(Audience.TIER, one.tier) if asked.for_tier else _whom(one)
            change = Allow(
                targets=(Target(TargetKind.NAME, one.name),),
                audience=audience,
                term=asked.term,
                reason=asked.reason,
            )
            done = await self._manager.changes.change(change.arguments, author_of(caller))
            await self._remove(one, APPROVED)
        return {**done, "request": to_plain(one), **audience.payload}

    async def _refuse(self, asked: RefuseRequest, caller: Caller) -> RefusedRequest:
        async with self._deciding(asked.id, caller) as one:
            reason = change_fields.reason(asked.reason, required=True)
            refusal = {"name": one.name, "seat": one.seat}
            await self._manager.changes.note(REFUSAL, refusal, author_of(caller), reason)
            await self._remove(one, REFUSED)
        return RefusedRequest(one)

    async def _remove(self, request: PupilRequest, outcome: str) -> None:
        """Close a decided request; the decision stands also where the disk refuses."""
        async with self._turn:
            self._kept = (await self._queue()).without(request.id, outcome, self.today)
            try:
                await self._save(self._kept)
            except StoreError as error:
                _logger.error("%s; the request comes back with the next start", error)

    @contextlib.asynccontextmanager
    async def _deciding(self, number: int, caller: Caller) -> AsyncIterator[PupilRequest]:
        """Take the request of a command, which the caller may decide on, for one decision.

        Until that is made or has failed, no other one is made on it.

        Raises:
            ControlError: the caller may not.
            ChangeError: there is no such request, or another decision on it is being made.
        """
        author = author_of(caller)
        author.must_be(Rank.TEACHER, say("decide on requests for review"))
        async with self._turn:
            one = (await self._queue()).request(number)
            self._check(author, one)
            if one.id in self._taken:
                raise ChangeError(
                    say("another person decides on request {id} at this moment", id=one.id)
                )
            self._taken.add(one.id)
        try:
            yield one
        finally:
            self._taken.discard(one.id)

    def _may_decide(self, author: Author, request: PupilRequest) -> bool:
        try:
            self._check(author, request)
        except (ControlError, ChangeError):
            return False
        return True

    def _check(self, author: Author, request: PupilRequest) -> None:
        """Refuse to decide on a request, unless the author could make its exception.

        It is the shortest that fulfils the request: until the end of the day. A password is asked
        for when it is made, and not to see the request or to refuse it.

        Raises:
            ControlError, ChangeError: see ``permissions.check_change``.
        """
        changes = self._manager.changes
        classroom = changes.classroom(self._manager.site)
        ends_at = classroom.day_ends_at
        change = SetException(TargetKind.NAME, request.name, True, *_whom(request), ends_at=ends_at)
        now, nothing = self._time.least(), NoHistory()
        context = ChangeContext(0, now, author.name, "", classroom.overrides, nothing)
        proved = replace(author, is_fresh=True)
        permissions.check_change(proved, change, change.effect(context), classroom)


def _whom(request: PupilRequest) -> ChangeAudience:
    return ChangeAudience(
        Audience.GRADE if is_a_grade(request.seat) else Audience.CLASS, request.seat
    )


MOST_NAMES_A_DAY = 3
"""For which one device may ask for a review."""
_MOST_DEVICES = 5_000
_BY_CLASS = frozenset((BlockReason.AGE, BlockReason.SCHOOL, BlockReason.HOURS))
"""Reasons that another class in the same room may not have."""


class PupilPage:
    """What the page asks.

    Args:
        manager: it explains.
        reviews: it keeps the requests.
    """

    def __init__(self, manager: Manager, reviews: Reviews) -> None:
        self._manager, self._reviews = manager, reviews
        self._today = ""
        self._asked = defaultdict[str, set[str]](set)
        """The names that each device has asked a review for today."""

    def commands(self) -> dict[str, Command]:
        """Return the commands by name."""
        return {"page-school": self._school, "page-why": self._why, "page-ask": self._ask}

    async def _school(self, _: dict[str, Any], __: Caller) -> dict[str, Any]:
        policy = self._manager.site.policy
        return {"school": policy.school, "contact": policy.contact, "time_zone": policy.time_zone}

    async def _why(self, request: dict[str, Any], caller: Caller) -> dict[str, Any] | None:
        """Return why a name is closed to the device, None for one that may not ask."""
        name = field_checks.name(request.get("name"))
        found = await self._facts(name, caller)
        if found is None:
            return None
        explained, facts = found
        policy, category = self._manager.site.policy, facts.category
        return {
            "name": name,
            "reason": facts.reason.value,
            "category": category and {"vi": category.name_vi, "en": category.name_en},
            "min_age": category and category.min_age,
            "until": self._until(explained["network"], facts),
            "now": self._manager.clock()["policy_time"] or 0.0,
            "tier": explained["tier"],
            "seat": explained["class"] or explained["grade"],
            "is_known": explained["network"] is not None,
            "level": policy.log.level_of(explained["tier"]).value,
            "keep_days": policy.log.keep_days,
            "may_ask": facts.may_ask,
        }

    def _until(self, network: str | None, facts: BlockFacts) -> float | None:
        """Return when the name may open: by the verdict, or with the room's next class."""
        seat = self._manager.site.moment.seats.get(network or "")
        room_until = inf if seat is None or facts.reason not in _BY_CLASS else seat.span.until
        until = min(inf if facts.until is None else facts.until, room_until)
        return until if isfinite(until) else None

    async def _ask(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        """Note that the class of a device asks for a review of a name.

        The name is what a pupil wrote: it may call another pupil names before a dot. What is kept
        and shown is the entry that closes it.

        Raises:
            ChangeError: the device has asked too often, or this name cannot be reviewed.
        """
        if PAGE_GROUP not in caller.groups and caller.uid not in (0, os.geteuid()):
            raise ControlError(say("only the pupils' page asks for a review"))
        name = field_checks.name(request.get("name"))
        why = field_checks.one_of(request.get("why"), words.REVIEW_REASON, say("reason"))
        found = await self._facts(name, caller)
        if found is None or not found[1].may_ask:
            raise ChangeError(say("no review can be asked for this name"))
        explained, facts = found
        entry = str(facts.entry)
        device, seat = explained["mac"] or caller.address, explained["class"] or explained["grade"]
        names_of_device = self._asked_today(device)
        if entry not in names_of_device:
            if len(names_of_device) >= MOST_NAMES_A_DAY:
                raise ChangeError(say("this device has asked often enough today"))
            names_of_device.add(entry)
            await self._reviews.note(PupilRequest(0, entry, seat, explained["tier"], why, ""))
        return {"noted": True}

    def _asked_today(self, device: str) -> set[str]:
        if self._today != self._reviews.today:
            self._today = self._reviews.today
            self._asked.clear()
        if device not in self._asked and len(self._asked) >= _MOST_DEVICES:
            raise ChangeError(say("there are too many open requests; try again next week"))
        return self._asked[device]

    async def _facts(self, name: str, caller: Caller) -> tuple[dict[str, Any], BlockFacts] | None:
        address, qname = (
            field_checks.address(caller.address, with_scope=True),
            names.from_text(name),
        )
        explained = await self._manager.check(
            qname=qname.hex(), qtype=int(RRType.A), grade=None, address=address, at=None
        )
        if explained is None:
            return None
        site = self._manager.site
        hides = site.confidential.hides(qname, explained["category"] or "")
        return explained, facts_of(explained, site.policy, is_confidential=hides)
