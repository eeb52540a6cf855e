# SPDX-License-Identifier: Apache-2.0
"""The page of the history has each change, what undid it, and whether it was altered."""

from __future__ import annotations

from typing import Any

import pytest

from filterd.overrides.roles import Role
from filterd.policy.temporary_rules import LogSetting
from filterd.web.pages.history_page import PAGE
from tests.support.rendered import a_visitor, rendered
from tests.support.school_answers import HOSTILE, NOW, school_answers

SET = {"exams": [{"room": "lab", "names": [], "services": ["chat"], "ends_at": NOW}]}


def _row(number: int, kind: str = "exam", author: str = "web:lan", **more: Any) -> dict[str, Any]:
    made = {"number": number, "at": NOW, "author": author, "kind": kind, "reason": HOSTILE}
    return {**made, "payload": {}, "before": {}, "after": SET, **more}


ROWS = [
    _row(4, "undo", payload={"number": 1}),
    _row(3, author="minh"),
    _row(2),
    _row(1),
]
FULL = LogSetting(7, "primary", "full", HOSTILE, "web:quan-tri", NOW, NOW + 3600)
INTACT = {"ok": True, "first_bad": None, "sentence": ["", {}], "altered": []}


def _shown(*roles: Role, verified: dict[str, Any] | None = None, **query: str) -> str:
    answers = school_answers(log_settings=(FULL,))
    answers |= {"history": ROWS, "history-verify": {**INTACT, **(verified or {})}}
    return rendered(PAGE, a_visitor(answers, *roles), **query)


def test_a_reader_sees_who_did_what_and_why() -> None:
    shown = _shown(Role.READER)
    assert "exam in room lab" in shown
    assert HOSTILE not in shown
    assert 'action="/do/' not in shown


def test_a_teacher_undoes_own_changes_that_still_count() -> None:
    shown = _shown(Role.TEACHER)
    assert [f'aria-label="Undo change {n}"' in shown for n in (1, 2, 3, 4)] == [
        False,
        True,
        False,
        True,
    ]
    assert "is undone" in shown


def test_an_administrator_undoes_those_of_others() -> None:
    assert 'aria-label="Undo change 3"' in _shown(Role.ADMIN)


@pytest.mark.parametrize(("role", "may"), [(Role.PRINCIPAL, True), (Role.TEACHER, False)])
def test_a_principal_confirms_what_waits_for_a_second_person(role: Role, *, may: bool) -> None:
    shown = _shown(role)
    assert ("log level full for primary" in shown) is may
    assert ('action="/do/confirmLogLevel"' in shown) is may


def test_views_are_asked_for() -> None:
    visitor = a_visitor({**school_answers(), "history": ROWS})
    rendered(PAGE, visitor, views="on")
    assert visitor.asked[0][1]["views"] is True


@pytest.mark.parametrize(
    ("verified", "told"),
    [
        ({}, "The history is intact"),
        ({"ok": False, "first_bad": 2, "sentence": ["wrong", {}]}, "from change 2 on: wrong"),
        ({"ok": False, "altered": ["x.filterd"]}, "the one before is not: x.filterd"),
    ],
)
def test_the_whole_history_is_checked(verified: dict[str, Any], told: str) -> None:
    assert told in _shown(verified=verified, verify="on")
