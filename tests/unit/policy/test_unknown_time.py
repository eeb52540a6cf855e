# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from math import inf

import pytest

from filterd.policy.log_levels import LogLevel
from filterd.policy.model import (
    Audience,
    Holiday,
    Network,
    Period,
    Policy,
    Schedule,
    Scheduled,
    Window,
)
from filterd.policy.temporary_rules import (
    Exam,
    GradeSetting,
    LocalException,
    LogSetting,
    Overrides,
    RoomSetting,
    TargetKind,
)
from filterd.policy.unknown_time import (
    LATEST,
    UNCONFIRMED_S,
    UNKNOWN_BEFORE,
    UNKNOWN_LEAD_S,
    Certainty,
    is_known,
    known_or_least,
    undated,
    without_dates,
)
from filterd.version import RELEASED_AT
from tests.support.policies import NOW, a_policy, allow, block
from tests.support.week import ALL_DAYS, timetabled

BLOCK = LocalException(
    1, TargetKind.NAME, "a.example", False, Audience.EVERYBODY, "", "", "lan", NOW, NOW + 60
)
ALLOW = replace(BLOCK, id=2, allow=True)
EXAM = Exam(3, "lab", ("b.example",), (), "", "lan", NOW, NOW + 60)

NO_DAY = frozenset[int]()

LAB = Network("lab", "6", ("192.0.2.0/24",), room=True)


def held(overrides: Overrides, floor: float) -> Overrides:
    return undated(a_policy(), overrides, UNKNOWN_LEAD_S, Certainty(floor)).overrides


def plain(policy: Policy, overrides: Overrides | None = None, floor: float = NOW) -> Policy:
    return undated(policy, overrides or Overrides(), UNKNOWN_LEAD_S, Certainty(floor)).policy


@pytest.mark.parametrize(
    ("now", "known"),
    [
        (-1e9, True),  # a clock before 1970 shows a time all the same
        (0.0, True),
        (NOW, True),
        (UNKNOWN_BEFORE, True),
        (UNKNOWN_BEFORE - 1, False),
        (UNKNOWN_LEAD_S, False),
        (UNKNOWN_LEAD_S + 100 * 366 * 86_400.0, False),  # an uptime of a century
    ],
)
def test_no_uptime_makes_an_unknown_time_known(now: float, known: bool) -> None:
    assert is_known(now) is known


def test_a_clock_is_trusted_for_twenty_years_after_the_release() -> None:
    assert 20 * 365 * 86_400 < LATEST - RELEASED_AT < 21 * 365 * 86_400


@pytest.mark.parametrize(("floor", "holds"), [(0.0, True), (NOW, True), (NOW + 60, False)])
def test_what_closes_holds_unless_it_had_ended(floor: float, holds: bool) -> None:
    effective = held(Overrides(exceptions=(BLOCK,), exams=(EXAM,)), floor)
    assert len(effective.exceptions) == len(effective.exams) == holds
    assert all(exception.starts_at == -inf for exception in effective.exceptions)
    assert all(exam.starts_at == -inf for exam in effective.exams)


@pytest.mark.parametrize(("floor", "holds"), [(NOW + 59, True), (NOW + 60, False)])
def test_what_closes_without_a_date_yet_holds_for_its_length(floor: float, holds: bool) -> None:
    closing = replace(BLOCK, for_s=60.0, ends_at=None)
    assert len(held(Overrides(exceptions=(closing,)), floor).exceptions) == holds


@pytest.mark.parametrize(
    ("allow", "floor", "holds"),
    [
        (ALLOW, NOW, False),
        (replace(ALLOW, ends_at=None), NOW, True),
        (replace(ALLOW, ends_at=None), NOW - 1, False),
    ],
)
def test_what_opens_holds_only_if_it_began_and_never_ends(
    allow: LocalException, floor: float, holds: bool
) -> None:
    assert bool(held(Overrides(exceptions=(allow,)), floor).exceptions) is holds


@pytest.mark.parametrize("of_site", [False, True])
@pytest.mark.parametrize(
    ("opens", "starts_at", "ends_at", "holds"),
    [
        (False, None, None, True),
        (False, NOW + 9, None, True),  # that day may have come
        (False, None, NOW + 1, True),
        (False, None, NOW, False),
        (False, NOW - 9, NOW - 1, False),
        (True, NOW, None, True),
        (True, NOW - 1, None, True),
        (True, NOW + 1, None, False),  # that day may not have come
        (True, NOW - 9, NOW + 9, False),
        (True, NOW - 9, NOW - 1, False),
    ],
)
def test_a_rule_holds_by_what_it_does_and_by_the_last_time_that_was_known(
    of_site: bool, opens: bool, starts_at: float | None, ends_at: float | None, holds: bool
) -> None:
    if of_site:
        rule = (allow if opens else block)("a.example", starts_at=starts_at, ends_at=ends_at)
        found = plain(a_policy(rules=[rule])).rules
        assert found == ((replace(rule, starts_at=None, ends_at=None),) if holds else ())
    else:
        begins = -inf if starts_at is None else starts_at
        one = replace(BLOCK, allow=opens, starts_at=begins, ends_at=ends_at)
        expected = (replace(one, starts_at=-inf, ends_at=None),) if holds else ()
        assert held(Overrides(exceptions=(one,)), NOW).exceptions == expected


def test_an_allow_of_the_site_without_dates_holds_and_a_suspended_entry_does_not() -> None:
    rule = allow("a.example")
    assert plain(a_policy(rules=[rule])).rules == (rule,)
    entry = replace(ALLOW, kind=TargetKind.ENTRY, ends_at=None)
    assert held(Overrides(exceptions=(entry,)), NOW).exceptions == ()


@pytest.mark.parametrize(
    ("opens", "starts_at", "holds"),
    [
        (True, NOW - 1, True),
        (True, NOW, True),
        (True, NOW + 1, False),
        (False, NOW - 1, True),
        (False, NOW, True),
        (False, NOW + 1, True),
    ],
)
def test_a_grade_is_opened_only_from_a_day_that_has_come_and_closed_from_any(
    opens: bool, starts_at: float, holds: bool
) -> None:
    setting = GradeSetting(1, "6", TargetKind.CATEGORY, "games", opens, "", "lan", starts_at)
    expected = (replace(setting, starts_at=-inf),) if holds else ()
    assert held(Overrides(grades=(setting,)), NOW).grades == expected


def test_a_schedule_closes_and_does_not_open() -> None:
    closing = Scheduled("a", opens=False, kind="category", target="games")
    found = plain(replace(a_policy(), scheduled=(closing, replace(closing, opens=True))))
    assert found.scheduled == (closing,)


@pytest.mark.parametrize(
    ("opens", "day", "holds"),
    [
        (False, ALL_DAYS, True),
        (True, ALL_DAYS, True),
        (False, NO_DAY, False),
        (True, NO_DAY, False),
    ],
)
def test_a_schedule_whose_state_is_certain_is_followed(
    opens: bool, day: frozenset[int], holds: bool
) -> None:
    one = Scheduled("a", opens=opens, kind="category", target="games")
    other = Schedule("b", ())
    schedule = Schedule("a", (Window(day, 0, 86_400),))
    school = replace(a_policy(), schedules=(other, schedule), scheduled=(one,))
    now = NOW + UNCONFIRMED_S
    assert undated(school, Overrides(), now, Certainty(NOW)).policy.scheduled == (one,) * holds


def test_lessons_and_holidays_are_not_known_and_what_commands_set_is_applied() -> None:
    setting = LogSetting(1, "", LogLevel.OFF, "", "lan", NOW)
    overrides = Overrides(
        rooms=(RoomSetting(2, "lab", "9", "", "lan", NOW),), log_settings=(setting,)
    )
    school = timetabled(holidays=(Holiday("2026-03-02", "2026-03-02", "Lễ", "Day off"),))
    found, said, _ = undated(school, overrides, UNKNOWN_LEAD_S, Certainty(NOW))
    assert (found.lessons, found.holidays) == ((), ())
    assert {found.log.level_of(grade.tier) for grade in found.grades.values()} == {LogLevel.OFF}
    assert (said.rooms, said.log_settings) == ((), ())


def _in_room(grade: str, starts_at: float, ends_at: float | None = None, **how: str) -> RoomSetting:
    return RoomSetting(1, how.get("room", "lab"), grade, "", "lan", starts_at, ends_at)


@pytest.mark.parametrize(
    ("settings", "may_be"),
    [
        ((), ("7", "8")),
        # One that has an end may have ended, so the timetable counts too.
        ((_in_room("9", NOW - 9, NOW + 1),), ("9", "7", "8")),
        ((_in_room("9", NOW - 9, NOW),), ("7", "8")),  # it had ended
        # One without an end that had begun counts alone; one that begins later may not hold yet.
        ((_in_room("9", NOW),), ("9",)),
        ((_in_room("9", NOW + 1),), ("9", "7", "8")),
        ((_in_room("9", NOW - 9), _in_room("5", NOW - 9)), ("5",)),  # the newest
        ((_in_room("9", NOW - 9), _in_room("5", NOW - 9, NOW + 9)), ("5", "9")),
        ((_in_room("9", NOW + 9), _in_room("5", NOW + 9, NOW + 99)), ("5", "9", "7", "8")),
        ((_in_room("7", NOW - 9, NOW + 9),), ("7", "8")),  # each grade once
        ((_in_room("9", NOW - 9, room="office"),), ("7", "8")),
        ((_in_room("unheard", NOW - 9),), ("7", "8")),  # the site has no such grade any more
    ],
)
def test_a_room_may_have_each_grade_of_its_timetable_and_of_settings_that_may_hold(
    settings: tuple[RoomSetting, ...], may_be: tuple[str, ...]
) -> None:
    lessons = tuple(Period(day, "tiet-1", grade) for day, grade in enumerate(("7", "8", "7")))
    numbered = tuple(replace(setting, id=number) for number, setting in enumerate(settings, 1))
    school = a_policy(networks=[replace(LAB, timetable=lessons)])
    (room,) = plain(school, Overrides(rooms=numbered)).networks
    assert room.timetable == tuple(Period(0, "", grade) for grade in may_be)


def test_a_room_without_a_timetable_has_its_own_grade_or_one_that_was_set() -> None:
    school = a_policy(networks=[LAB])
    assert plain(school).networks == (LAB,)
    may_end = Overrides(rooms=(_in_room("9", NOW - 9, NOW + 9),))
    (room,) = plain(school, may_end).networks
    assert [one.grade for one in room.timetable] == ["9", "6"]
    for_good = Overrides(rooms=(_in_room("9", NOW - 9),))
    (room,) = plain(school, for_good).networks
    assert [one.grade for one in room.timetable] == ["9"]


def test_of_two_exams_in_a_room_the_first_holds() -> None:
    later = replace(EXAM, id=4, starts_at=NOW + 30, ends_at=NOW + 90)
    assert [exam.id for exam in held(Overrides(exams=(later, EXAM)), NOW).exams] == [3]
    assert [exam.id for exam in held(Overrides(exams=(later, EXAM)), NOW + 60).exams] == [4]
    elsewhere = replace(later, room="hall")
    assert [exam.id for exam in held(Overrides(exams=(EXAM, elsewhere)), NOW).exams] == [3, 4]
    same_time = replace(EXAM, id=2)
    assert [exam.id for exam in held(Overrides(exams=(EXAM, same_time)), NOW).exams] == [2]
    (only,) = held(Overrides(exams=(EXAM,)), NOW).exams
    assert only == replace(EXAM, starts_at=-inf, ends_at=inf)


def test_until_it_is_dated_what_closes_holds_and_what_opens_does_not() -> None:
    waits = Overrides(exceptions=(replace(BLOCK, for_s=60.0), replace(ALLOW, for_s=60.0)))
    (one,) = without_dates(waits).exceptions
    assert (one.id, one.starts_at, one.ends_at) == (1, -inf, None)
    dated = Overrides(exceptions=(BLOCK, ALLOW))
    assert without_dates(dated) is dated


def test_until_they_are_dated_an_exam_is_on_and_no_room_changes() -> None:
    room = _in_room("9", NOW)
    waits = Overrides(
        exceptions=(ALLOW,),
        exams=(EXAM, replace(EXAM, id=4, for_s=60.0)),
        rooms=(room, replace(room, id=5, for_s=60.0)),
    )
    found = without_dates(waits)
    assert found.exceptions == (ALLOW,)
    assert found.exams == (EXAM, replace(EXAM, id=4, for_s=60.0, starts_at=-inf, ends_at=inf))
    assert found.rooms == (room,)


@pytest.mark.parametrize(
    "waits",
    [
        Overrides(exceptions=(replace(ALLOW, for_s=60.0),)),
        Overrides(exams=(replace(EXAM, for_s=60.0),)),
        Overrides(rooms=(replace(_in_room("9", NOW), for_s=60.0),)),
    ],
)
def test_one_that_waits_for_a_date_is_enough(waits: Overrides) -> None:
    assert without_dates(waits) != waits


@pytest.mark.parametrize(("policy_time", "shown"), [(None, 5.0), (0.0, 0.0), (9.0, 9.0)])
def test_without_a_time_the_last_known_one_counts(policy_time: float | None, shown: float) -> None:
    assert known_or_least({"policy_time": policy_time, "floor": 5}) == shown
