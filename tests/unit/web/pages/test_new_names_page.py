# SPDX-License-Identifier: Apache-2.0
"""Tests for filterd.web.pages.new_names_page."""

from __future__ import annotations

from typing import Any

from filterd.web.pages.new_names_page import PAGE
from tests.support.made_answers import SCOPE
from tests.support.rendered import a_visitor, rendered

ROW = {"tier": "lower-secondary", "name": "new.example", "category": "", "devices": 5}


def _shown(**more: Any) -> str:
    told = {"rows": [ROW], "n": 1, **SCOPE, "day": "2025-12-01", "compared": 7, **more}
    return rendered(PAGE, a_visitor({"log new": told}))


def test_a_new_name_leads_to_what_is_known_of_it() -> None:
    shown = _shown()

    assert "1 name new, compared with 7 days" in shown
    assert '<a href="/why?name=new.example">new.example</a>' in shown


def test_without_a_day_before_that_is_told() -> None:
    assert "no day before to compare them with" in _shown(compared=0)


def test_more_names_than_are_shown_have_a_link() -> None:
    assert "Show more" in _shown(n=1000)
    assert "Show more" not in _shown()
