# SPDX-License-Identifier: Apache-2.0
"""The grade of a room, and its devices; ``test_moment`` plays its days."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import pytest

from filterd.policy.calendar import Calendar
from filterd.policy.model import Network
from filterd.policy.room_grades import Rooms, Seat, Why, with_devices
from filterd.policy.temporary_rules import Overrides, RoomDevices, RoomSetting
from filterd.policy.timetable import DAY_S, Holiday, Lesson, Period
from tests.support.policies import a_grade, a_policy

MONDAY = 1_772_384_400.0
"""Monday 2026-03-02, 00:00 in Vietnam."""

LESSONS = (Lesson("tiet-1", 25_200, 27_900),)
LAB = Network("lab", "staff", timetable=(Period(0, "tiet-1", "6"), Period(1, "tiet-1", "9")))


def seat(
    network: Network,
    *settings: RoomSetting,
    now: float,
    holidays: tuple[Holiday, ...] = (),
    **grades: str,
) -> Seat:
    """Return who sits in a network; ``grades`` have something more closed, as ``g6="games"``."""
    policy = replace(a_policy(networks=[network]), lessons=LESSONS, holidays=holidays)
    effective = dict(policy.grades)
    for key, closed in grades.items():
        effective[key[1:]] = a_grade(key[1:], also_closed=closed.split())
    rooms = Rooms(policy, Overrides(rooms=settings), Calendar(policy.time_zone), now)
    return rooms.seat(network, effective)


def test_a_network_that_is_no_room_keeps_its_grade() -> None:
    found = seat(Network("office", "staff"), now=MONDAY)
    assert (found.grade, found.why, found.span.until) == ("staff", Why.OWN, inf)


def test_a_room_with_unknown_grades_in_its_timetable_keeps_its_own() -> None:
    room = replace(LAB, timetable=(Period(0, "tiet-1", "44"),))
    assert seat(room, now=MONDAY + 25_200).why is Why.OWN


@pytest.mark.parametrize(
    ("closed", "strictest"), [("", "6"), ("ads-trackers games social-media", "9")]
)
def test_between_lessons_it_is_the_strictest_as_grades_are_at_the_moment(
    closed: str, strictest: str
) -> None:
    assert seat(LAB, now=MONDAY, g9=closed).grade == strictest


@pytest.mark.parametrize(("on_holidays", "why"), [(False, Why.BETWEEN), (True, Why.LESSON)])
def test_a_room_has_no_lessons_on_a_holiday_unless_the_site_says_so(
    on_holidays: bool, why: Why
) -> None:
    room = replace(LAB, on_holidays=on_holidays)
    holiday = Holiday("2026-03-03", "2026-03-03", "Nghỉ", "Day off")
    of_grade_9 = MONDAY + DAY_S + 25_200
    found = seat(room, now=of_grade_9, holidays=(holiday,))
    assert (found.why, found.grade) == (why, "9" if on_holidays else "6")
    assert seat(room, now=of_grade_9).why is Why.LESSON
    assert seat(room, now=of_grade_9 + 7 * DAY_S, holidays=(holiday,)).why is Why.LESSON


def test_the_newest_setting_that_is_in_force_counts() -> None:
    settings = [
        RoomSetting(3, "lab", "1", "", "", MONDAY + 60, MONDAY + 120),
        RoomSetting(2, "lab", "2", "", "", MONDAY, None),
        RoomSetting(1, "lab", "3", "", "", MONDAY, None),
        RoomSetting(4, "other", "4", "", "", MONDAY, None),
    ]
    found = [seat(LAB, *settings, now=MONDAY + later) for later in (-1, 0, 60, 120)]
    assert [one.grade for one in found] == ["6", "2", "1", "2"]
    assert [one.span.until - MONDAY for one in found] == [0, 60, 120, inf]


def test_a_device_stands_where_it_was_learned_last_and_nowhere_else() -> None:
    networks = [Network("a", "6", macs=("1", "2")), Network("b", "9", macs=("3",))]
    devices = (RoomDevices("a", ("3", "4")), RoomDevices("b", ("4",)), RoomDevices("gone", ("3",)))
    found = with_devices(a_policy(networks=networks), Overrides(devices=devices))
    assert [one.macs for one in found] == [("3",), ("4",)]


def test_a_learned_device_leaves_the_network_of_the_files() -> None:
    networks = [Network("a", "6"), Network("b", "9", macs=("3",))]
    found = with_devices(
        a_policy(networks=networks), Overrides(devices=(RoomDevices("a", ("3",)),))
    )
    assert [one.macs for one in found] == [("3",), ()]


def test_without_learned_devices_networks_stay_as_they_are() -> None:
    policy = a_policy(networks=[LAB])
    assert with_devices(policy, Overrides()) is policy.networks
