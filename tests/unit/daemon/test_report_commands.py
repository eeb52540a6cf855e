# SPDX-License-Identifier: Apache-2.0
"""Facts of reports by role: what leaves the school is recorded, and classes are for few."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from filterd.errors import ConfigError, ControlError, StoreError
from filterd.i18n import say
from filterd.overrides.read_access import READERS, View
from filterd.overrides.roles import Role
from filterd.querylog import published_totals
from filterd.querylog.service_days import ServiceDay
from tests.support.counted_year import ReportSchool, counted, events

if TYPE_CHECKING:
    from pathlib import Path

EVENTS = [one for one in events() if "2026-10-01" <= one.day <= "2026-12-31"]
MONTH = {"kind": "month", "first": "2026-11-01", "last": "2026-11-30", "audience": "outside"}


@pytest.fixture
def school(tmp_path: Path) -> ReportSchool:
    found = ReportSchool(tmp_path)
    found.write(counted(EVENTS), [ServiceDay("2026-11-02", 1)])
    return found


@pytest.mark.parametrize("role", Role)
def test_a_report_for_outside_is_for_those_who_may_export_and_is_recorded(
    school: ReportSchool, role: Role
) -> None:
    if role in READERS[View.EXPORT]:
        assert school.report("2026-11", role).cells
        assert school.noted == [("export", "lan", ["2026-11-01", "2026-11-30"])]
        return
    with pytest.raises(ControlError, match="filterd-principal"):
        school.report("2026-11", role)
    assert school.noted == []


def test_what_cannot_be_recorded_is_not_shown(
    school: ReportSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: Any) -> None:
        raise StoreError(say("the disk is full"))

    monkeypatch.setattr(school, "note_view", refuse)
    with pytest.raises(StoreError):
        school.report("2026-11")
    assert not (school.folder / "published").exists()


@pytest.mark.parametrize("role", Role)
def test_everybody_gets_the_page_for_parents_which_has_no_figures_of_use(
    school: ReportSchool, role: Role
) -> None:
    facts = school.report("2026-11", role, audience="parents")
    assert (facts.cells, facts.left_out, school.noted) == ((), 0, [])
    assert facts.categories


@pytest.mark.parametrize("role", Role)
def test_inside_all_see_grades_and_administrators_classes(school: ReportSchool, role: Role) -> None:
    facts = school.report("2026-11", role, audience="inside")
    assert {one.grade for one in facts.cells} == {"", "6", "9"}
    classes = {one.class_id for one in facts.cells} - {""}
    assert bool(classes) is (role is Role.ADMIN)
    assert {one.grade for one in facts.cells if one.category == "self-harm"} == {""}


def test_a_report_of_a_class_is_for_administrators(school: ReportSchool) -> None:
    asked: dict[str, Any] = {"audience": "inside", "class": "6A"}
    assert school.report("2026-11", Role.ADMIN, **asked).scope == "6A"
    with pytest.raises(ControlError, match="classes of today only"):
        school.report("2026-11", Role.TEACHER, **asked)
    for role in (Role.READER, Role.PRINCIPAL, Role.INSPECTOR):
        with pytest.raises(ControlError, match="the totals of a class"):
            school.report("2026-11", role, **asked)
    assert school.report("2026-11", Role.TEACHER, audience="inside", grade="6").scope == "6"


@pytest.mark.parametrize("audience", ["outside", "parents"])
@pytest.mark.parametrize("key", ["class", "grade"])
def test_what_leaves_the_school_is_of_no_class_and_no_grade(
    school: ReportSchool, audience: str, key: str
) -> None:
    with pytest.raises(ControlError, match="only a report for inside"):
        school.report("2026-11", Role.ADMIN, audience=audience, **{key: "6"})


@pytest.mark.parametrize(("key", "word"), [("class", "6Z"), ("grade", "13")])
def test_a_class_or_grade_that_is_not_known_is_refused(
    school: ReportSchool, key: str, word: str
) -> None:
    with pytest.raises(ConfigError, match="not known here"):
        school.report("2026-11", Role.ADMIN, audience="inside", **{key: word})


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "decade"},
        {"first": "2026-11-31"},
        {"last": None},
        {"last": 20_261_130},
        {"audience": "everybody"},
        {"class": ["6A"]},
        {"grade": "6" * 65},
    ],
)
def test_what_is_no_report_is_refused(school: ReportSchool, wrong: dict[str, Any]) -> None:
    with pytest.raises(ControlError, match="`report-facts` wants"):
        school.ask("report-facts", Role.ADMIN, **{**MONTH, **wrong})


@pytest.mark.parametrize(
    ("period", "problem"),
    [
        ({"last": "2027-01-12"}, "not over"),
        ({"first": "2026-12-01"}, "1 to 400 days"),
        ({"first": "2025-01-01"}, "1 to 400 days"),
    ],
)
def test_days_that_are_not_over_or_too_many_are_refused(
    school: ReportSchool, period: dict[str, str], problem: str
) -> None:
    with pytest.raises(ConfigError, match=problem):
        school.ask("report-facts", Role.ADMIN, **{**MONTH, **period})


def test_a_period_is_by_the_time_of_the_gateway(school: ReportSchool) -> None:
    assert school.ask("report-period", Role.READER, text="month") == {
        "kind": "month",
        "first": "2026-12-01",
        "last": "2026-12-31",
        "id": "",
    }
    assert school.ask("report-period", Role.READER, text="term")["id"] == "hoc-ky-2"
    with pytest.raises(ControlError, match="wants text"):
        school.ask("report-period", Role.READER, text=7)
    with pytest.raises(ConfigError, match="not a period"):
        school.ask("report-period", Role.READER, text="fortnight")


def test_while_the_time_is_not_known_there_is_no_report(
    school: ReportSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = school.classroom(None)._replace(now=None)
    monkeypatch.setattr(school, "classroom", lambda _: room)
    with pytest.raises(ControlError, match="the time is not known"):
        school.ask("report-period", Role.ADMIN, text="month")


def test_a_damaged_file_of_what_was_published_makes_no_report(school: ReportSchool) -> None:
    before = school.report("2026-11")
    path = school.folder / "published" / "2026-11.filterd"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(StoreError, match="may differ from an earlier one"):
        school.report("2026-11")
    assert before.cells
    assert published_totals.load(school.folder / "published", "2026-12").periods == {}
