# SPDX-License-Identifier: Apache-2.0
"""The state of a feed is worded: in a line while all is well, in more where it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from filterd.feed.feed_details import FEED, FINDINGS, is_worrying, summary, summary_style
from filterd.texts.i18n import Texts
from filterd.texts.rows import SchoolClock, Wording

if TYPE_CHECKING:
    from filterd.texts.i18n import Language

NOW = 1_764_550_800.0
NO_FEED = {"address": "", "problem": "", "sentence": ["", {}]}
FRESH: dict[str, Any] = {
    "address": "https://feed.example/",
    "trusted": True,
    "served": 7,
    "published": 0,
    "previous": [6, 5],
    "refused": [],
    "held": "",
    "tried_at": NOW,
    "verified_at": NOW,
    "expires_at": NOW + 60,
    "takes_at": None,
    "watched_until": None,
    "freshness": "fresh",
    "problem": "",
    "sentence": ["", {}],
    "judgement": None,
}


def _wording(language: Language = "en") -> Wording:
    return Wording(Texts(language), SchoolClock(ZoneInfo("Asia/Ho_Chi_Minh"), NOW))


def _cells(**changes: Any) -> dict[str, str]:
    found = {
        str(column.heading): column.cell(FRESH | changes, _wording())[0] for column in FEED.columns
    }
    return {heading: text for heading, text in found.items() if text}


def test_a_summary_has_a_line_and_more_where_an_administrator_must_look() -> None:
    assert summary(FRESH, _wording()) == "version 7"
    held = FRESH | {"held": "exams"}
    assert summary(held, _wording("vi")).splitlines()[1].startswith("08:00: ")
    failed = FRESH | {"problem": "no", "sentence": ["no", {}], "freshness": "very-old"}
    assert summary(failed, _wording()).splitlines() == ["version 7", "08:00: VERY OLD", "no"]
    assert summary(NO_FEED, _wording()) == ""


def test_public_lists_beside_a_feed_are_reported_with_their_own_trouble() -> None:
    beside = FRESH | {"address": "", "sources": 2, "served": "web-1"}
    both = FRESH | {"beside": beside}
    outcome = ["version 7", "2 public lists (lists sources)", "version web-1"]
    assert summary(both, _wording()).splitlines() == outcome
    one = FRESH | {"beside": beside | {"sources": 1}}
    assert summary(one, _wording()).splitlines()[1] == "1 public list (lists sources)"
    assert not is_worrying(both)
    both["beside"] = beside | {"problem": "no", "sentence": ["no", {}]}
    assert summary(both, _wording()).splitlines()[-1] == "no"
    assert is_worrying(both)


@pytest.mark.parametrize(
    ("served", "words"),
    [
        (0, "the lists that ship with filterd"),
        (-4, "earlier lists, with the orders of version 4"),
        ("a-1", "version a-1"),
    ],
)
def test_the_lists_in_force_are_named(served: Any, words: str) -> None:
    assert summary(FRESH | {"served": served}, _wording()) == words


@pytest.mark.parametrize(
    ("change", "is_so"),
    [
        ({}, False),
        ({"freshness": "old"}, True),
        ({"held": "exams"}, True),
        ({"trusted": False}, True),
        ({"judgement": {"version": 8, "findings": []}}, True),
        (NO_FEED, False),
        (NO_FEED | {"problem": "unreadable"}, True),
    ],
)
def test_what_needs_an_administrator_is_known(change: dict[str, Any], is_so: bool) -> None:
    assert is_worrying(FRESH | change) is is_so


@pytest.mark.parametrize(
    ("change", "style"),
    [
        ({}, ""),
        ({"freshness": "never"}, "yellow"),
        ({"freshness": "very-old"}, "bold red"),
        (NO_FEED, "yellow"),
    ],
)
def test_the_older_a_feed_the_louder(change: dict[str, Any], style: str) -> None:
    assert summary_style(FRESH | change) == style


def test_what_there_is_not_is_left_out() -> None:
    headings = list(_cells())
    assert headings == [
        "Address",
        "In force",
        "Last verified",
        "Valid until",
        "Last tried",
        "To go back to",
    ]
    assert _cells()["To go back to"] == "6, 5"
    expired = _cells(expires_at=NOW)
    assert expired["Expired"] == "08:00"
    assert "Valid until" not in expired
    assert "filterd feed trust" in _cells(trusted=False)["Trust"]


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        ([], "porn: all names are gone"),
        (["porn"], "porn: all names are gone"),
        (list("123456"), "porn: all names are gone (1, 2, 3, 4, 5)"),
    ],
)
def test_a_finding_is_reported_with_the_first_names(names: list[str], sentence: str) -> None:
    row = {"severity": "held", "sentence": ["porn: all names are gone", {}], "names": names}
    assert [column.cell(row, _wording())[0] for column in FINDINGS.columns] == ["held", sentence]
