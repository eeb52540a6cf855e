# SPDX-License-Identifier: Apache-2.0
"""The commands of the control socket, and the ranks that they need.

Every user who may open the socket may read. Commands that act need a rank, which follows
from the user that the kernel reports (``filterd.overrides.rights.roles``).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Any

from filterd.base.errors import ControlError
from filterd.base.state_file import Decoders
from filterd.daemon.handlers.handled import handled
from filterd.daemon.manager.disclosed_totals import as_seen
from filterd.daemon.manager.status_parts import coverage_of_closed, protection_facts
from filterd.daemon.watch_recorders import LONGEST_S as NAT_WATCH_S
from filterd.lists.list_queries import entries_of, overview
from filterd.operations.exams import ReadExams
from filterd.operations.exceptions import ReadExceptions
from filterd.overrides.changes.effects import has_ended
from filterd.overrides.history.history_chain import TRIAL
from filterd.overrides.override_rows import with_states
from filterd.overrides.rights.own_lesson import own_lesson
from filterd.overrides.rights.permissions import check_listening, readable_classes, teaches_in
from filterd.overrides.rights.roles import Author, Rank
from filterd.policy.calendar import Calendar
from filterd.policy.field_checks import is_whole
from filterd.policy.grade_rows import ids as ids_of
from filterd.policy.model import SERVICE, Audience, Expectation
from filterd.policy.policy_matrix import policy_matrix
from filterd.policy.school_week import school_week
from filterd.querylog.totals_request import TotalsRequest
from filterd.texts.i18n import Sentence, say

if TYPE_CHECKING:
    from filterd.daemon.handlers.control_caller import Caller
    from filterd.daemon.handlers.control_server import Command
    from filterd.daemon.manager.manager import Manager

Feed = Callable[[str], dict[str, Any]]

_LATEST = 253_402_300_799.0
_DAYS, _DAY_S = 7, 86_400
_YEARS = 1970, 2200
_expectation = Decoders({"Audience": Audience}).of(Expectation)
MOST_ROWS = 100_000
MOST_EXPECTATIONS = 1_000
"""Of one request: each takes the manager some 15 ms, in which it answers no other command."""
_OLDEST_TOTALS_S = 60


def commands(
    manager: Manager, feed: Feed, program: Callable[[], dict[str, Any]] = dict
) -> dict[str, Command]:
    """Return the commands by name.

    Args:
        manager: it executes most of them.
        feed: returns the state of the feed at an address.
        program: returns the state of the releases of filterd.
    """
    return {
        **_present(manager, feed, program),
        **_past(manager),
        **_policy_and_lists(manager),
        **_acting(manager),
        **_devices(manager),
        **_watching(manager),
        **_school(manager),
    }


def author_of(caller: Caller) -> Author:
    """Return a caller as an author, with its rank."""
    if caller.grant is not None:
        grant = caller.grant
        return Author.with_roles(grant.author, grant.roles, is_fresh=grant.is_fresh)
    return Author.of(caller.uid, caller.user, caller.groups, os.geteuid())


def _present(
    manager: Manager, feed: Feed, program: Callable[[], dict[str, Any]]
) -> dict[str, Command]:
    """Return the commands that report the present."""

    async def ping(_: dict[str, Any], __: Caller) -> str:
        return "pong"

    async def status(request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        old_s = request.get("totals_old_s", 0)
        if not is_whole(old_s) or not 0 <= old_s <= _OLDEST_TOTALS_S:
            raise ControlError(
                say("`status` wants totals_old_s, 0 to {most}, or nothing", most=_OLDEST_TOTALS_S)
            )
        followed = await asyncio.to_thread(feed, manager.site.policy.feed)
        author, policy = author_of(caller), manager.site.policy
        classes = readable_classes(author, lambda: manager.changes.classroom(manager.site))
        releases, now = await asyncio.to_thread(program), manager.clock()["policy_time"] or 0.0
        seen = as_seen(TotalsRequest(old_s=old_s), author, policy, now)
        facts = await manager.status(classes, seen)
        protection = protection_facts(manager.site, followed, facts["signals"]["links"])
        covered = [one.to_plain() for one in coverage_of_closed(manager.site)]
        if not _sees_alerts(caller):  # a MAC leads to a device, and so to a person
            facts["disputes"] = [[] for _ in facts["disputes"]]
        more = {"program": releases, "protection": protection, "coverage": covered}
        return {**facts, "feed": followed, **more}

    async def clock(_: dict[str, Any], __: Caller) -> dict[str, Any]:
        return manager.clock()

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
        "ping": ping,
        "status": status,
        "ids": ids,
        "clock": clock,
        "check": check,
    }


def _sees_devices(caller: Caller) -> bool:
    """Return whether names of devices are shown; for teachers, by ``devices`` only."""
    return author_of(caller).rank >= Rank.ADMIN


def _sees_alerts(caller: Caller) -> bool:
    """Return whether addresses of alerts are shown; a webhook's may be a secret.

    Users of the gateway can read ``site.yaml``; people by the web cannot.
    """
    return caller.grant is None or author_of(caller).rank >= Rank.ADMIN


def _past(manager: Manager) -> dict[str, Command]:
    """Return the commands that report changes."""

    async def overrides(request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        at = request.get("at")
        is_time = isinstance(at, (int, float)) and not isinstance(at, bool) and 0 <= at <= _LATEST
        if at is not None and not is_time:
            raise ControlError(say("`overrides` wants at, a Unix time, or nothing"))
        return await manager.changes.records.overrides(at, names=_sees_devices(caller))

    async def history(request: dict[str, Any], caller: Caller) -> list[dict[str, Any]]:
        limit = request.get("limit", 20)
        if not is_whole(limit) or not 1 <= limit <= MOST_ROWS:
            raise ControlError(say("`history` wants limit, 1 to {most}", most=MOST_ROWS))
        before = request.get("before")
        if before is not None and not is_whole(before):
            raise ControlError(say("`history` wants before, a number of a change, or nothing"))
        views = request.get("views") is True
        return await manager.changes.records.history(
            limit, views=views, before=before, names=_sees_devices(caller)
        )

    async def check(request: dict[str, Any], _: Caller) -> dict[str, Any] | None:
        wanted = say("`history-check` wants qname, qtype, grade, client and at, a Unix time")
        question, at = _question(request, wanted, float), request["at"]
        shown = str(request.get("shown", at))[:40]  # as the caller writes the time
        return await manager.changes.records.explain_past(
            manager.site, when=float(at), shown=shown, **question
        )

    async def with_states_now(
        asked: ReadExceptions | ReadExams, caller: Caller
    ) -> list[Mapping[str, Any]]:
        records, past = manager.changes.records, None
        if asked.all_:
            past = await records.history(MOST_ROWS, names=_sees_devices(caller))
        overrides, not_before = manager.site.timed.overrides, manager.clock()["not_before"]
        return with_states(
            overrides, asked.command, known_or_least(manager), past, float(not_before)
        )

    return {
        **handled(ReadExceptions, with_states_now),
        **handled(ReadExams, with_states_now),
        "overrides": overrides,
        "history": history,
        "history-check": check,
        "history-verify": lambda _, __: manager.changes.records.verify(),
        "mistakes": lambda _, __: manager.changes.records.mistakes(),
    }


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
            manager.site, digest and digest[:80], alerts=_sees_alerts(caller)
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

    async def reload(request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        author_of(caller).must_be(Rank.ADMIN, say("reload"))
        return asdict(await manager.reload(lists_only=request.get("lists_only") is True))

    return {
        "reload": reload,
        "change": lambda request, caller: manager.changes.change(request, author_of(caller)),
    }


def _devices(manager: Manager) -> dict[str, Command]:
    """Return the commands that show devices."""

    async def devices(_: dict[str, Any], caller: Caller) -> list[dict[str, Any]]:
        author, site = author_of(caller), manager.site
        author.must_be(Rank.TEACHER, say("list the devices"))
        names = {one.mac: one.name for one in site.timed.overrides.device_names}
        rows = await manager.rooms.devices(site.policy, names)
        if author.rank >= Rank.ADMIN:
            return rows
        classroom = manager.changes.classroom(site)
        return [
            one for one in rows if one["network"] and teaches_in(author, one["network"], classroom)
        ]

    async def nat_watch(request: dict[str, Any], caller: Caller) -> None:
        author_of(caller).must_be(Rank.ADMIN, say("list the devices"))
        length_s = request.get("for_s", 0)
        if not is_whole(length_s) or not 0 <= length_s <= NAT_WATCH_S:
            most = round(NAT_WATCH_S / 60)
            raise ControlError(say("a watch lasts at most {most} minutes", most=most))
        await (manager.nat.begin(float(length_s)) if length_s else manager.nat.end())

    async def nat_seen(_: dict[str, Any], caller: Caller) -> list[dict[str, Any]]:
        author_of(caller).must_be(Rank.ADMIN, say("list the devices"))
        return await manager.nat.seen()

    return {"devices": devices, "nat-watch": nat_watch, "nat-seen": nat_seen}


def _watching(manager: Manager) -> dict[str, Command]:
    """Return the commands that watch a room."""

    async def room_watch(request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        author_of(caller).must_be(Rank.ADMIN, say("set which devices are in a room"))
        return await manager.rooms.begin(_room(manager, request), manager.site.policy)

    async def room_seen(request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        if request.get("room") is None:
            author_of(caller).must_be(Rank.TEACHER, say("list the devices"))
            return await manager.rooms.in_no_network(manager.site.policy)
        author_of(caller).must_be(Rank.ADMIN, say("set which devices are in a room"))
        return await manager.rooms.seen(_room(manager, request), manager.site.policy)

    async def exam_watch(request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        author, room = author_of(caller), _room_to_hear(manager, request, caller)
        if request.get("off"):
            await manager.trials.end(room)
        else:
            await manager.changes.note(TRIAL, {"room": room}, author)
            await manager.trials.begin(room, author.person)
        return {"room": room}

    async def exam_names(request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        room = _room_to_hear(manager, request, caller)
        return await manager.trials.names(room, author_of(caller).person)

    return {
        "room-watch": room_watch,
        "room-seen": room_seen,
        "exam-watch": exam_watch,
        "exam-names": exam_names,
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


def _room(manager: Manager, request: Mapping[str, Any]) -> str:
    """Return the room that is asked about.

    Raises:
        ControlError: there is no such room.
    """
    room = request.get("room")
    known = [one.id for one in manager.site.policy.networks]
    if room not in known:
        raise ControlError(
            say(
                "{room} is not a room; known: {known}",
                room=repr(str(room)[:80]),
                known=", ".join(known[:20]),
            )
        )
    return str(room)


def _room_to_hear(manager: Manager, request: Mapping[str, Any], caller: Caller) -> str:
    """Return the room of a trial run: only a teacher's class may be listened to.

    Raises:
        ControlError: there is no such room, or the caller may not listen to it.
    """
    author = author_of(caller)
    author.must_be(Rank.TEACHER, say("watch what a room looks up"))
    room = _room(manager, request)
    check_listening(author, room, manager.changes.classroom(manager.site))
    return room


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
