# SPDX-License-Identifier: Apache-2.0
"""Make the signed inspection record, by the command ``inspection``.

The manager gathers the facts. A process finds what is wrong (``appliance.doctor.examination``) and
another signs (``appliance.inspection_record``): the manager loads no code that signs. Every caller
gets the same record, and none can hand in a finding. Each request is in the history.
"""

from __future__ import annotations

import asyncio
import json
import os
import pwd
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from filterd.base import bounded_child, errors
from filterd.base.errors import FilterdError, StoreError
from filterd.base.protection_facts import ProtectionFacts
from filterd.base.protection_level import judge
from filterd.daemon.handlers.control_caller import author_of
from filterd.daemon.handlers.gathered_facts import category_facts, school_facts, service_facts
from filterd.daemon.handlers.handled import handled
from filterd.daemon.handlers.self_tests import SelfTestOutcome
from filterd.daemon.manager import status_files
from filterd.daemon.manager.status_parts import with_protection
from filterd.lists.category_coverage import coverage
from filterd.lists.list_queries import VERSION_DIGITS, content_version
from filterd.lists.rules import SERVICE_PREFIX
from filterd.operations.reports import ReadInspection
from filterd.overrides.changes.effects import has_ended
from filterd.overrides.changes.period_changes import full_spans
from filterd.overrides.rights.read_access import View, check_view
from filterd.overrides.rights.roles import Author, Role, person_of
from filterd.policy import log_levels
from filterd.policy.model import DAY_S, Audience
from filterd.policy.reporting_settings import ReportSettings
from filterd.policy.temporary_rules import LocalException, TargetKind
from filterd.querylog.day_schema import DaySpan
from filterd.reports import inspection_facts
from filterd.reports.inspection_facts import (
    HistoryHead,
    InspectedCategory,
    InspectedException,
    InspectedFinding,
    InspectedList,
    InspectedLists,
    InspectionFacts,
    SelfTestFacts,
    TestedCategory,
    without_texts,
)
from filterd.reports.report_facts import FullLogSpan, ServiceFacts
from filterd.texts import i18n
from filterd.texts.i18n import UNSAID, say

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from filterd.accounts.account import AccountBook
    from filterd.daemon.handlers.control_caller import Caller
    from filterd.daemon.handlers.control_server import Command
    from filterd.daemon.handlers.self_tests import SelfTestRun
    from filterd.daemon.manager.manager import Manager
    from filterd.daemon.process import Setting
    from filterd.policy.temporary_rules import Exam
    from filterd.resolve.site import Site

DAYS = 365

_EXAMINED_WITHIN_S, _SIGNED_WITHIN_S = 30.0, 20.0
_MOST_FINDINGS_OCTETS = 1 << 20
_MOST_EXCEPTIONS = 1_000
_EXAMINES, _SIGNS = "filterd.appliance.doctor.examination", "filterd.appliance.inspection_record"


class Inspections:
    """The command; one record at a time is made.

    Args:
        manager: it has the site, the log and the history.
        setting: the folders and clocks of the daemon.
        feed: returns the state of the feed at an address.
        program: returns the state of the releases of filterd.
        book: returns the accounts, for the roles of authors.
        test: tests now what is closed to each tier.
    """

    def __init__(
        self,
        manager: Manager,
        setting: Setting,
        feed: Callable[[str], dict[str, Any]],
        program: Callable[[], dict[str, Any]],
        book: Callable[[], AccountBook],
        test: Callable[[], Awaitable[SelfTestRun]],
    ) -> None:
        self._manager, self._setting = manager, setting
        self._feed, self._program, self._book, self._test = feed, program, book, test
        self._turn = asyncio.Lock()
        self._last: tuple[float, dict[str, Any]] | None = None

    def commands(self) -> dict[str, Command]:
        """Return the command by its name."""
        return handled(ReadInspection, self.inspection)

    async def inspection(self, asked: ReadInspection, caller: Caller) -> dict[str, Any]:
        """Return a record: the text of its file, and what it has as plain data."""
        check_view(author := author_of(caller), View.INSPECTION)
        await self._manager.changes.note_view(View.INSPECTION, author, {})
        async with self._turn:
            now = self._setting.clock.monotonic()
            if self._last is None or now - self._last[0] >= asked.old_s:
                self._last = None
                self._last = now, await self._made()
            return self._last[1]

    async def _made(self) -> dict[str, Any]:
        policy = self._manager.site.policy
        school = {"code": (policy.report or ReportSettings()).code, "name": policy.school}
        tested, findings = await asyncio.gather(self._test(), asyncio.to_thread(self._findings))
        plain = inspection_facts.plain_of(await self._facts(tested, findings))
        record = await asyncio.to_thread(self._signed, school, plain)
        enrolment = status_files.facts(self._setting.state)["enrolment"]
        return {"record": record, "school": school, "facts": plain, "enrolment": enrolment}

    async def _facts(
        self, tested: SelfTestRun, findings: tuple[InspectedFinding, ...] | None
    ) -> InspectionFacts:
        site, records = self._manager.site, self._manager.changes.records
        policy, now = site.policy, self._setting.time.least()
        status = await self._manager.status()
        feed = await asyncio.to_thread(self._feed, policy.feed)
        program = await asyncio.to_thread(self._program)
        judged = judge(ProtectionFacts.of(with_protection(site, status, feed, program)))
        checked, rows = await records.verify(), await records.history(1, views=True)
        head: dict[str, Any] = rows[0] if rows else {"number": 0, "hash": ""}
        doubts = (errors.from_plain(one).sentence for one in status["doubts"])
        # That of this moment has no timetables: a room has the grade of the lesson.
        school, begins = school_facts(site.timed.policy), int(now) - DAYS * DAY_S
        past, _ = await records.past()
        return InspectionFacts(
            made_at=int(now),
            is_time_known=status["time_is_known"],
            time_zone=policy.time_zone,
            filterd=status["version"],
            update=_update(program),
            up_s=status["up_s"],
            policy=status["policy"],
            tiers=school.tiers,
            grades=school.grades,
            classes=len(school.classes),
            networks=school.networks,
            rooms=school.rooms,
            lists=_lists(site, feed, now),
            service=await self._service(now, policy.time_zone),
            self_test=_self_test(tested),
            exceptions=tuple(self._exceptions(site, now)),
            history=HistoryHead(head["number"], head["hash"], checked["ok"]),
            log_levels={
                tier: found.level.value
                for tier, found in log_levels.levels(policy, site.timed.overrides, now).items()
            },
            log_full=tuple(FullLogSpan(*span) for span in full_spans(past, policy, begins, now)),
            unmet=tuple(map(without_texts, doubts)),
            findings=findings,
            partly=tuple(one.sentence for one in judged.short),
        )

    async def _service(self, now: float, time_zone: str) -> ServiceFacts:
        """Return the service of the days that are over."""
        _, *spans = DaySpan.last(DAYS + 1, now, ZoneInfo(time_zone))
        spans.reverse()
        try:
            first, days = await self._manager.log_keeper.service(spans[0].day, spans[-1].day)
        except StoreError:
            return ServiceFacts(days_unreadable=(spans[-1].day,))
        return service_facts(spans, first, days)

    def _exceptions(self, site: Site, now: float) -> Iterator[InspectedException]:
        overrides = site.timed.overrides
        held: list[LocalException | Exam] = [*overrides.exceptions, *overrides.exams]
        for one in held[-_MOST_EXCEPTIONS:]:
            if one.starts_at > now or has_ended(one, now):
                continue
            kind, is_open, audience = "exam", False, Audience.NETWORK.value
            if isinstance(one, LocalException):
                kind, is_open, audience = one.kind.value, one.allow, one.audience.value
            is_pause = kind == TargetKind.PAUSE
            ends = None if one.ends_at is None else int(one.ends_at)
            yield InspectedException(
                kind, is_open or is_pause, audience, int(one.starts_at), ends, self._roles(one)
            )

    def _roles(self, one: LocalException | Exam) -> tuple[str, ...]:
        """Return the roles that an author has now, without the name."""
        channel, _, _ = one.author.rpartition(":")
        name, found = person_of(one.author), frozenset[Role]()
        if channel:
            known = (each.roles for each in self._book().accounts if each.name == name)
            found = next(known, found)
        else:
            with suppress(KeyError, OSError):
                user = pwd.getpwnam(name)
                groups = [role.group for role in Role if role.group in _groups(user)]
                found = Author.of(user.pw_uid, name, groups, os.geteuid()).roles
        return tuple(role.value for role in Role if role in found and role is not Role.READER)

    def _findings(self) -> tuple[InspectedFinding, ...] | None:
        """Return what an examination finds as the user of the daemon.

        None where it could not be run. What only root can see is among the unseen.
        """
        folders = {"config": self._setting.config, "state": self._setting.state.folder}
        try:
            answer = bounded_child.ask(
                _EXAMINES,
                {name: str(folder) for name, folder in folders.items()},
                UNSAID,  # why it failed is not in a record
                UNSAID,
                limit_s=_EXAMINED_WITHIN_S,
                most_octets=_MOST_FINDINGS_OCTETS,
            )
            found = [
                InspectedFinding(
                    load["probe"], load["outcome"], without_texts(i18n.from_plain(load["sentence"]))
                )
                for load in json.loads(answer)
            ]
        except (FilterdError, ValueError, TypeError, KeyError):
            return None
        return tuple(sorted(found, key=lambda one: (one.outcome, one.probe)))

    def _signed(self, school: dict[str, str], facts: dict[str, Any]) -> str:
        """Return the signed record.

        Raises:
            FilterdError: the key is damaged, or the disk refused.
        """
        folder = str(self._setting.state.folder)
        return bounded_child.ask(
            _SIGNS,
            {"state": folder, "school": school, "facts": facts},
            say("the record could not be signed: {why}"),
            say("signing the record took too long"),
            limit_s=_SIGNED_WITHIN_S,
            most_octets=inspection_facts.MOST_OCTETS,
        ).decode()


def _lists(site: Site, feed: dict[str, Any], now: float) -> InspectedLists:
    policy, index = site.policy, site.index
    found = [one for one in index.lists if not one.id.startswith(SERVICE_PREFIX)]
    facts = tuple(category_facts(policy, site.timed.overrides, now))
    covered = {
        one.category: one for one in coverage(index.lists, index.build, [each.id for each in facts])
    }
    origin = "feed" if feed["address"] else "public-lists" if feed["sources"] else "shipped"
    verified_at = feed["verified_at"]
    return InspectedLists(
        names=len(index),
        version=str(feed["served"]),
        origin=origin,
        built_at=int(index.build.get("when") or 0),
        verified_at=None if verified_at is None else int(verified_at),
        freshness=feed["freshness"],
        digest=content_version(index),
        lists=tuple(
            InspectedList(one.id, one.category, one.kept, one.digest[:VERSION_DIGITS], one.own)
            for one in found
        ),
        categories=tuple(
            InspectedCategory(
                fact.id,
                fact.names,
                covered[fact.id].names,
                fact.is_locked,
                fact.closed_tiers,
                covered[fact.id].sources,
                covered[fact.id].oldest,
                covered[fact.id].newest,
                covered[fact.id].is_starter_only,
            )
            for fact in facts
        ),
    )


def _self_test(run: SelfTestRun) -> SelfTestFacts | None:
    """Return what a run found; None for one that could ask nothing."""
    if not run.rows:
        return None
    rows = (TestedCategory(row.tier, row.category, row.outcome, row.protocol) for row in run.rows)
    passed, failed = (run.count(one) for one in (SelfTestOutcome.PASSED, SelfTestOutcome.FAILED))
    return SelfTestFacts(int(run.at), passed, failed, tuple(rows))


def _update(program: dict[str, Any]) -> str:
    if program["taken_back_at"] is not None:
        return "taken-back"
    return "none" if program["waiting_since"] is None else "waits"


def _groups(user: pwd.struct_passwd) -> set[str]:
    import grp  # noqa: PLC0415 -- for this command only

    found = set[str]()
    for gid in os.getgrouplist(user.pw_name, user.pw_gid):
        with suppress(KeyError):
            found.add(grp.getgrgid(gid).gr_name)
    return found
