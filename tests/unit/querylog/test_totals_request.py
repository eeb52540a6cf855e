# SPDX-License-Identifier: Apache-2.0
import math
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
    return [request.row(total) for total in request.totals(DAY, COUNTED)]


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        ({}, [8, 3, 4]),
        ({"grade": "6"}, [3]),
        ({"tier": "lower-secondary"}, [3, 4]),
        ({"class_id": "7B"}, [4]),
        ({"network": "lab"}, [1, 4]),
        ({"classes": {"6A"}}, [3]),
        ({"by_network": True, "grade": "6"}, [1, 2]),
        ({"by_hour": True, "grade": "6"}, [1, 2]),
        ({"by_hour": True, "by_class": True, "by_network": True}, [8, 1, 4, 2]),
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


def test_a_confidential_category_is_in_no_total() -> None:
    assert {row["category"] for row in found(by_hour=True, confidential={"games"})} == {""}


def test_control_a_category_that_is_not_confidential_is() -> None:
    assert {row["grade"] for row in found() if row["category"] == "games"} == {"6", "7"}


@pytest.mark.parametrize(
    ("wanted", "ends_at"),
    [({}, 7_200), ({"before": 7_000}, 3_600), ({"is_live": True}, math.inf)],
)
def test_an_hour_counts_when_it_is_over(wanted: dict[str, Any], ends_at: float) -> None:
    assert TotalsRequest(**wanted).ends_at(8_000.5) == ends_at
