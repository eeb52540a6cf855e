# SPDX-License-Identifier: Apache-2.0
"""The first page says how far the school is protected, and offers each remedy."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from filterd.base.protection_line import LineState, ProtectionSubject
from filterd.texts.i18n import Texts
from filterd.texts.rows import SchoolClock, Wording
from filterd.web.operations import BY_NAME
from filterd.web.pages import ORDER
from filterd.web.protection_band import ProtectionBand, band
from tests.support.protections import CASES, NOW, WELL, status_of

NAMES = {"porn": "Khiêu dâm"}


def _band(status: dict[str, Any], language: Any = "en") -> ProtectionBand:
    return band(status, NAMES, Wording(Texts(language), SchoolClock(ZoneInfo("UTC"), NOW)))


def test_a_school_with_which_all_is_well_has_a_green_band_without_a_remedy() -> None:
    shown = _band(WELL)
    assert (shown.level, shown.heading, shown.short) == ("protected", "Protected", ())
    assert len(shown.others) == len(ProtectionSubject)


@pytest.mark.parametrize("name", [key for key, one in CASES.items() if one.alert])
def test_each_thing_that_is_short_is_a_line_with_its_remedy(name: str) -> None:
    shown = _band(status_of(name))
    (line,) = shown.short
    assert shown.level == ("not" if line.state is LineState.NOT else "partly")
    assert shown.alerts == {CASES[name].alert}
    assert line.sentence
    assert line.remedy
    if line.form:
        assert line.form[0] in BY_NAME
    if line.link:
        assert line.link[1] in BY_NAME
        assert _is_a_page(line.link[0])


def _is_a_page(path: str) -> bool:
    return path in {one.path for one in ORDER} or path.startswith("/site/")


def test_starter_lists_are_told_by_the_names_of_categories_with_a_button_to_follow() -> None:
    (line,) = _band(status_of("a starter list alone")).short
    assert line.items == "Khiêu dâm"
    assert line.form == ("followLists", {"recommended": "on"}, "Follow the recommended lists")


def test_a_tier_to_which_a_name_is_open_is_named() -> None:
    (line,) = _band(status_of("a listed name is open")).short
    assert line.items == "guest"
    assert line.form is not None
    assert line.form[0] == "runSelfTest"


@pytest.mark.parametrize(
    ("feed", "operation"),
    [
        ({"address": ""}, "updateLists"),
        ({"address": "https://feed.example/"}, "takeVersion"),
        (
            {"address": "https://feed.example/", "beside": {"missing": ["oisd"], "sources": 1}},
            "updateLists",
        ),
    ],
)
def test_what_never_came_is_fetched_from_where_it_is(feed: dict[str, Any], operation: str) -> None:
    status = status_of("a list never came")
    (line, *_) = _band(status | {"feed": status["feed"] | feed}).short
    assert line.form is not None
    assert line.form[0] == operation


def test_what_is_not_known_stands_before_what_is_good() -> None:
    shown = _band(status_of("no backup at all", "no self-test yet"))
    assert shown.level == "protected"
    assert [one.state for one in shown.others[:3]] == [
        LineState.UNSEEN,
        LineState.UNSEEN,
        LineState.GOOD,
    ]
