# SPDX-License-Identifier: Apache-2.0
"""Facts of reports by role: what leaves the school is recorded, and classes are for few."""

from __future__ import annotations

import base64
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import pytest

from filterd.base.clock import SystemClock
from filterd.base.errors import ConfigError, ControlError, StoreError
from filterd.daemon.handlers.control_caller import Caller
from filterd.daemon.handlers.report_commands import commands
from filterd.daemon.handlers.review_commands import Reviews
from filterd.daemon.handlers.totals_commands import TotalsExport
from filterd.overrides.rights.read_access import READERS, View
from filterd.overrides.rights.roles import Role
from filterd.querylog import published_totals
from filterd.querylog.service_days import ServiceDay
from filterd.reports import report_facts
from filterd.reports.report_run import LARGEST_TEMPLATE
from filterd.texts.i18n import say
from tests.support.clock import FakeClock
from tests.support.counted_year import counted, events
from tests.support.report_sample import SETTINGS
from tests.support.report_school import ReportSchool

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.team import School as ServedSchool
    from tests.support.team import Team

EVENTS = [event for event in events() if "2026-10-01" <= event.day <= "2026-12-31"]
MONTH = {"kind": "month", "first": "2026-11-01", "last": "2026-11-30", "audience": "outside"}


@pytest.fixture
def year(tmp_path: Path) -> ReportSchool:
    found = ReportSchool(tmp_path)
    found.write(counted(EVENTS), [ServiceDay("2026-11-02", 1)])
    return found


@pytest.mark.parametrize("role", Role)
def test_a_report_for_outside_needs_the_right_to_export_and_is_recorded(
    year: ReportSchool, role: Role
) -> None:
    if role in READERS[View.EXPORT]:
        assert year.report("2026-11", role).cells
        assert year.noted == [("export", "lan", ["2026-11-01", "2026-11-30"])]
        return
    with pytest.raises(ControlError, match="filterd-principal"):
        year.report("2026-11", role)
    assert year.noted == []


def test_what_cannot_be_recorded_is_not_shown(
    year: ReportSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: Any) -> None:
        raise StoreError(say("the disk is full"))

    monkeypatch.setattr(year, "note_view", refuse)
    with pytest.raises(StoreError):
        year.report("2026-11")
    assert not (year.folder / "published").exists()


def test_what_workers_count_is_in_the_report_when_the_day_is_over(
    school: ServedSchool,
) -> None:
    clock = FakeClock(SystemClock().wall())

    async def work(team: Team) -> None:
        export = TotalsExport(team.manager, team.setting.state.published_totals)
        known = commands(team.manager, export, Reviews(team.manager, team.setting))
        for worker, devices in zip(team.workers, ((3, 5, 7, 9, 11), (3, 13)), strict=True):
            worker._counts.add("6", "", "pass", 40, devices=devices)
            worker._counts.add("6", "games", "blocked", 2, devices=devices[:2])
        await team.manager.log_keeper.collect()
        clock.advance(86_400)
        caller = Caller(1002, "hoa", frozenset({Role.PRINCIPAL.group}))
        days = await cast("Any", known["report-period"]({"text": "day"}, caller))
        for audience, expected in (("outside", {"": 80}), ("inside", {"": 84})):
            wanted = {**days, "audience": audience}
            plain = await cast("Any", known["report-facts"](wanted, caller))
            facts = report_facts.from_plain(plain)
            found = Counter[str]()
            for cell in facts.cells:
                found[cell.category] += cell.n
            assert found == expected, "blocks of few devices have no category"
            assert (facts.service.days_in_service, facts.service.minutes) == (1, 1)
            assert facts.left_out

    school.serve(work, workers=2, clock=clock)


@pytest.mark.parametrize("role", Role)
def test_everybody_gets_the_page_for_parents_which_has_no_figures_of_use(
    year: ReportSchool, role: Role
) -> None:
    facts = year.report("2026-11", role, audience="parents")
    assert (facts.cells, facts.left_out, year.noted) == ((), 0, [])
    assert facts.categories


@pytest.mark.parametrize("role", Role)
def test_inside_all_see_grades_and_administrators_classes(year: ReportSchool, role: Role) -> None:
    facts = year.report("2026-11", role, audience="inside")
    assert {cell.grade for cell in facts.cells} == {"", "6", "9"}
    classes = {cell.class_id for cell in facts.cells} - {""}
    assert bool(classes) is (role is Role.ADMIN)
    assert {cell.grade for cell in facts.cells if cell.category == "self-harm"} == {""}


def test_a_report_of_a_class_is_for_administrators(year: ReportSchool) -> None:
    asked: dict[str, Any] = {"audience": "inside", "class": "6A"}
    assert year.report("2026-11", Role.ADMIN, **asked).scope == "6A"
    with pytest.raises(ControlError, match="classes of today only"):
        year.report("2026-11", Role.TEACHER, **asked)
    for role in (Role.READER, Role.PRINCIPAL, Role.INSPECTOR):
        with pytest.raises(ControlError, match="the totals of a class"):
            year.report("2026-11", role, **asked)
    assert year.report("2026-11", Role.TEACHER, audience="inside", grade="6").scope == "6"


@pytest.mark.parametrize("audience", ["outside", "parents"])
@pytest.mark.parametrize("key", ["class", "grade"])
def test_what_leaves_the_school_is_of_no_class_and_no_grade(
    year: ReportSchool, audience: str, key: str
) -> None:
    with pytest.raises(ControlError, match="only a report for inside"):
        year.report("2026-11", Role.ADMIN, audience=audience, **{key: "6"})


@pytest.mark.parametrize(("key", "word"), [("class", "6Z"), ("grade", "13")])
def test_a_class_or_grade_that_is_not_known_is_refused(
    year: ReportSchool, key: str, word: str
) -> None:
    with pytest.raises(ConfigError, match="not known here"):
        year.report("2026-11", Role.ADMIN, audience="inside", **{key: word})


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "decade"},
        {"first": "2026-11-31"},
        {"first": "01/11/2026"},
        {"last": None},
        {"last": 20_261_130},
        {"audience": "everybody"},
        {"class": ["6A"]},
        {"grade": "6" * 65},
    ],
)
def test_what_is_no_report_is_refused(year: ReportSchool, wrong: dict[str, Any]) -> None:
    with pytest.raises(ControlError, match="`report-facts`: "):
        year.ask("report-facts", Role.ADMIN, **{**MONTH, **wrong})


@pytest.mark.parametrize(
    ("period", "problem"),
    [
        ({"last": "2027-01-12"}, "not over"),
        ({"first": "2026-12-01"}, "1 to 400 days"),
        ({"first": "2025-01-01"}, "1 to 400 days"),
    ],
)
def test_days_that_are_not_over_or_too_many_are_refused(
    year: ReportSchool, period: dict[str, str], problem: str
) -> None:
    with pytest.raises(ConfigError, match=problem):
        year.ask("report-facts", Role.ADMIN, **{**MONTH, **period})


def test_a_period_is_by_the_time_of_the_gateway(year: ReportSchool) -> None:
    assert year.ask("report-period", Role.READER, text="month") == {
        "kind": "month",
        "first": "2026-12-01",
        "last": "2026-12-31",
        "id": "",
    }
    assert year.ask("report-period", Role.READER, text="term")["id"] == "hoc-ky-2"
    with pytest.raises(ControlError, match="`report-period`: text"):
        year.ask("report-period", Role.READER, text=7)
    with pytest.raises(ConfigError, match="not a period"):
        year.ask("report-period", Role.READER, text="fortnight")


def test_while_the_time_is_not_known_there_is_no_report(
    year: ReportSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = year.classroom(None)._replace(now=None)
    monkeypatch.setattr(year, "classroom", lambda _: room)
    with pytest.raises(ControlError, match="the time is not known"):
        year.ask("report-period", Role.ADMIN, text="month")


def test_a_damaged_file_of_what_was_published_makes_no_report(year: ReportSchool) -> None:
    before = year.report("2026-11")
    path = year.folder / "published" / "2026-11.filterd"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(StoreError, match="may differ from an earlier one"):
        year.report("2026-11")
    assert before.cells
    assert published_totals.load(year.folder / "published", "2026-12").periods == {}


@pytest.mark.parametrize("role", Role)
def test_every_role_reads_the_settings(year: ReportSchool, role: Role) -> None:
    assert year.ask("report-settings", role)["settings"]["symbol"] == "BC"
    year.site.policy = replace(year.policy, report=SETTINGS)
    found = year.ask("report-settings", role)
    assert (found["language"], found["settings"]["place"]) == ("vi", SETTINGS.place)


def test_the_template_is_returned_to_roles_that_report_outside_the_school(
    year: ReportSchool, tmp_path: Path
) -> None:
    path = tmp_path / "mau.docx"
    path.write_bytes(b"PK\x03\x04")
    for role in (Role.PRINCIPAL, Role.ADMIN):
        for settings in (None, SETTINGS):
            year.site.policy = replace(year.policy, report=settings)
            assert year.ask("report-template", role) is None
        year.site.policy = replace(year.policy, report=replace(SETTINGS, template=str(path)))
        assert base64.b64decode(year.ask("report-template", role)) == b"PK\x03\x04"
    for role in (Role.READER, Role.TEACHER, Role.INSPECTOR):
        with pytest.raises(ControlError, match="may not look"):
            year.ask("report-template", role)


def test_a_template_that_is_missing_too_large_or_no_file_is_refused(
    year: ReportSchool, tmp_path: Path
) -> None:
    large = tmp_path / "large.docx"
    large.write_bytes(bytes(LARGEST_TEMPLATE + 1))
    for path in (large, tmp_path, tmp_path / "none"):
        year.site.policy = replace(year.policy, report=replace(SETTINGS, template=str(path)))
        with pytest.raises(ConfigError, match=path.name):
            year.ask("report-template", Role.ADMIN)
