# SPDX-License-Identifier: Apache-2.0
from typing import Any

import pytest

from filterd.querylog.totals_request import TotalsRequest

DAY = "2026-11-28"
COUNTED = [
    (0, "6", "games", "blocked", "lab", "6A", 1),
    (3600, "6", "games", "blocked", "room-1", "6A", 2),
    (0, "7", "games", "blocked", "lab", "7B", 4),
    (0, "10", "", "pass", "", "", 8),
    (0, "", "self-harm", "blocked", "", "", 16),
]


def found(**wanted: Any) -> list[dict[str, Any]]:
    request = TotalsRequest(**wanted)
    return [request.row(one) for one in request.totals(DAY, -3600, COUNTED)]


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        ({}, [16, 8, 3, 4]),
        ({"grade": "6"}, [3]),
        ({"tier": "lower-secondary"}, [3, 4]),
        ({"class_id": "7B"}, [4]),
        ({"network": "lab"}, [1, 4]),
        ({"classes": {"6A"}}, [3]),
        ({"by_network": True, "grade": "6"}, [1, 2]),
        ({"by_hour": True, "grade": "6"}, [1, 2]),
        ({"by_hour": True, "by_class": True, "by_network": True}, [16, 8, 1, 4, 2]),
    ],
)
def test_totals_are_of_what_is_asked_for(wanted: dict[str, Any], numbers: list[int]) -> None:
    assert [row["n"] for row in found(**wanted)] == numbers


def test_a_row_has_what_was_asked_for_and_no_more() -> None:
    (row,) = found(class_id="7B")
    whole = {"date": DAY, "tier": "lower-secondary", "grade": "7", "category": "games"}
    assert row == {**whole, "action": "blocked", "n": 4}
    (row,) = found(class_id="7B", by_class=True, by_network=True, by_hour=True)
    assert (row["class"], row["network"], row["hour"]) == ("7B", "lab", 0)


def test_the_hour_of_a_confidential_category_is_not_shown() -> None:
    rows = found(by_hour=True, confidential={"games"})
    assert {row["category"]: row["hour"] for row in rows} == {
        "self-harm": -3600,
        "games": -3600,
        "": 0,
    }


def test_control_a_category_that_became_confidential_is_of_the_whole_school() -> None:
    assert {row["grade"] for row in found() if row["category"] == "games"} == {"6", "7"}
    (games,) = [
        row
        for row in found(by_class=True, by_network=True, confidential={"games"})
        if row["category"] == "games"
    ]
    assert (games["grade"], games["class"], games["network"], games["n"]) == ("", "", "", 7)
    assert found(class_id="7B", confidential={"games"}) == []
