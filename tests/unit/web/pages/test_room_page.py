# SPDX-License-Identifier: Apache-2.0
"""The page of a room has its timetable, and what each role may do there."""

from __future__ import annotations

from typing import Any

from filterd.overrides.roles import Role
from filterd.web.pages.room_page import PAGE
from tests.support.rendered import a_visitor, rendered
from tests.support.school_answers import HOSTILE, NOW, school_answers


def _shown(*roles: Role, query: dict[str, str] | None = None, **answers: Any) -> str:
    visitor = a_visitor(school_answers() | answers, *roles, now=NOW)
    return rendered(PAGE, visitor, room="lab", **(query or {}))


def test_a_reader_sees_the_timetable_and_no_form() -> None:
    shown = _shown(Role.READER)
    assert '<th scope="row">tiet-1</th><td>6A</td>' in shown
    assert 'action="/do/' not in shown


def test_a_teacher_sets_the_class_and_exams_and_learns_no_devices() -> None:
    shown = _shown(Role.TEACHER)
    for name in ("setRoom", "startExam", "watchExam"):
        assert f'action="/do/{name}"' in shown
    assert "watchRoom" not in shown


def test_names_of_a_trial_run_are_those_of_the_exam_but_blocked_ones() -> None:
    found = {"registrable": None, "times": 2}
    names = [
        {"name": HOSTILE, "blocked": False, **found},
        {"name": "ads.example", "blocked": True, **found},
    ]
    shown = _shown(Role.TEACHER, query={"trial": "on"}, **{"exam-names": {"names": names}})
    assert HOSTILE not in shown
    assert "&lt;script&gt;" in shown
    assert "ads.example" not in shown


def test_devices_that_appear_are_learned_by_an_administrator() -> None:
    seen = {"devices": [{"mac": "02:00:5e:00:00:09", "address": "192.0.2.9", "name": HOSTILE}]}
    shown = _shown(Role.ADMIN, query={"learn": "on"}, **{"room-seen": seen})
    assert "02:00:5e:00:00:09" in shown
    assert HOSTILE not in shown
    assert 'action="/do/learnRoom"' in shown
