# SPDX-License-Identifier: Apache-2.0
"""Tests for filterd.web.pages.class_names_page."""

from __future__ import annotations

from typing import Any

from filterd.overrides.roles import Role
from filterd.web.pages.class_names_page import PAGE
from tests.support.made_answers import IDS
from tests.support.rendered import a_visitor, rendered

NAMES: dict[str, Any] = {
    "day": "2025-12-01",
    "class": "6A",
    "level": "blocked",
    "least_devices": 5,
    "rows": [{"name": "games.example", "category": "games", "action": "blocked"}],
}


def _shown(*classes: str, chosen: str = "", **more: Any) -> tuple[str, list[str]]:
    visitor = a_visitor({"ids": IDS, "log class": NAMES | more}, Role.TEACHER)
    visitor.classes = frozenset(classes)
    shown = rendered(PAGE, visitor, **({"class": chosen} if chosen else {}))
    return shown, [one for one, _ in visitor.asked]


def test_the_only_class_of_a_teacher_is_shown_at_once() -> None:
    shown, _ = _shown("6A")

    assert '<a href="/why?name=games.example&amp;whom=class%3A6A">games.example</a>' in shown
    assert "fewer than 5 devices" in shown


def test_a_teacher_chooses_among_own_classes_alone() -> None:
    shown, asked = _shown("6A", "6B")

    assert '<option value="6B">' in shown
    assert "9A" not in shown
    assert asked == ["ids"]  # nothing is read, so nothing is recorded, before a class is chosen


def test_a_teacher_without_a_class_is_told_so() -> None:
    assert "You have no class at present." in _shown()[0]


def test_a_level_that_keeps_no_names_is_told() -> None:
    assert "keeps no names" in _shown("6A", level="counts", rows=[])[0]


def test_an_administrator_has_all_classes() -> None:
    shown = rendered(PAGE, a_visitor({"ids": IDS}))

    assert all(f'<option value="{one}">' in shown for one in IDS["classes"])
