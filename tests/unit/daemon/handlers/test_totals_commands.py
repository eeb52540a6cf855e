# SPDX-License-Identifier: Apache-2.0
"""Totals by role: the school for all, classes for their teachers and administrators."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from filterd.base.clock import SystemClock
from filterd.base.errors import ConfigError, ControlError
from filterd.daemon.handlers.control_caller import Caller
from filterd.daemon.handlers.totals_commands import Span, TotalsExport, commands
from filterd.operations.totals import (
    ExportedTotals,
    ExportTotals,
    HelpAnswer,
    ReadHelpSought,
)
from filterd.overrides.rights.permissions import Classroom
from filterd.overrides.rights.read_access import READERS, View
from filterd.overrides.rights.roles import Author, Role
from filterd.policy.model import SchoolClass
from filterd.policy.temporary_rules import Overrides
from filterd.querylog.day_reach import MANY_DEVICES, ReachRow
from filterd.querylog.disclosure import SHOWS_ALL, Threshold
from filterd.querylog.totals_request import Total, TotalsRequest
from tests.support.clock import FakeClock
from tests.support.policies import a_category, a_policy
from tests.support.week import SEVEN

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.querylog.day_schema import DaySpan
    from tests.support.team import School as ServedSchool
    from tests.support.team import Team

CLASSES = (SchoolClass("6A", "6", ("lan",)), SchoolClass("6B", "6"))


def member(*roles: Role) -> Caller:
    return Caller(1002, "lan", frozenset(role.group for role in roles))


def asked(caller: Caller, **request: Any) -> tuple[Any, ...]:
    """Return request and classes, as the manager is asked for totals."""
    called: list[tuple[Any, ...]] = []
    policy = replace(a_policy(), classes=CLASSES)

    async def log_totals(*given: Any) -> list[Any]:
        called.append((*given, None)[:2])
        return []

    async def of_school(_: TotalsRequest) -> list[Any]:
        return []

    school = Classroom(policy, Overrides(), SEVEN, SEVEN + 3600, lambda _: None)
    changes = SimpleNamespace(classroom=lambda _: school)
    site = SimpleNamespace(policy=policy)
    manager = SimpleNamespace(
        log_totals=log_totals,
        changes=changes,
        site=site,
        clock=lambda: {"policy_time": SEVEN},
    )
    export = SimpleNamespace(of_school=of_school)

    async def whole() -> None:
        await commands(cast("Any", manager), cast("Any", export))["log totals"](request, caller)

    asyncio.run(whole())
    return called[0]


@pytest.mark.parametrize("role", Role)
def test_every_reader_sees_totals_of_the_school_its_tiers_and_grades(role: Role) -> None:
    (request, classes) = asked(member(role), days=7, tier="primary", grade="5", by_hour=True)
    wanted = replace(request, threshold=SHOWS_ALL)
    assert (wanted, classes) == (TotalsRequest(7, "primary", "5", by_hour=True), None)
    assert request.threshold.devices == (0 if role is Role.ADMIN else 5)


@pytest.mark.parametrize("role", [Role.READER, Role.PRINCIPAL, Role.INSPECTOR])
@pytest.mark.parametrize(
    "request_", [{"class": "6A"}, {"network": "lab"}, {"by_class": True}, {"by_network": True}]
)
def test_classes_and_networks_are_not_for_every_reader(
    role: Role, request_: dict[str, Any]
) -> None:
    with pytest.raises(ControlError, match="filterd-admin"):
        asked(member(role), **request_)


def test_an_administrator_sees_every_class_of_every_day() -> None:
    wanted = TotalsRequest(400, class_id="6B", by_network=True)
    assert asked(member(Role.ADMIN), days=400, by_network=True, **{"class": "6B"}) == (wanted, None)


def test_a_teacher_sees_own_classes_of_today() -> None:
    (request, classes) = asked(member(Role.TEACHER), by_class=True, by_hour=True)
    assert (request.days, request.by_class, classes) == (1, True, {"6A"})
    (request, _) = asked(member(Role.TEACHER), **{"class": "6A"})
    assert (request.by_class, request.threshold) == (True, Threshold(5))
    with pytest.raises(ControlError, match="may not look at class 6B"):
        asked(member(Role.TEACHER), **{"class": "6B"})
    with pytest.raises(ControlError, match="today only"):
        asked(member(Role.TEACHER), by_class=True, days=2)


@pytest.mark.parametrize("request_", [{"class": "7Z"}, {"network": "lba"}])
def test_a_class_or_network_without_totals_that_the_site_does_not_have_is_refused(
    request_: dict[str, Any],
) -> None:
    with pytest.raises(ConfigError, match="is not known here"):
        asked(member(Role.ADMIN), **request_)


class School:
    """Stands for the manager; notes what is read and recorded."""

    def __init__(self, now: float | None = SEVEN) -> None:
        self.noted: list[Any] = []
        self.read: list[list[str]] = []
        self.n = 7
        policy = replace(a_policy(), time_zone="Asia/Ho_Chi_Minh")
        confidential = SimpleNamespace(categories=frozenset({"self-harm"}))
        self.site = SimpleNamespace(policy=policy, confidential=confidential)
        self._room = Classroom(policy, Overrides(), now, SEVEN, lambda _: None)
        self.changes = self.log_keeper = self

    def classroom(self, _: Any) -> Classroom:
        return self._room

    async def note_view(self, view: View, author: Author, about: dict[str, Any]) -> None:
        self.noted.append((view, author.name, about))

    async def cells(
        self, days: list[DaySpan], confidential: frozenset[str]
    ) -> tuple[list[Total], list[ReachRow]]:
        self.read.append([one.day for one in days])
        assert (confidential, days[-1].ends <= SEVEN) == (frozenset({"self-harm"}), True)
        day = days[0].day
        of = ("tier", "lower-secondary"), ("grade", "6")
        reach = [ReachRow(day, *one, "games", "blocked", 5) for one in of]
        return [Total(day, "6", "games", "blocked", self.n)], reach


def an_author(role: Role) -> Author:
    return Author.of(1002, "hoa", [role.group], own_uid=999)


def exported(
    school: School, path: Path, asked: ExportTotals, role: Role = Role.PRINCIPAL
) -> ExportedTotals:
    async def whole() -> ExportedTotals:
        export = TotalsExport(cast("Any", school), path / "published")
        return await export.export(asked, an_author(role))

    return asyncio.run(whole())


def test_days_are_read_once_by_month_and_stay_as_they_were(tmp_path: Path) -> None:
    school = School()
    first = exported(school, tmp_path, ExportTotals(days=2))
    school.n = 8
    assert exported(school, tmp_path, ExportTotals(days=2)) == first
    assert school.read == [["2026-02-28"], ["2026-03-01"]]
    assert [(row.period, row.n) for row in first.rows] == [("2026-02-28", 7), ("2026-03-01", 7)]
    assert {row.tier for row in first.rows} == {"lower-secondary"}
    assert (first.left_out, first.least_devices) == (False, 5)


def test_a_month_has_all_its_days(tmp_path: Path) -> None:
    school = School()
    exported(school, tmp_path, ExportTotals(month="2025-11"))
    (days,) = school.read
    assert (days[0], days[-1], len(days)) == ("2025-11-01", "2025-11-30", 30)


def test_an_export_is_recorded_before_it_is_shown(tmp_path: Path) -> None:
    school = School()
    exported(school, tmp_path, ExportTotals(month="2025-10"))
    about = {"days": ["2025-10-01", "2025-10-31"], "class": ""}
    assert school.noted == [(View.EXPORT, "hoa", about)]


def test_what_two_workers_count_is_exported_when_the_day_is_over(school: ServedSchool) -> None:
    clock = FakeClock(SystemClock().wall())

    async def work(team: Team) -> None:
        for worker, devices in zip(team.workers, ((3, 5, 7, 9, 11), (3, 13)), strict=True):
            worker._counts.add("6", "", "pass", 40, devices=devices)
            worker._counts.add("6", "games", "blocked", 2, devices=devices[:2])
        export = TotalsExport(team.manager, school.state.published_totals)
        before = await export.export(ExportTotals(days=1), an_author(Role.PRINCIPAL))
        clock.advance(86_400)
        answer = await export.export(ExportTotals(days=1), an_author(Role.PRINCIPAL))
        assert (before.rows, before.left_out) == ((), False)
        (row,) = answer.rows
        assert (row.tier, row.category, row.n) == ("lower-secondary", "", 80)
        assert answer.left_out
        history = await team.manager.changes.records.history(5, views=True)
        assert [row["payload"]["view"] for row in history if row["kind"] == "log-view"] == [
            "export"
        ] * 2

    school.serve(work, workers=2, clock=clock)


@pytest.mark.parametrize("role", Role)
def test_exporting_needs_the_right_to_export(tmp_path: Path, role: Role) -> None:
    school = School()
    if role in READERS[View.EXPORT]:
        exported(school, tmp_path, ExportTotals(days=1), role=role)
        return
    with pytest.raises(ControlError, match="filterd-principal"):
        exported(school, tmp_path, ExportTotals(days=1), role=role)
    assert (school.noted, school.read) == ([], [])


def test_while_the_time_is_not_known_no_day_is_over(tmp_path: Path) -> None:
    with pytest.raises(ControlError, match="the time is not known"):
        exported(School(now=None), tmp_path, ExportTotals(days=1))


def test_only_whole_months_of_some_days_are_published_as_such(tmp_path: Path) -> None:
    school, span = School(), Span(date(2025, 9, 12), date(2025, 11, 29), has_months=True)
    found = asyncio.run(TotalsExport(cast("Any", school), tmp_path / "published").published(span))
    assert [(one.month, len(one.days), one.is_whole) for one in found] == [
        ("2025-09", 19, False),
        ("2025-10", 31, True),
        ("2025-11", 29, False),
    ]
    assert ["2025-10" in one.totals.periods for one in found] == [False, True, False]


def test_a_month_is_over_on_the_first_of_the_next() -> None:
    span = Span.of_month("2025-11", date(2025, 12, 1))
    assert [(month, len(days)) for month, days in span.by_month.items()] == [("2025-11", 30)]
    with pytest.raises(ControlError, match="2025-11 is not over"):
        Span.of_month("2025-11", date(2025, 11, 30))


class LargeSchool(School):
    """A school of many devices, one of which has asked for self-harm."""

    devices = MANY_DEVICES

    async def cells(self, days: Any, *_: Any) -> tuple[list[Total], list[ReachRow]]:
        """Return what was counted."""
        day = days[0].day
        row = ReachRow(day, "school", "", "", "", self.devices)
        return [Total(day, "", "self-harm", "blocked", 1)], [row]


def sought(
    path: Path, role: Role, devices: int = MANY_DEVICES, month: str = "2025-11"
) -> tuple[HelpAnswer, ...] | None:
    school = LargeSchool()
    school.devices = devices
    hidden = replace(a_category("self-harm"), confidential=True)
    school.site.policy = replace(school.site.policy, categories={"self-harm": hidden})
    export = TotalsExport(cast("Any", school), path / "published")
    answer = asyncio.run(export.help_sought(ReadHelpSought(month=month), an_author(role)))
    assert school.noted == [(View.HELP, "hoa", {"days": ["2025-11-01", "2025-11-30"], "class": ""})]
    return answer.answers


@pytest.mark.parametrize("role", Role)
def test_the_principal_alone_is_told_yes_or_no_for_a_month(tmp_path: Path, role: Role) -> None:
    if role in READERS[View.HELP]:
        (answer,) = sought(tmp_path, role) or ()
        assert (answer.category, answer.has_blocks) == ("self-harm", True)
        return
    with pytest.raises(ControlError, match="filterd-principal"):
        sought(tmp_path, role)


def test_a_school_of_few_devices_is_told_nothing(tmp_path: Path) -> None:
    assert sought(tmp_path, Role.PRINCIPAL, MANY_DEVICES - 1) is None


def test_the_principal_is_told_nothing_of_the_present(tmp_path: Path) -> None:
    with pytest.raises(ControlError, match="is not over"):
        sought(tmp_path, Role.PRINCIPAL, month="2026-03")


class ToldSchool(School):
    """A school in which some devices asked for self-harm on each day."""

    devices = 5

    async def cells(self, days: Any, *_: Any) -> tuple[list[Total], list[ReachRow]]:
        """Return what was counted."""
        day = days[0].day
        row = ReachRow(day, "tier", "", "self-harm", "blocked", self.devices)
        return [Total(day, "", "self-harm", "blocked", 7)], [row]


@pytest.mark.parametrize("devices", [4, 5])
def test_totals_have_a_confidential_category_of_closed_days_as_it_was_published(
    tmp_path: Path, devices: int
) -> None:
    school = ToldSchool()
    school.devices = devices
    export = TotalsExport(cast("Any", school), tmp_path / "published")
    rows = asyncio.run(export.of_school(TotalsRequest(2)))
    assert [(row["date"], row["grade"], row["n"]) for row in rows] == (
        [("2026-03-01", "", 7)] if devices == 5 else []
    )
    assert asyncio.run(export.of_school(TotalsRequest(1))) == []
