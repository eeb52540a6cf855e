# SPDX-License-Identifier: Apache-2.0
"""The commands of the control socket, and the ranks that they need.

Every user who may open the socket may read. Commands that act need a rank, which follows
from the user that the kernel reports (``filterd.overrides.rights.roles``).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from filterd.base.errors import ControlError
from filterd.base.state_file import Decoders
from filterd.lists.list_queries import entries_of, overview
from filterd.overrides.changes.effects import has_ended
from filterd.overrides.rights.own_lesson import own_lesson
from filterd.overrides.rights.roles import Author, Rank
from filterd.policy.calendar import Calendar
from filterd.policy.grade_rows import ids as ids_of
from filterd.policy.model import SERVICE, Audience, Expectation
from filterd.policy.policy_matrix import policy_matrix
from filterd.policy.school_week import school_week
from filterd.texts.i18n import Sentence, say

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from filterd.daemon.handlers.control_caller import Caller
    from filterd.daemon.handlers.control_server import Command
    from filterd.daemon.manager.manager import Manager

_LATEST = 253_402_300_799.0
_DAYS, _DAY_S = 7, 86_400
_YEARS = 1970, 2200
_expectation = Decoders({"Audience": Audience}).of(Expectation)
MOST_EXPECTATIONS = 1_000
"""Of one request: each takes the manager some 15 ms, in which it answers no other command."""


def commands(manager: Manager) -> dict[str, Command]:
    """Return the commands by name."""
    return {
        **_present(manager),
        **_past(manager),
        **_policy_and_lists(manager),
        **_acting(manager),
        **_school(manager),
    }


def author_of(caller: Caller) -> Author:
    """Return a caller as an author, with its rank."""
    if caller.grant is not None:
        grant = caller.grant
        return Author.with_roles(grant.author, grant.roles, is_fresh=grant.is_fresh)
    return Author.of(caller.uid, caller.user, caller.groups, os.geteuid())


def _present(manager: Manager) -> dict[str, Command]:
    """Return the commands that report the present."""

    async def ids(_: dict[str, Any], __: Caller) -> dict[str, list[Any]]:
        timed, now = manager.site.timed, manager.clock()["policy_time"] or 0.0
        of_lists = [one.id for one in manager.site.index.lists if not one.id.startswith(SERVICE)]
        set_now = {
            kind: [one.id for one in getattr(timed.overrides, kind) if not has_ended(one, now)]
            for kind in ("exceptions", "exams")
        }
        return {**ids_of(timed.policy), "lists": of_lists, **set_now}

    async def check(request: dict[str, Any], _: Caller) -> dict[str, Any] | None:
        wanted = say("`check` wants qname, qtype, grade, client and at")
        question = _question(request, wanted)
        return await manager.check(**question, at=request["at"])

    return {
        "ids": ids,
        "check": check,
    }


def sees_alerts(caller: Caller) -> bool:
    """Return whether addresses of alerts are shown; a webhook's may be a secret.

    Users of the gateway can read ``site.yaml``; people by the web cannot.
    """
    return caller.grant is None or author_of(caller).rank >= Rank.ADMIN


def _past(manager: Manager) -> dict[str, Command]:
    """Return the command that checks a name as of a past time."""

    async def check(request: dict[str, Any], _: Caller) -> dict[str, Any] | None:
        wanted = say("`history-check` wants qname, qtype, grade, client and at, a Unix time")
        question, at = _question(request, wanted, float), request["at"]
        shown = str(request.get("shown", at))[:40]  # as the caller writes the time
        return await manager.changes.records.explain_past(
            manager.site, when=float(at), shown=shown, **question
        )

    return {"history-check": check}


def known_or_least(manager: Manager) -> float:
    """Return the time that policy goes by, or the last known."""
    clock = manager.clock()
    return float(clock["floor"] if clock["policy_time"] is None else clock["policy_time"])


def _policy_and_lists(manager: Manager) -> dict[str, Command]:
    """Return the commands that report policy and lists.

    They are for users who cannot read the files.
    """

    async def lists_search(request: dict[str, Any], _: Caller) -> list[dict[str, Any]]:
        try:
            qname = bytes.fromhex(request["qname"])
        except (KeyError, TypeError, ValueError) as error:
            raise ControlError(say("`lists-search` wants qname")) from error
        return await asyncio.to_thread(entries_of, manager.site.index, qname)

    async def policy(request: dict[str, Any], caller: Caller) -> str:
        digest = request.get("digest")
        if digest is not None and not isinstance(digest, str):
            raise ControlError(say("`policy` wants digest, or nothing"))
        return await manager.changes.records.policy(
            manager.site, digest and digest[:80], alerts=sees_alerts(caller)
        )

    return {
        "expectations": lambda request, _: manager.hold(_wanted(request)),
        "lists": lambda _, __: asyncio.to_thread(overview, manager.site.index),
        "lists-search": lists_search,
        "policy": policy,
        "policies": lambda _, __: manager.changes.records.policies(),
    }


def _acting(manager: Manager) -> dict[str, Command]:
    """Return the commands that change something."""
    return {
        "change": lambda request, caller: manager.changes.change(request, author_of(caller)),
    }


def _school(manager: Manager) -> dict[str, Command]:
    """Return the commands of pages: matrix, preview, week, own lesson."""

    async def matrix(_: dict[str, Any], __: Caller) -> dict[str, Any]:
        site, at = manager.site, known_or_least(manager)
        timed = site.timed
        return await asyncio.to_thread(
            policy_matrix, timed.policy, timed.overrides, site.moment, at
        )

    async def week(request: dict[str, Any], _: Caller) -> dict[str, Any]:
        timed = manager.site.timed
        today = Calendar(timed.policy.time_zone).reading(known_or_least(manager)).day
        day = _day(request["day"]) if "day" in request else today
        return await asyncio.to_thread(school_week, timed.policy, timed.overrides, day)

    async def lesson(request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        author, site = author_of(caller), manager.site
        author.must_be(Rank.TEACHER, say("open something for a class"))
        classroom = manager.changes.classroom(site)
        wanted = str(request.get("place", ""))[:300]
        return await asyncio.to_thread(own_lesson, author, classroom, site.moment, wanted)

    return {
        "policy-matrix": matrix,
        "grade-preview": lambda request, caller: manager.changes.preview(
            request, author_of(caller)
        ),
        "school-week": week,
        "own-lesson": lesson,
    }


def _question(
    request: Mapping[str, Any], wanted: Sentence, time: Callable[[Any], Any] = str
) -> dict[str, Any]:
    """Return the question of a check, without its time.

    Args:
        request: with the question.
        wanted: the error for a request without one.
        time: raises ValueError or TypeError for a time in another form.

    Raises:
        ControlError: it is no question.
    """
    try:
        time(request["at"])
        return {
            "qname": bytes.fromhex(request["qname"]).hex(),
            "qtype": int(request["qtype"]),
            "grade": request["grade"],
            "address": request["client"],
        }
    except (KeyError, TypeError, ValueError) as error:
        raise ControlError(wanted) from error


def _wanted(request: Mapping[str, Any]) -> tuple[Expectation, ...] | None:
    """Return the expectations of a request; None for those that a reload checks.

    Raises:
        ControlError: these are no expectations.
    """
    wanted = request.get("wanted")
    if wanted is None:
        return None
    if isinstance(wanted, list) and len(wanted) > MOST_EXPECTATIONS:
        raise ControlError(
            say("at most {most} expectations are tried at a time", most=MOST_EXPECTATIONS)
        )
    try:
        found = tuple(map(_expectation, wanted))
    except (KeyError, TypeError, ValueError, AttributeError):
        found = ()
    sound = all(
        (one.at is None or 0 <= one.at <= _LATEST)
        and (one.weekday is None or 0 <= one.weekday < _DAYS)
        and (one.second is None or 0 <= one.second < _DAY_S)
        for one in found
    )
    if not isinstance(wanted, list) or len(found) != len(wanted) or not sound:
        raise ControlError(say("`expectations` wants a list of them, or nothing"))
    return found


def _day(text: Any) -> date:
    try:
        day = date.fromisoformat(text)
    except (TypeError, ValueError):
        day = date.min
    if not _YEARS[0] <= day.year <= _YEARS[1]:
        raise ControlError(say("`school-week` wants day, a date such as 2026-12-20, or nothing"))
    return day
