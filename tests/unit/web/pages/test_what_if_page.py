# SPDX-License-Identifier: Apache-2.0
"""The page of what would have changed, and the part of it in others."""

from __future__ import annotations

from typing import Any

from filterd.resolve.what_if import CLOSES, AskedPlace, DifferenceSums, NameDifference
from filterd.resolve.what_if_rows import ROWS, to_plain
from filterd.web.pages import site_page
from filterd.web.pages.what_if_page import PAGE
from tests.support.made_answers import SCOPE
from tests.support.policies import wire
from tests.support.rendered import a_visitor, rendered


def _shown(told: dict[str, Any]) -> str:
    return rendered(PAGE, a_visitor({"what-if": told}), source="ut1-games")


def test_names_and_classes_are_shown() -> None:
    place, sums = AskedPlace("6", "6A"), DifferenceSums()
    sums.note(NameDifference(wire("<b>.new.example"), CLOSES, "games"), 7, (place,))
    sums.changed[place, CLOSES] += 7
    sums.lookups[place] += 70
    shown = _shown({**to_plain(sums, ROWS), **SCOPE})
    assert "70 recorded lookups" in shown
    assert "&lt;b&gt;.new.example" in shown
    assert "6A" in shown


def test_while_it_is_at_work_the_page_has_a_link_to_itself() -> None:
    assert 'href="/what-if?source=ut1-games"' in _shown({"at_work": True})


def test_an_edit_of_the_site_shows_it_before_the_button() -> None:
    draft = {
        "digest": "0" * 64,
        "keys": ["networks"],
        "difference": ["+networks: {}"],
        "more_lines": 0,
        "problem": None,
        "doubts": [],
    }
    told = {**to_plain(DifferenceSums(), ROWS), **SCOPE}
    visitor = a_visitor({"site-draft": draft, "what-if": told})
    shown = rendered(site_page.BESIDE[0], visitor)
    assert shown.index("In the last days it would have changed") < shown.index("Put it in force")
    asked = dict(visitor.asked)
    assert asked["what-if"] == {"draft": True, "within_s": 5}
