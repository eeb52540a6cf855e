# SPDX-License-Identifier: Apache-2.0
"""Tests for filterd.web.pages.lookups_page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from filterd.errors import ControlError
from filterd.i18n import say
from filterd.overrides.roles import Role
from filterd.web import page_renderer, page_templates
from filterd.web.pages.lookups_page import PAGE
from tests.support.made_answers import FOUND, IDS, LOOKUP, SCOPE, a_policy_text
from tests.support.rendered import a_visitor, rendered

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.rendered import MadeVisitor

TOP = {**SCOPE, "rows": [{"n": 9, "blocked": 9, "name": "games.example", "category": "games"}]}


def _visitor(**found: Any) -> MadeVisitor:
    answers = {"ids": IDS, "policy": a_policy_text(), "log search": {**FOUND, **found}}
    return a_visitor({**answers, "log top": TOP})


def _asked(visitor: MadeVisitor, command: str) -> dict[str, Any]:
    return next(given for one, given in visitor.asked if one == command)


def test_a_lookup_leads_to_its_reason() -> None:
    shown = rendered(PAGE, _visitor())

    assert '<a href="/lookups/rows/2025-12-01T13%3A30%3A00.0">13:30</a>' in shown
    assert "www.tiktok.com" in shown


def test_the_level_of_each_tier_is_told_in_words() -> None:
    shown = rendered(PAGE, _visitor())

    assert "lower secondary: a row for each blocked lookup" in shown
    assert "staff: numbers only, no names (level counts)" in shown


def test_filters_reach_the_manager_as_it_takes_them() -> None:
    visitor = _visitor()

    rendered(
        PAGE, visitor, name="tiktok", match="part", whom="class:6A", action="blocked", days="7"
    )

    assert _asked(visitor, "log search") == {
        "part": "tiktok",
        "class": "6A",
        "action": "blocked",
        "days": 7,
    }


def test_the_most_frequent_names_are_a_choice_of_the_same_page() -> None:
    visitor = _visitor()

    shown = rendered(PAGE, visitor, show="top", tier="lower-secondary")

    assert '<a href="/why?name=games.example">games.example</a>' in shown
    assert _asked(visitor, "log top") == {"tier": "lower-secondary", "days": 1}


def test_older_lookups_come_with_the_same_filters() -> None:
    shown = rendered(PAGE, _visitor(cursor="2025-12-01T08:00:00.1"), action="blocked")

    assert "action=blocked" in shown
    assert "cursor=2025-12-01T08%3A00%3A00.1" in shown


def test_a_wrong_name_is_told_and_the_form_stays_as_it_was() -> None:
    shown = rendered(PAGE, _visitor(), name="..", match="exact", days="30")

    assert 'role="alert"' in shown
    assert 'value=".."' in shown
    assert '<option value="30" selected>' in shown


def test_a_refusal_of_the_manager_is_told() -> None:
    def refuse(**_: Any) -> Any:
        raise ControlError(say("'6Z' is not known here"))

    visitor = _visitor()
    visitor.answers["log search"] = refuse

    assert "is not known here" in rendered(PAGE, visitor, whom="class:6Z")


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", '"><img src=x>', "a" * 253])
def test_hostile_names_are_shown_as_text(name: str) -> None:
    shown = rendered(PAGE, _visitor(rows=[LOOKUP | {"name": name}]), name=name)

    assert "<script>alert" not in shown
    assert "<img src=x" not in shown


def test_control_without_escaping_a_hostile_name_is_markup(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    name = "<script>alert(1)</script>"
    unescaping = page_templates.templates(tmp_path)
    unescaping.autoescape = False
    monkeypatch.setattr(page_renderer, "templates", lambda: unescaping)

    assert name in rendered(PAGE, _visitor(rows=[LOOKUP | {"name": name}]))


def test_only_those_who_may_read_lookups_have_the_page() -> None:
    assert frozenset((Role.ADMIN,)) == PAGE.roles
