# SPDX-License-Identifier: Apache-2.0
"""What would change, as plain data and in words."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from filterd.resolve.what_if import (
    CLOSES,
    OPENS,
    REWRITES,
    AskedPlace,
    DifferenceSums,
    NameDifference,
)
from filterd.resolve.what_if_rows import (
    BY_CLASS,
    BY_TIER,
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
from filterd.texts.i18n import Texts
from filterd.texts.rows import SchoolClock, Wording
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


def test_a_grade_of_no_class_is_named_by_its_word() -> None:
    grade = AskedPlace("6", "")
    found = DifferenceSums()
    found.note(NameDifference(wire("a.example"), OPENS, ""), 3, (grade,))
    found.changed[grade, OPENS] = 3
    found.lookups[grade] = 9
    plain = to_plain(found, ROWS)
    (listing, rows), (groups, of_groups) = tables(plain)
    shown = [column.cell(rows[0], BY)[0] for column in listing.columns]
    assert shown == ["a.example", "would open", "(on no list)", "3", "6"]
    shown = [column.cell(of_groups[0], BY)[0] for column in groups.columns]
    assert shown[:2] == ["6", "9"]


def test_a_name_of_several_classes_and_without_lookups_says_so() -> None:
    found = DifferenceSums()
    places = (AskedPlace("7", "7B"), SIX_A, AskedPlace("6", ""))
    found.note(NameDifference(wire("a.example"), CLOSES, "games"), 0, places)
    (row,) = to_plain(found, NAMES)["rows"]
    assert (row["grades"], row["classes"]) == (["6", "7"], ["6A", "7B"])
    shown = [column.cell(row, BY)[0] for column in CHANGED_NAMES.columns]
    assert shown[3:] == ["\u2013", "6A, 7B"]
    styles = [CHANGED_NAMES.columns[1].cell({"kind": kind}, BY)[1] for kind in (CLOSES, OPENS)]
    assert styles == ["red", "green"]


def test_places_come_in_the_order_of_grades_and_classes_and_tiers_in_theirs() -> None:
    found = DifferenceSums()
    for place in (
        AskedPlace("10", ""),
        AskedPlace("6", "6B"),
        SIX_A,
        AskedPlace("old", ""),
        AskedPlace("preschool"),
    ):
        found.lookups[place] = 1
    found.distinct.update({"staff": 2, "primary": 1})
    found.changed_distinct["primary", CLOSES] = 1
    plain = to_plain(found, NAMES)
    assert [(one["grade"], one["class"]) for one in plain["groups"]] == [
        *(("old", ""), ("preschool", ""), ("6", "6A"), ("6", "6B"), ("10", ""))
    ]
    assert [(one["tier"], one["names"], one[CLOSES]) for one in plain["tiers"]] == [
        ("primary", 1, 1),
        ("staff", 2, 0),
    ]
    ((listing, rows),) = tables(plain)
    assert (listing, [row["tier"] for row in rows]) == (BY_TIER, ["primary"])


@pytest.mark.parametrize(("confidential", "differing"), [(0, False), (1, True)])
def test_confidential_names_alone_are_a_difference(confidential: int, *, differing: bool) -> None:
    assert differs(to_plain(DifferenceSums(confidential=confidential), ROWS)) is differing


def test_lookups_alone_are_a_difference() -> None:
    found = DifferenceSums()
    found.changed[SIX_A, OPENS] = 1
    assert differs(to_plain(found, ROWS))


def test_of_names_with_as_many_lookups_the_order_is_that_of_the_names() -> None:
    found = DifferenceSums()
    for name in ("c.example", "a.example", "b.example"):
        found.note(NameDifference(wire(name), CLOSES, "games"), 5, (SIX_A,))
    rows = to_plain(found, ROWS)["rows"]
    assert [row["name"] for row in rows] == ["a.example", "b.example", "c.example"]


def test_each_kind_of_change_is_counted_for_itself() -> None:
    found = sums(3)
    found.changed[SIX_A, OPENS] = 4
    found.changed[AskedPlace("7"), OPENS] = 5
    assert to_plain(found, ROWS)["changed"] == {CLOSES: 6, OPENS: 9, REWRITES: 0}


def test_what_is_not_shown_and_what_was_not_named_are_counted_together() -> None:
    found = sums(MOST_ROWS + 3)
    found.unnamed = 2
    assert to_plain(found, ROWS)["more"] == 5


def test_distinct_names_alone_are_a_difference() -> None:
    found = DifferenceSums()
    found.note(NameDifference(wire("a.example"), CLOSES, "games"), 0, (SIX_A,))
    assert differs(to_plain(found, NAMES))


def test_a_class_and_a_category_are_named_in_the_tables() -> None:
    (names_of, rows), (groups, of_groups) = tables(to_plain(sums(), ROWS))
    shown = {str(column.heading): column.cell(rows[0], BY)[0] for column in names_of.columns}
    assert shown["Category"] == "games"
    shown = {str(column.heading): column.cell(of_groups[0], BY)[0] for column in groups.columns}
    assert list(shown.values()) == ["6A", "1\u202f000", "1", "0", "0"]


def test_columns_have_headings_and_words_an_interface() -> None:
    assert (ROWS, NAMES, POPULAR, MOST_ROWS) == ("rows", "names", "popular", 50)
    found = sums()
    found.distinct["primary"] = 9
    found.changed_distinct["primary", CLOSES] = 2
    shown = [
        {str(column.heading): column.cell(rows[0], BY)[0] for column in listing.columns}
        for listing, rows in tables(to_plain(found, ROWS))
    ]
    assert shown == [
        {
            "Name": "n1.example",
            "Change": "would be blocked",
            "Category": "games",
            "Lookups": "1",
            "Class or grade": "6A",
        },
        {
            "Class": "6A",
            "Lookups": "1\u202f000",
            "would be blocked": "1",
            "would open": "0",
            "other safe mode": "0",
        },
        {
            "Tier": "primary",
            "Names": "9",
            "would be blocked": "2",
            "would open": "0",
            "other safe mode": "0",
        },
    ]
