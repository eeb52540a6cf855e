# SPDX-License-Identifier: Apache-2.0
"""Resolve what a request leaves open: ends, dates, rooms, what lists have."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from filterd.base.errors import ChangeError, FilterdError
from filterd.daemon.time.timekeeper import ClockStanding
from filterd.lists.list_queries import content_version, naming_entries
from filterd.overrides.changes import change_fields
from filterd.overrides.changes.change_kinds import is_undated
from filterd.policy import field_checks
from filterd.policy.calendar import bell, shown_at
from filterd.policy.grade_changes import Why
from filterd.policy.model import Audience
from filterd.texts.i18n import say
from filterd.version import __version__
from filterd.wire import name as names

if TYPE_CHECKING:
    from filterd.daemon.process import Setting
    from filterd.daemon.time.timekeeper import ClockStep
    from filterd.lists.index import Index
    from filterd.policy.model import Policy
    from filterd.policy.temporary_rules import Overrides
    from filterd.resolve.site import Site

_LEAST_LAG_S = 1e-3
"""A clock that shows the earliest possible time is later than that by no more."""


def work_out_length(request: dict[str, Any], now: float, standing: ClockStanding) -> bool:
    """Add the end of ``for_s``; return whether the end waits for the time to be known.

    While no source has confirmed the time, the length stays in the request: how long ago
    the change was is certain, whatever the clock shows.

    Raises:
        ChangeError: it is no length, or a given time is certainly past.
    """
    for_s, starts_at = request.pop("for_s", None), request.get("starts_at")
    is_confirmed = standing in {ClockStanding.KNOWN, ClockStanding.JUMPED}
    if for_s is not None:
        if request.get("ends_at") is not None:
            raise ChangeError(say("an end and a length exclude each other"))
        length_s = field_checks.seconds(for_s)
        begin = now if starts_at is None else field_checks.time(starts_at)
        request["ends_at"] = begin + length_s
        if not is_confirmed and starts_at is None:
            request["for_s"] = length_s
    ends_at = request.get("ends_at")
    if standing is not ClockStanding.UNKNOWN or ends_at is None:
        return False
    if field_checks.time(ends_at) <= now:
        hint = say("give a length instead, such as --for 45m, or a later date")
        raise ChangeError(say("the time is not known, and this time is in the past"), hint=hint)
    return "for_s" not in request


def dating(step: ClockStep | None, overrides: Overrides, setting: Setting) -> dict[str, Any]:
    """Return how old a step says that settings are; see ``change_kinds.KnowTime``.

    Args:
        step: that policy time is about to make; None for none.
        overrides: what is set.
        setting: has policy time, before the step.
    """
    if step is None or not step.is_confirmed:
        return {}
    if setting.time.is_confirmed:
        return {"ahead_s": step.back_s} if step.back_s else {}
    if not is_undated(overrides):
        return {}
    fields = {"lag_s": max(step.lag_s, _LEAST_LAG_S), "since": setting.page.since}
    return {key: value for key, value in fields.items() if value > 0}


def work_out_lesson(
    request: dict[str, Any], policy: Policy, now: float, standing: ClockStanding
) -> None:
    """Replace ``lesson`` by the end of the one that is on, or its length until then.

    Raises:
        ChangeError: none is.
    """
    if not request.pop("lesson", False):
        return
    if request.get("ends_at") is not None or request.get("for_s") is not None:
        raise ChangeError(say("an end and the end of the lesson exclude each other"))
    if standing is ClockStanding.UNKNOWN:
        hint = say("give a length instead, such as --for 45m")
        raise ChangeError(say("the time is not known, so the lesson is not either"), hint=hint)
    is_of_network = request.get("audience") == Audience.NETWORK
    room = request.get("whom") if is_of_network else request.get("room")
    starts_at = request.get("starts_at")
    at = now if starts_at is None else field_checks.time(starts_at)
    rung = bell(policy, at, str(room or ""))
    if rung.lesson is None:
        hint = say("give an end")
        if rung.next is not None:
            hint = say(
                "the next one is {next}, at {time}; or give --for 45m",
                next=rung.next,
                time=shown_at(policy, rung.until, now),
            )
        raise ChangeError(say("there is no lesson at that time"), hint=hint)
    if standing is ClockStanding.UNCONFIRMED and starts_at is None:
        request["for_s"] = rung.until - at
    else:
        request["ends_at"] = rung.until


def work_out_room(request: dict[str, Any], site: Site, now: float) -> None:
    """Replace ``class_id`` of an exam by the room where the class sits when it begins.

    Raises:
        ChangeError: it sits in none, or in several.
    """
    class_id, starts_at = request.pop("class_id", None), request.get("starts_at")
    if class_id is None:
        return
    if request.get("room") is not None:
        raise ChangeError(say("--room and --class exclude each other"))
    at = now if starts_at is None else field_checks.time(starts_at)
    seats = site.timed.at(at).seats
    found = {
        room: seat.why is not Why.OWN
        for room, seat in seats.items()
        if seat.grade == class_id and not seat.is_shared
    }
    rooms = [room for room, is_lesson in found.items() if is_lesson] or list(found)
    if not rooms:
        raise ChangeError(
            say("{class_id} is in no room at that time", class_id=field_checks.shown(class_id)),
            hint=say("give --room"),
        )
    if len(rooms) > 1:
        hint = say("give --room: {rooms}", rooms=", ".join(rooms))
        raise ChangeError(say("{class_id} is in several rooms", class_id=class_id), hint=hint)
    request["room"] = rooms[0]


def add_what_lists_have(request: dict[str, Any], index: Index) -> None:
    """Set the entries and the version of the lists in a report, whatever it had."""
    request["seen_in"], request["filterd"] = content_version(index), __version__
    try:
        entries = naming_entries(index, names.from_text(str(request.get("name"))))
        request["entries"] = list(islice(entries, change_fields.MAX_ENTRIES))
    except (FilterdError, ValueError):
        request["entries"] = []  # it is no name, and refused as such
