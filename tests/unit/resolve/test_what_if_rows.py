# SPDX-License-Identifier: Apache-2.0
"""What would change, as plain data and in words."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from filterd.i18n import Texts
from filterd.resolve.what_if import CLOSES, OPENS, AskedPlace, DifferenceSums, NameDifference
from filterd.resolve.what_if_rows import (
    BY_CLASS,
    CHANGED_NAMES,
    MOST_ROWS,
    NAMES,
    POPULAR,
    ROWS,
    differs,
    summary,
    tables,
    to_plain,
)
from filterd.rows import SchoolClock, Wording
from tests.support.policies import NOW, wire

SIX_A = AskedPlace("6", "6A")
BY = Wording(Texts("en"), SchoolClock(ZoneInfo("Asia/Ho_Chi_Minh"), NOW))


def sums(names: int = 1) -> DifferenceSums:
    """Return sums in which names close for 6A, each with one lookup more than the one before."""
    found = DifferenceSums()
    for number in range(1, names + 1):
        found.note(NameDifference(wire(f"n{number}.example"), CLOSES, "games"), number, (SIX_A,))
        found.changed[SIX_A, CLOSES] += number
    found.lookups[SIX_A] = 1_000
    return found


def test_names_with_most_lookups_come_first_and_the_others_are_counted() -> None:
    plain = to_plain(sums(MOST_ROWS + 3), ROWS)
    assert plain["rows"][0] == {
        "name": f"n{MOST_ROWS + 3}.example",
        "kind": CLOSES,
        "category": "games",
        "n": MOST_ROWS + 3,
        "grades": ["6"],
        "classes": ["6A"],
    }
    assert (len(plain["rows"]), plain["more"]) == (MOST_ROWS, 3)
    assert plain["names"][CLOSES] == MOST_ROWS + 3
    (group,) = plain["groups"]
    assert (group["class"], group["lookups"], group[OPENS]) == ("6A", 1_000, 0)


def test_something_differs_if_any_number_does() -> None:
    assert not differs(to_plain(DifferenceSums(), ROWS))
    assert differs(to_plain(sums(), ROWS))
    assert differs(to_plain(DifferenceSums(confidential=1), NAMES))


def test_tables_have_only_what_would_change() -> None:
    found = sums()
    found.lookups[AskedPlace("6", "6B")] = 500
    found.distinct["primary"] = 9
    (first, _), (second, groups) = tables(to_plain(found, ROWS))
    assert (first, second) == (CHANGED_NAMES, BY_CLASS)
    assert [row["class"] for row in groups] == ["6A"]
    assert not [*tables(to_plain(DifferenceSums(), ROWS))]


def test_the_summary_states_what_was_judged() -> None:
    plain = {**to_plain(sums(2), ROWS), "days": ["2025-12-01"]}
    first, second = summary(plain, BY)
    assert first.startswith("Of 1\u202f000 recorded lookups of 1 day, 3 would be blocked")
    assert second == "Distinct names: 2 names would close, 0 names would open."
    plain = {**to_plain(DifferenceSums(confidential=2, unnamed=4), POPULAR), "days": []}
    text = " ".join(summary(plain, BY))
    assert "popular names were judged instead" in text
    assert "2 more of confidential categories would change" in text
    assert "4 names more" in text
