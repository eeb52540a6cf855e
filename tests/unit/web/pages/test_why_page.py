# SPDX-License-Identifier: Apache-2.0
"""Tests for filterd.web.pages.why_page."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from filterd.overrides.rights.roles import Role
from filterd.web.operations.room_operations import ROOM_READ
from filterd.web.pages import why_page
from filterd.web.pages.why_page import PAGE
from tests.support.made_answers import IDS, explained
from tests.support.rendered import a_visitor, rendered

ASKED = {"name": "www.tiktok.com", "whom": "class:6A"}


def _shown(
    *roles: Role, found: dict[str, Any] | None = None, classes: Any = None, **query: str
) -> str:
    answers = dict.fromkeys(("check", "history-check"), found or explained())
    visitor = a_visitor({"ids": IDS, **answers}, *roles)
    visitor.classes = classes
    return rendered(PAGE, visitor, **{**ASKED, **query})


def _choices(shown: str, name: str) -> list[str]:
    (field,) = re.findall(rf'<select id="allow-{name}".*?</select>', shown, re.DOTALL)
    return re.findall(r'value="([^"]*)"', field)


def test_a_closed_name_is_explained_with_the_form_that_opens_it() -> None:
    shown = _shown()

    assert '<strong class="closed">closed</strong>' in shown
    assert "<button>Open it</button>" in shown
    assert 'action="/do/allow"' in shown
    assert _choices(shown, "targets") == ["service:tiktok", "www.tiktok.com"]
    assert _choices(shown, "for_whom")[:2] == ["class:6A", "grade:6"]
    assert _choices(shown, "term")[0] == "lesson"


def test_a_teacher_may_choose_own_classes_rooms_and_today_only() -> None:
    shown = _shown(Role.TEACHER, classes=frozenset({"6A", "6B"}))

    assert _choices(shown, "for_whom") == ["class:6A", "class:6B", "network:lab-a"]
    seven_days = str(7 * 86_400)
    assert seven_days not in _choices(shown, "term")
    assert seven_days in _choices(_shown(Role.ADMIN), "term")


def test_a_reader_has_no_form() -> None:
    assert 'action="/do/' not in _shown(Role.READER)


@pytest.mark.parametrize(
    "found",
    [
        explained(action="pass", reason="pinned"),
        explained(reason="locked", about={"ordered": True, "locked": True}),
        explained(reason="allow-only"),
    ],
    ids=["pinned", "by order", "exam"],
)
def test_what_no_exception_changes_has_no_form(found: dict[str, Any]) -> None:
    shown = _shown(found={**found, "about": None if found["about"] is None else ABOUT})

    assert 'action="/do/' not in shown


ABOUT: dict[str, Any] = {
    "id": "law-ordered",
    "name_vi": "Theo lệnh",
    "name_en": "By order",
    "min_age": None,
    "rating": "",
    "legal_basis": [],
    "ordered": True,
    "locked": True,
}


def test_an_open_name_has_the_form_that_closes_it() -> None:
    shown = _shown(found=explained(action="pass", reason="not-listed", list=None, entry=None))

    assert "<button>Close it</button>" in shown
    assert 'action="/do/block"' in shown
    assert 'action="/do/allow"' not in shown


def test_an_exception_that_decides_can_be_ended() -> None:
    local = explained(action="pass", reason="local", entry="exception:7", list=None)
    paused = explained(action="pass", reason="open", changed_by="pause:8")

    for found, number in ((local, 7), (paused, 8)):
        shown = _shown(found=found)
        assert 'action="/do/revoke"' in shown
        assert f'<input type="hidden" name="id" value="{number}">' in shown
    assert "/do/revoke" not in _shown(found=explained(changed_by="schedule:gio-hoc"))


def test_a_legal_order_is_shown_to_be_one() -> None:
    assert "no one at a school can open it" in _shown(found=explained(reason="locked", about=ABOUT))


def test_the_past_is_explained_without_the_form() -> None:
    shown = _shown(at="2025-11-28T07:30", found=explained(source="history"))

    assert "07:30 28/11/2025" in shown
    assert 'action="/do/' not in shown


def test_a_room_is_asked_as_the_class_in_it_now_and_opened_as_a_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def in_it(*_: Any) -> dict[str, Any]:
        return {"class": "6B", "grade": "6"}

    monkeypatch.setattr(why_page, "ROOM", replace(ROOM_READ, act=in_it))
    visitor = a_visitor({"ids": IDS, "check": explained(**{"class": "6B"})})

    shown = rendered(PAGE, visitor, name="www.tiktok.com", whom="network:lab-a")

    assert dict(visitor.asked)["check"]["grade"] == "6B"
    assert _choices(shown, "for_whom")[:2] == ["network:lab-a", "class:6B"]


def test_without_a_name_there_is_only_the_question() -> None:
    assert "closed</strong>" not in _shown(name="")


def test_a_text_that_is_no_name_is_reported_and_stays_in_the_form() -> None:
    shown = _shown(name="https://example.com/<script>")

    assert 'role="alert"' in shown
    assert "<script>" not in shown
