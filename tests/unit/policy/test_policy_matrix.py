# SPDX-License-Identifier: Apache-2.0
"""The matrix has a cell for each category and tier: its state, and what is set over it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from filterd.policy.effective_policy import at
from filterd.policy.model import Audience, Policy, Scheduled
from filterd.policy.policy_matrix import MOST_CHANGES, policy_matrix
from filterd.policy.temporary_rules import GradeSetting, Overrides, TargetKind
from tests.support.week import SEVEN, a_school, an_exception, scheduled, timetabled, with_classes

NOW = SEVEN + 60


def _matrix(policy: Policy | None = None, now: float = NOW, **overrides: Any) -> dict[str, Any]:
    policy, set_ = policy or a_school(), Overrides(**overrides)
    return policy_matrix(policy, set_, at(policy, set_, now), now)


def _cell(found: dict[str, Any], category: str, tier: str) -> dict[str, Any]:
    (row,) = (one for one in found["categories"] if one["id"] == category)
    cell: dict[str, Any] = row["cells"][tier]
    return cell


def _exception(**how: Any) -> dict[str, Any]:
    fields = {"audience": Audience.TIER, "whom": "lower-secondary", "kind": TargetKind.CATEGORY}
    return {"exceptions": (an_exception("games", **(fields | how)),)}


def test_a_cell_has_the_grades_by_state() -> None:
    cell = _cell(_matrix(), "games", "primary")
    assert cell["states"] == cell["files"] == {"closed": ["1", "2", "3", "4", "5"]}
    assert _cell(_matrix(), "porn", "staff")["states"] == {"locked": ["staff"]}


def test_a_setting_of_a_grade_splits_its_tier() -> None:
    setting = GradeSetting(3, "7", TargetKind.CATEGORY, "games", False, "thử", "minh", SEVEN)
    cell = _cell(_matrix(grades=(setting,)), "games", "lower-secondary")
    assert cell["states"] == {"closed": ["6", "7"], "open": ["8", "9"]}
    assert cell["files"] == {"closed": ["6"], "open": ["7", "8", "9"]}
    (change,) = cell["changes"]
    assert (change["layer"], change["author"], change["until"]) == ("setting", "minh", None)


def test_an_exception_stands_in_the_cells_of_its_tier_until_it_ends() -> None:
    found = _matrix(**_exception())
    (change,) = _cell(found, "games", "lower-secondary")["changes"]
    assert (change["holds"], change["until"], change["reason"]) == (True, SEVEN + 3600, "bài học")
    assert _cell(found, "games", "primary")["changes"] == []
    later = _matrix(now=SEVEN + 3600, **_exception())
    assert _cell(later, "games", "lower-secondary")["changes"] == []


def test_one_that_is_to_come_is_shown_and_changes_nothing_yet() -> None:
    cell = _cell(_matrix(now=SEVEN - 60, **_exception()), "games", "lower-secondary")
    assert [one["holds"] for one in cell["changes"]] == [False]
    assert cell["states"] == cell["files"]


def test_a_schedule_that_closes_a_whole_tier_stands_above_its_column() -> None:
    policy = scheduled(
        Scheduled("a", False, "tier", "preschool"), Scheduled("a", True, "category", "games")
    )
    found = _matrix(policy)
    (head,) = (one for one in found["tiers"] if one["tier"] == "preschool")
    assert [one["layer"] for one in head["changes"]] == ["schedule"]
    assert all(one["changes"] == [] for one in found["tiers"] if one["tier"] != "preschool")
    (change,) = _cell(found, "games", "primary")["changes"]
    assert (change["source"], change["until"]) == ("a", SEVEN + 3600)


def test_what_concerns_a_room_stands_in_the_tiers_that_may_sit_there() -> None:
    found = _matrix(**_exception(audience=Audience.NETWORK, whom="lab"))
    assert _cell(found, "games", "lower-secondary")["changes"] != []
    assert _cell(found, "games", "upper-secondary")["changes"] == []


def test_a_class_is_named_only_where_it_differs_from_its_grade() -> None:
    policy = with_classes(a_school())
    states = _cell(_matrix(policy), "games", "lower-secondary")["states"]
    assert states == {"closed": ["6"], "open": ["7", "8", "9"]}
    of_class = _exception(audience=Audience.CLASS, whom="6B")
    states = _cell(_matrix(policy, **of_class), "games", "lower-secondary")["states"]
    assert states == {"closed": ["6"], "open": ["7", "8", "9", "6B"]}


def test_services_have_their_state_by_tier() -> None:
    (play,) = (one for one in _matrix()["services"] if one["id"] == "play")
    assert play["cells"]["preschool"]["states"] == {"closed": ["preschool"]}


def test_a_column_has_its_grades_and_classes_the_youngest_age_and_its_answers() -> None:
    (head,) = (
        one
        for one in _matrix(with_classes(a_school()))["tiers"]
        if one["tier"] == "lower-secondary"
    )
    assert head == {
        "tier": "lower-secondary",
        "grades": ["6", "7", "8", "9"],
        "classes": ["6A", "6B", "9B"],
        "age": 11,
        "safe_search": "off",
        "youtube": "off",
        "block_response": "nxdomain",
        "changes": [],
    }


def test_a_row_says_what_a_category_or_a_service_is() -> None:
    found = _matrix(replace(a_school(), kept_closed=frozenset({"games"})))
    kept = {one["id"]: one["kept_closed"] for one in found["categories"]}
    assert {category for category, is_kept in kept.items() if is_kept} == {"games"}
    (chat,) = (one for one in found["services"] if one["id"] == "chat")
    assert {key: chat[key] for key in ("name_vi", "name_en", "group", "min_age")} == {
        "name_vi": "Trò chuyện",
        "name_en": "Chat",
        "group": "social-media",
        "min_age": 13,
    }
    assert [one["tier"] for one in found["tiers"]] == list(chat["cells"])


@pytest.mark.parametrize(
    ("audience", "whom", "tiers"),
    [
        (Audience.EVERYBODY, "", {"preschool", "primary", "lower-secondary", "upper-secondary"}),
        (Audience.TIER, "primary", {"primary"}),
        (Audience.GRADE, "10", {"upper-secondary"}),
        (Audience.GRADE, "44", set()),
        (Audience.CLASS, "9B", {"lower-secondary"}),
        (Audience.CLASS, "9Z", set()),
        (Audience.NETWORK, "lab", {"lower-secondary", "primary"}),
        (Audience.NETWORK, "nowhere", set()),
        (Audience.CLIENT, "192.0.2.7", set()),
    ],
)
def test_a_change_stands_in_the_cells_of_the_tiers_that_it_reaches(
    audience: Audience, whom: str, tiers: set[str]
) -> None:
    found = _matrix(with_classes(timetabled("6A", "3")), **_exception(audience=audience, whom=whom))
    pupils = {"preschool", "primary", "lower-secondary", "upper-secondary"}
    has = {tier for tier in pupils if _cell(found, "games", tier)["changes"]}
    assert has == tiers
    assert all(not _cell(found, "porn", tier)["changes"] for tier in pupils)


@pytest.mark.parametrize(
    ("now", "shown"),
    [(SEVEN - 1, True), (SEVEN, True), (SEVEN + 3599, True), (SEVEN + 3600, False)],
)
def test_a_change_is_shown_until_it_has_ended(now: float, shown: bool) -> None:
    found = _matrix(now=now, **_exception())
    assert bool(_cell(found, "games", "lower-secondary")["changes"]) is shown


def test_one_that_never_holds_is_shown_and_a_setting_never_ends() -> None:
    never = _exception(starts_at=SEVEN, ends_at=SEVEN)
    (change,) = _cell(_matrix(**never), "games", "lower-secondary")["changes"]
    assert (change["holds"], change["until"]) == (False, None)
    coming = GradeSetting(3, "7", TargetKind.CATEGORY, "games", False, "", "minh", NOW + 60)
    (change,) = _cell(_matrix(grades=(coming,)), "games", "lower-secondary")["changes"]
    assert (change["holds"], change["until"]) == (False, NOW + 60)


def test_a_pause_stands_above_its_column_with_who_set_it() -> None:
    found = _matrix(**_exception(kind=TargetKind.PAUSE))
    heads = {one["tier"]: one["changes"] for one in found["tiers"]}
    (change,) = heads.pop("lower-secondary")
    assert (change["layer"], change["source"], change["opens"]) == ("pause", "1", True)
    assert (change["audience"], change["whom"]) == ("tier", "lower-secondary")
    assert (change["author"], change["reason"]) == ("lan", "bài học")
    assert not any(heads.values())


def test_a_schedule_has_no_author_although_a_change_has_its_number() -> None:
    policy = scheduled(Scheduled("1", True, "category", "games"))
    policy = replace(policy, schedules=(replace(policy.schedules[0], id="1"),))
    other = an_exception("porn", kind=TargetKind.CATEGORY, audience=Audience.GRADE, whom="1")
    (change,) = _cell(_matrix(policy, exceptions=(other,)), "games", "primary")["changes"]
    assert (change["layer"], change["author"], change["reason"]) == ("schedule", "", "")


@pytest.mark.parametrize(("more", "left_out"), [(0, 0), (2, 2)])
def test_a_cell_shows_a_bounded_number_of_changes(more: int, left_out: int) -> None:
    many = tuple(
        an_exception("games", id=number, kind=TargetKind.CATEGORY)
        for number in range(MOST_CHANGES + more)
    )
    cell = _cell(_matrix(exceptions=many), "games", "primary")
    assert (len(cell["changes"]), cell["left_out"]) == (MOST_CHANGES, left_out)
