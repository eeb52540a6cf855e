# SPDX-License-Identifier: Apache-2.0
"""Report policy and lists, check names, and answer pages on the school's week.

The policy and lists are for users who cannot read the files.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from filterd.daemon.handlers.control_caller import author_of, sees_alerts
from filterd.daemon.handlers.handled import handled
from filterd.lists.list_queries import entries_of, overview
from filterd.operations.lists import FindEntries, ReadLists
from filterd.operations.policy import (
    AskName,
    CheckName,
    CheckPast,
    PreviewGrade,
    ReadIds,
    ReadPolicy,
    ReadVersions,
    TestExpectations,
)
from filterd.operations.school import ReadMatrix, ReadOwnLesson, ReadWeek
from filterd.overrides.changes.effects import has_ended
from filterd.overrides.rights.own_lesson import own_lesson
from filterd.overrides.rights.roles import Rank
from filterd.policy.calendar import Calendar
from filterd.policy.grade_rows import ids as ids_of
from filterd.policy.model import SERVICE
from filterd.policy.policy_matrix import policy_matrix
from filterd.policy.school_week import school_week
from filterd.policy.unknown_time import known_or_least
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from filterd.daemon.handlers.control_caller import Caller
    from filterd.daemon.handlers.control_server import Command
    from filterd.daemon.manager.manager import Manager


def commands(manager: Manager) -> dict[str, Command]:
    """Return the commands by name."""
    return {**_policy(manager), **_checks(manager), **_school(manager)}


def _policy(manager: Manager) -> dict[str, Command]:
    """Return the commands that report policy and lists."""

    async def ids(_: ReadIds, __: Caller) -> dict[str, list[Any]]:
        timed, now = manager.site.timed, manager.clock()["policy_time"] or 0.0
        of_lists = [one.id for one in manager.site.index.lists if not one.id.startswith(SERVICE)]
        set_now = {
            kind: [one.id for one in getattr(timed.overrides, kind) if not has_ended(one, now)]
            for kind in ("exceptions", "exams")
        }
        return {**ids_of(timed.policy), "lists": of_lists, **set_now}

    async def lists(_: ReadLists, __: Caller) -> dict[str, Any]:
        return await asyncio.to_thread(overview, manager.site.index)

    async def entries(asked: FindEntries, _: Caller) -> list[dict[str, Any]]:
        return await asyncio.to_thread(entries_of, manager.site.index, asked.name)

    async def policy(asked: ReadPolicy, caller: Caller) -> str:
        return await manager.changes.records.policy(
            manager.site, asked.digest or None, alerts=sees_alerts(caller)
        )

    async def versions(_: ReadVersions, __: Caller) -> list[dict[str, Any]]:
        return await manager.changes.records.policies()

    async def preview(asked: PreviewGrade, caller: Caller) -> dict[str, Any]:
        given = {**asked.change[1], "reason": asked.reason}
        return await manager.changes.preview(given, author_of(caller))

    return {
        **handled(ReadIds, ids),
        **handled(ReadLists, lists),
        **handled(FindEntries, entries),
        **handled(ReadPolicy, policy),
        **handled(ReadVersions, versions),
        **handled(PreviewGrade, preview),
    }


def _checks(manager: Manager) -> dict[str, Command]:
    """Return the commands that tell what a name gets, and test expectations."""

    async def check(asked: CheckName, _: Caller) -> dict[str, Any] | None:
        at = None if asked.at is None else datetime.fromtimestamp(asked.at, UTC).isoformat()
        return await manager.check(**_question(asked), at=at)

    async def check_past(asked: CheckPast, _: Caller) -> dict[str, Any] | None:
        shown = asked.shown or str(asked.at)
        return await manager.changes.records.explain_past(
            manager.site, when=asked.at, shown=shown, **_question(asked)
        )

    async def expectations(asked: TestExpectations, _: Caller) -> dict[str, Any]:
        return await manager.expectations.hold(asked.wanted)

    return {
        **handled(CheckName, check),
        **handled(CheckPast, check_past),
        **handled(TestExpectations, expectations),
    }


def _question(asked: AskName) -> dict[str, Any]:
    return {
        "qname": asked.question.qname.hex(),
        "qtype": asked.question.qtype,
        "grade": asked.grade,
        "address": asked.client,
    }


def _school(manager: Manager) -> dict[str, Command]:
    """Return the commands of pages: matrix, week, own lesson."""

    async def matrix(_: ReadMatrix, __: Caller) -> dict[str, Any]:
        site, at = manager.site, known_or_least(manager.clock())
        timed = site.timed
        return await asyncio.to_thread(
            policy_matrix, timed.policy, timed.overrides, site.moment, at
        )

    async def week(asked: ReadWeek, _: Caller) -> dict[str, Any]:
        timed = manager.site.timed
        today = Calendar(timed.policy.time_zone).reading(known_or_least(manager.clock())).day
        day = date.fromisoformat(asked.day) if asked.day else today
        return await asyncio.to_thread(school_week, timed.policy, timed.overrides, day)

    async def lesson(asked: ReadOwnLesson, caller: Caller) -> dict[str, Any]:
        author, site = author_of(caller), manager.site
        author.must_be(Rank.TEACHER, say("open something for a class"))
        classroom = manager.changes.classroom(site)
        return await asyncio.to_thread(own_lesson, author, classroom, site.moment, asked.place)

    return {
        **handled(ReadMatrix, matrix),
        **handled(ReadWeek, week),
        **handled(ReadOwnLesson, lesson),
    }
