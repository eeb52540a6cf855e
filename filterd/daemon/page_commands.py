# SPDX-License-Identifier: Apache-2.0
"""Answer the page of pupils (``filterd.blockpage``) on the control socket.

These commands are all that this process may ask. The address of the frame is that of the
pupil's device; it finds class and tier, and goes no further than a count in memory.
"""

from __future__ import annotations

import os
from collections import defaultdict
from math import inf, isfinite
from typing import TYPE_CHECKING, Any

from filterd import field_checks, words
from filterd.daemon.face_limits import PAGE_GROUP
from filterd.errors import ChangeError, ControlError
from filterd.i18n import say
from filterd.overrides.review_requests import PupilRequest
from filterd.resolve.block_reason import BlockFacts, BlockReason, facts_of
from filterd.wire import RRType
from filterd.wire import name as names

if TYPE_CHECKING:
    from filterd.daemon.control_caller import Caller
    from filterd.daemon.control_server import Command
    from filterd.daemon.manager import Manager
    from filterd.daemon.review_commands import Reviews

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
        explained, _ = found
        device, seat = explained["mac"] or caller.address, explained["class"] or explained["grade"]
        names_of_device = self._asked_today(device)
        if name not in names_of_device:
            if len(names_of_device) >= MOST_NAMES_A_DAY:
                raise ChangeError(say("this device has asked often enough today"))
            names_of_device.add(name)
            await self._reviews.note(PupilRequest(0, name, seat, explained["tier"], why, ""))
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
