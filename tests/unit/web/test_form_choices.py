# SPDX-License-Identifier: Apache-2.0
"""Tests for filterd.web.form_choices."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from filterd.texts import words
from filterd.texts.i18n import Texts
from filterd.texts.rows import SchoolClock, Wording
from filterd.web.form_choices import (
    audiences,
    categories,
    names_of,
    of_words,
    seat_query,
    seats,
    terms,
    with_category_names,
)

BY = Wording(Texts("en"), SchoolClock(ZoneInfo("UTC"), 0.0))
IDS = {"classes": ["6A", "6B"], "grades": ["6", "staff"]}


def test_classes_come_before_grades() -> None:
    assert seats(IDS, BY) == [
        ("class:6A", "class 6A"),
        ("class:6B", "class 6B"),
        ("grade:6", "grade 6"),
        ("grade:staff", "staff"),
    ]


def test_a_teacher_has_own_classes_alone() -> None:
    assert seats(IDS, BY, {"6B"}) == [("class:6B", "class 6B")]


def test_only_a_wide_audience_has_tiers_and_everybody() -> None:
    ids = {**IDS, "rooms": ["lab"], "tiers": ["staff"]}

    assert audiences(ids, BY, {"6B"}) == [("class:6B", "class 6B"), ("network:lab", "room lab")]
    assert audiences(ids, BY, wide=True)[:2] == [
        ("everybody", "everybody"),
        ("tier:staff", "staff"),
    ]


def test_a_term_is_a_length_the_bell_or_the_time_of_another_field() -> None:
    assert terms(BY)[1] == ("2700", "45 minutes")
    assert [value for value, _ in terms(BY)[-3:]] == ["lesson", "permanent", ""]


def test_confidential_categories_are_no_choice() -> None:
    rows: list[dict[str, object]] = [
        {"id": "games", "name_en": "Games"},
        {"id": "self-harm", "name_en": "Self-harm", "confidential": True},
    ]

    assert categories(rows, BY) == [("games", "Games")]


def test_no_choice_stands_first() -> None:
    assert of_words(words.TIER, BY, "all")[:2] == [("", "all"), ("preschool", "preschool")]


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("class:6A", {"class": "6A"}),
        ("grade:6", {"grade": "6"}),
        ("network:lab", {}),
        ("class:", {}),
        ("", {}),
    ],
)
def test_a_choice_is_read_as_the_fields_of_an_operation(text: str, fields: dict[str, str]) -> None:
    assert seat_query(text) == fields


def test_rows_have_the_name_of_their_category_an_unknown_one_its_id() -> None:
    known = [{"id": "games", "name_vi": "Trò chơi", "name_en": "Games"}]
    rows = [{"list": "a", "category": "games"}, {"category": "old"}, {"list": "b"}]
    found = list(with_category_names(rows, names_of(known, BY)))
    assert [one["category"] for one in found] == ["Games", "old", ""]
    assert found[0]["list"] == "a"
