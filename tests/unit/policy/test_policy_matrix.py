# SPDX-License-Identifier: Apache-2.0
"""The matrix has a cell for each category and tier: its state, and what is set over it."""

from __future__ import annotations

from typing import Any

from filterd.policy.effective_policy import at
from filterd.policy.model import Audience, Policy, Scheduled
from filterd.policy.policy_matrix import policy_matrix
from filterd.policy.temporary_rules import GradeSetting, Overrides, TargetKind
from tests.support.week import SEVEN, a_school, an_exception, scheduled, with_classes

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
