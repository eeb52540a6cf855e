# SPDX-License-Identifier: Apache-2.0
"""The pages of exceptions, of requests and of the history."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from filterd import control
from filterd.base.state_file import to_plain
from filterd.overrides.rights.roles import Role
from filterd.policy.model import Audience
from filterd.policy.temporary_rules import LogSetting
from filterd.texts.i18n import Texts
from filterd.web.operations.exception_operations import APPROVE
from filterd.web.page import PART_ROWS
from filterd.web.pages.exceptions_page import EXCEPTIONS_PAGE, HISTORY_PAGE, REQUESTS_PAGE
from filterd.web.visitor import Visitor
from tests.support.rendered import a_visitor, rendered
from tests.support.school_answers import HOSTILE, NOW, school_answers
from tests.support.week import SEVEN, an_exception
from tests.unit.overrides.test_review_requests import ONE

if TYPE_CHECKING:
    from pathlib import Path

LONG = ".".join(("a" * 63, "b" * 63, "c" * 63, "d" * 61))
OWN = an_exception(LONG, id=4, author="web:lan", audience=Audience.CLASS, whom="6A")
OTHER = an_exception("b.example", id=5, author="minh", reason=HOSTILE)
ENDED = an_exception("c.example", id=6, starts_at=SEVEN - 60, ends_at=SEVEN)


def _shown(*roles: Role, things: Any = (OWN, OTHER, ENDED), **query: str) -> str:
    visitor = a_visitor(school_answers(exceptions=things), *roles, now=NOW)
    return rendered(EXCEPTIONS_PAGE, visitor, **query)


@pytest.mark.parametrize("role", [Role.READER, Role.PRINCIPAL, Role.INSPECTOR])
def test_a_reader_sees_them_without_forms(role: Role) -> None:
    shown = _shown(role)
    assert LONG in shown
    assert 'action="/do/' not in shown


def test_a_teacher_ends_the_own_one_and_chooses_no_wide_audience() -> None:
    shown = _shown(Role.TEACHER)
    assert 'aria-label="End exception 4"' in shown
    assert 'aria-label="End exception 5"' not in shown
    assert 'value="class:6A"' in shown
    assert 'value="everybody"' not in shown


def test_an_administrator_ends_any_and_chooses_any_audience() -> None:
    shown = _shown(Role.ADMIN)
    assert 'aria-label="End exception 5"' in shown
    assert 'value="everybody"' in shown
    assert 'formaction="/do/block"' in shown


def test_ended_ones_are_shown_where_they_are_asked_for() -> None:
    assert "c.example" not in _shown()
    shown = _shown(all="on")
    assert "c.example" in shown
    assert 'aria-label="End exception 6"' not in shown


def test_reported_mistakes_are_there_with_what_the_centre_answers() -> None:
    answer = {"outcome": "refused", "version": 7, "reason": HOSTILE}
    row = {"number": 3, "at": NOW, "name": "uni.example", "reason": "x", "mended": False}
    row |= {"listed": [{"list": "feed-scam", "line": 4}], "answer": answer}
    answers = school_answers() | {"mistakes": [row]}
    shown = rendered(EXCEPTIONS_PAGE, a_visitor(answers, Role.READER, now=NOW))
    assert "feed-scam, line 4" in shown
    assert "refused by the centre: &lt;script&gt;" in shown
    assert "Reported mistakes of lists" not in _shown()


def test_they_are_searched_and_escaped() -> None:
    shown = _shown(q="B.EXAMPLE")
    assert "b.example" in shown
    assert LONG not in shown
    assert HOSTILE not in shown
    assert HOSTILE not in _shown(q=HOSTILE)


def test_two_thousand_have_parts() -> None:
    many = [an_exception(f"n{number}.example", id=number) for number in range(2_000)]
    shown = _shown(things=tuple(many))
    assert shown.count("End exception") == PART_ROWS
    assert f"1 to {PART_ROWS} of 2000" in shown


def test_a_school_without_any_has_a_line_for_it() -> None:
    assert "There are no exceptions." in _shown(things=())


def test_rows_have_their_class_and_lengths_are_terms(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ask(*_: Any, **__: Any) -> Any:
        return [to_plain(ONE) | {"id": 3}]

    monkeypatch.setattr(control, "ask", ask)

    async def load() -> dict[str, Any]:
        return await REQUESTS_PAGE.load(Visitor(tmp_path, texts=Texts("en")), {})

    shown = asyncio.run(load())
    assert shown["seats"] == {3: "class 6A"}
    for value, text in shown["lengths"]:
        assert text
        assert APPROVE.fields.read({"id": 3, "reason": "x", "term": value})["term"] == value


def test_it_is_for_roles_that_may_decide() -> None:
    assert REQUESTS_PAGE.roles == APPROVE.roles


SET = {"exams": [{"room": "lab", "names": [], "services": ["chat"], "ends_at": NOW}]}


def _row(number: int, kind: str = "exam", author: str = "web:lan", **more: Any) -> dict[str, Any]:
    made = {"number": number, "at": NOW, "author": author, "kind": kind, "reason": HOSTILE}
    return {**made, "payload": {}, "before": {}, "after": SET, **more}


CHANGES = [
    _row(4, "undo", payload={"number": 1}),
    _row(3, author="minh"),
    _row(2),
    _row(1),
]
FULL = LogSetting(7, "primary", "full", HOSTILE, "web:quan-tri", NOW, NOW + 3600)
INTACT = {"ok": True, "first_bad": None, "sentence": ["", {}], "altered": []}


def _shown_history(*roles: Role, verified: dict[str, Any] | None = None, **query: str) -> str:
    answers = school_answers(log_settings=(FULL,))
    answers |= {"history": CHANGES, "history-verify": {**INTACT, **(verified or {})}}
    return rendered(HISTORY_PAGE, a_visitor(answers, *roles), **query)


def test_a_reader_sees_author_change_and_reason() -> None:
    shown = _shown_history(Role.READER)
    assert "exam in room lab" in shown
    assert HOSTILE not in shown
    assert 'action="/do/' not in shown


def test_a_teacher_undoes_own_changes_that_still_count() -> None:
    shown = _shown_history(Role.TEACHER)
    assert [f'aria-label="Undo change {n}"' in shown for n in (1, 2, 3, 4)] == [
        False,
        True,
        False,
        True,
    ]
    assert "is undone" in shown


def test_an_administrator_undoes_those_of_others() -> None:
    assert 'aria-label="Undo change 3"' in _shown_history(Role.ADMIN)


@pytest.mark.parametrize(("role", "may"), [(Role.PRINCIPAL, True), (Role.TEACHER, False)])
def test_a_principal_confirms_what_waits_for_a_second_person(role: Role, *, may: bool) -> None:
    shown = _shown_history(role)
    assert ("log level full for primary" in shown) is may
    assert ('action="/do/confirmLogLevel"' in shown) is may


def test_views_are_asked_for() -> None:
    visitor = a_visitor({**school_answers(), "history": CHANGES})
    rendered(HISTORY_PAGE, visitor, views="on")
    assert visitor.asked[0][1]["views"] is True


@pytest.mark.parametrize(
    ("verified", "sentence"),
    [
        ({}, "The history is intact"),
        ({"ok": False, "first_bad": 2, "sentence": ["wrong", {}]}, "from change 2 on: wrong"),
        ({"ok": False, "altered": ["x.filterd"]}, "the one before is not: x.filterd"),
    ],
)
def test_the_whole_history_is_checked(verified: dict[str, Any], sentence: str) -> None:
    assert sentence in _shown_history(verified=verified, verify="on")
