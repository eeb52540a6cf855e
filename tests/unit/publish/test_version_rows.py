# SPDX-License-Identifier: Apache-2.0
"""Rows of a publisher are worded for people, the counts with their thousands apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from filterd.publish.version_rows import (
    CATEGORIES,
    CHANGES,
    EXPIRIES,
    RELEASE,
    VERIFICATION,
    expiry_rows,
)
from filterd.texts.i18n import Texts
from filterd.texts.rows import SchoolClock, Wording

if TYPE_CHECKING:
    from filterd.texts.rows import Column

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
SEVEN = 1_800_000_000.0
OCTETS = dict.fromkeys(("metadata", "unpacked", "deltas"), 1_000)


def cells_of(columns: tuple[Column, ...], row: Any) -> list[str]:
    wording = Wording(Texts("en"), SchoolClock(ZONE, SEVEN))
    return [column.cell(row, wording)[0] for column in columns]


def test_the_role_that_expires_first_comes_first_with_its_days() -> None:
    rows = expiry_rows({"root": SEVEN + 90_000 * 30, "timestamp": SEVEN + 90_000}, SEVEN)
    assert [(row["role"], row["days"]) for row in rows] == [("timestamp", 1), ("root", 31)]
    assert cells_of(EXPIRIES.columns, rows[0])[2] == "1"


@pytest.mark.parametrize(
    ("before", "now", "whom"),
    [(["1"], ["1"], "1"), ([], ["1"], "1 (before: no one)"), (["1"], [], "no one (")],
)
def test_a_change_states_the_grades_it_was_closed_to_before_where_they_differ(
    before: list[str], now: list[str], whom: str
) -> None:
    row: Any = {"id": "porn", "closed_to": now, "closed_before": before}
    row |= {"had": 1_000, "has": 2_000_000, "added": 3, "removed": 0}
    cells = cells_of(CHANGES.columns, row)
    assert cells[1].startswith(whom)
    assert cells[2:] == ["1\u202f000", "2\u202f000\u202f000", "3", "0"]


def test_what_is_listed_is_counted_and_what_is_not_said_is_left_out() -> None:
    row: Any = {"id": "porn", "names": 1_234, "popular": {"7": "a"}, "set_aside": ["b", "c"]}
    assert cells_of(CATEGORIES.columns, row) == ["porn", "1\u202f234", "1", "2"]
    release: Any = {"version": 2, "before": 1, "urgent": False, "orders": [], "octets": OCTETS}
    release["octets"] = OCTETS | {"changed": 1, "files": 9, "full": 0, "tonight": 0}
    assert cells_of(RELEASE.columns, release)[0] == "1 of 9 have changed"
    assert cells_of(RELEASE.columns, release)[-2:] == ["", ""]
    assert "(-" in cells_of(RELEASE.columns, release)[2]
    row = dict.fromkeys(("files", "lists", "orders", "deltas", "octets", "urgent"), 0)
    row |= {"issued_at": None, "fingerprint": "ab", "packages": ["a.deb", "b.deb"]}
    assert cells_of(VERIFICATION.columns, row)[-5:] == ["a.deb\nb.deb", "0 B", "", "", "ab"]
