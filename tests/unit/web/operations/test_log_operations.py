# SPDX-License-Identifier: Apache-2.0
"""How the pages of the log go on, and what a removal is called."""

from __future__ import annotations

from typing import Any

import pytest

from filterd.web.operations.log_operations import DAY_NAMES, FORGET, LIVE, SEARCH
from tests.support.operations import RecordedVisitor

FOUND: dict[str, Any] = {"rows": [], "seen": []}
AT = "2026-11-28T07:35:12.3"


@pytest.mark.parametrize(("cursor", "following"), [(AT, AT), ("", None)])
def test_a_search_goes_on_at_its_cursor(cursor: str, following: str | None) -> None:
    visitor = RecordedVisitor(answers={"log search": {**FOUND, "cursor": cursor}})
    answer = visitor.do(SEARCH, cursor=AT, **{"class": "6A", "days": "3"})
    assert answer["next"] == following
    assert visitor.asked[-1] == ("log search", {"class": "6A", "days": 3, "after": AT})


def test_the_names_of_a_day_come_in_pages() -> None:
    visitor = RecordedVisitor(answers={"log names": {"rows": [], "more": True}})
    assert visitor.do(DAY_NAMES, day="2026-11-28")["next"] == "2"
    visitor.answers["log names"] = {"rows": [], "more": False}
    assert visitor.do(DAY_NAMES, day="2026-11-28", cursor="2")["next"] is None
    assert visitor.asked[-1][1] == {"day": "2026-11-28", "page": 2}


def test_lookups_are_followed_as_they_happen() -> None:
    visitor = RecordedVisitor()
    visitor.do(LIVE, grade="6", since=7)
    assert visitor.asked[-1] == ("log-follow", {"grade": "6", "since": 7})


@pytest.mark.parametrize(
    ("n", "sentence"),
    [(1, "1 row is removed."), (None, "Removed. Totals stay: they have no names.")],
)
def test_a_removal_is_told_with_its_rows(n: int | None, sentence: str) -> None:
    visitor = RecordedVisitor()
    assert FORGET.done is not None
    assert visitor.texts(FORGET.done({"rows": n}, visitor)) == sentence
