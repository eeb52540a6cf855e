# SPDX-License-Identifier: Apache-2.0
"""Tests for filterd.web.pages.lookup_page."""

from __future__ import annotations

from typing import Any

from filterd.i18n import UNSAID, say, to_plain
from filterd.web.pages.lookup_page import PAGE
from tests.support.made_answers import LOOKUP, explained
from tests.support.rendered import a_visitor, rendered


def _shown(then: Any, why: str = UNSAID, **row: Any) -> str:
    told = {"row": LOOKUP | row, "then": then, "problem": str(why), "sentence": to_plain(why)}
    return rendered(PAGE, a_visitor({"log why": told}), id=LOOKUP["id"])


def test_a_lookup_is_shown_with_what_was_in_force_then() -> None:
    shown = _shown(explained())

    assert "By what was in force then" in shown
    assert "tiktok.com" in shown
    assert '<a class="button" href="/why?name=www.tiktok.com&amp;whom=class%3A6A">' in shown


def test_a_decision_that_would_differ_today_is_told() -> None:
    assert "That differs" in _shown(explained(action="pass", reason="not-listed"))


def test_why_the_past_is_not_known_is_told() -> None:
    assert "is not known" in _shown(None, say("the policy of {told} is not known", told="then"))
