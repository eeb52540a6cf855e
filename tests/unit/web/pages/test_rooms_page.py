# SPDX-License-Identifier: Apache-2.0
"""The pages of rooms, of one room, and of devices."""

from __future__ import annotations

from typing import Any

from filterd.overrides.rights.roles import Role
from filterd.web.pages.rooms_page import DEVICES_PAGE, ROOM_PAGE, ROOMS_PAGE
from tests.support.rendered import a_visitor, rendered
from tests.support.school_answers import HOSTILE, NOW, school_answers
from tests.support.week import a_school, an_exam


def _shown(*roles: Role, answers: dict[str, Any] | None = None, **query: str) -> str:
    made = answers or school_answers(exams=(an_exam(reason=HOSTILE),))
    return rendered(ROOMS_PAGE, a_visitor(made, *roles, now=NOW), **query)


def test_a_room_has_its_class_and_leads_to_its_page() -> None:
    shown = _shown(Role.READER)
    assert '<a href="/rooms/lab">' in shown
    assert "exam 9" in shown
    assert HOSTILE not in shown
    assert 'action="/do/' not in shown


def test_a_network_that_is_no_room_is_shown_on_demand() -> None:
    assert "/rooms/office" not in _shown()
    assert "/rooms/office" in _shown(all="on")


def test_a_teacher_may_end_an_exam() -> None:
    assert 'aria-label="End exam 9"' in _shown(Role.TEACHER)


def test_a_school_without_exams_has_a_line_for_it() -> None:
    assert "There are no exams." in _shown(answers=school_answers(a_school()))


def _shown_room(*roles: Role, query: dict[str, str] | None = None, **answers: Any) -> str:
    visitor = a_visitor(school_answers() | answers, *roles, now=NOW)
    return rendered(ROOM_PAGE, visitor, room="lab", **(query or {}))


def test_a_reader_sees_the_timetable_and_no_form() -> None:
    shown = _shown_room(Role.READER)
    assert '<th scope="row">tiet-1</th><td>6A</td>' in shown
    assert 'action="/do/' not in shown


def test_a_teacher_sets_the_class_and_exams_and_learns_no_devices() -> None:
    shown = _shown_room(Role.TEACHER)
    for name in ("setRoom", "startExam", "watchExam"):
        assert f'action="/do/{name}"' in shown
    assert "watchRoom" not in shown


def test_names_of_a_trial_run_are_those_of_the_exam_but_blocked_ones() -> None:
    found = {"registrable": None, "times": 2}
    names = [
        {"name": HOSTILE, "blocked": False, **found},
        {"name": "ads.example", "blocked": True, **found},
    ]
    shown = _shown_room(Role.TEACHER, query={"trial": "on"}, **{"exam-names": {"names": names}})
    assert HOSTILE not in shown
    assert "&lt;script&gt;" in shown
    assert "ads.example" not in shown


def test_devices_that_appear_are_learned_by_an_administrator() -> None:
    seen = {"devices": [{"mac": "02:00:5e:00:00:09", "address": "192.0.2.9", "name": HOSTILE}]}
    shown = _shown_room(Role.ADMIN, query={"learn": "on"}, **{"room-seen": seen})
    assert "02:00:5e:00:00:09" in shown
    assert HOSTILE not in shown
    assert 'action="/do/learnRoom"' in shown


UNKNOWN: dict[str, Any] = {
    "mac": "02:00:5e:00:00:01",
    "name": "",
    "host": HOSTILE,
    "maker": "",
    "is_random": False,
    "is_here": True,
    "addresses": ["192.0.2.7"],
    "network": None,
    "grade": None,
    "class": None,
}
KNOWN = {**UNKNOWN, "mac": "02:00:5e:00:00:02", "network": "lab", "grade": "6", "class": "6A"}


def _shown_devices(*roles: Role, **query: str) -> str:
    answers = school_answers() | {"devices": [UNKNOWN, KNOWN], "nat-seen": []}
    return rendered(DEVICES_PAGE, a_visitor(answers, *roles), **query)


def test_a_teacher_reads_them_and_hostile_names_are_escaped() -> None:
    shown = _shown_devices(Role.TEACHER)
    assert "Devices that are in no network: 1." in shown
    assert HOSTILE not in shown
    assert 'action="/do/' not in shown
    assert DEVICES_PAGE.roles == {Role.TEACHER, Role.ADMIN}


def test_an_administrator_names_and_assigns() -> None:
    shown = _shown_devices(Role.ADMIN)
    for name in ("nameDevice", "assignDevices", "unassignDevices"):
        assert shown.count(f'action="/do/{name}"') == 2
    assert '<option value="class:6A" selected>' in shown


def test_shared_addresses_are_shown_while_they_are_searched() -> None:
    assert "No address is shared" not in _shown_devices(Role.ADMIN)
    assert "No address is shared" in _shown_devices(Role.ADMIN, shared="on")


def test_they_are_searched() -> None:
    shown = _shown_devices(Role.ADMIN, q="6a")
    assert KNOWN["mac"] in shown
    assert UNKNOWN["mac"] not in shown
