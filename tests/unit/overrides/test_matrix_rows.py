# SPDX-License-Identifier: Apache-2.0
"""What is set over a cell is worded: by what, for whom, and until when."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from filterd.i18n import Texts
from filterd.overrides.matrix_rows import told_of
from filterd.rows import SchoolClock, Wording
from tests.support.week import SEVEN

BY = Wording(Texts("en"), SchoolClock(ZoneInfo("Asia/Ho_Chi_Minh"), SEVEN))
ROW: dict[str, Any] = {
    "layer": "exception",
    "source": "4",
    "opens": True,
    "audience": "class",
    "whom": "6A",
    "holds": True,
    "until": SEVEN + 3600,
}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, "exception 4: opens it, class 6A, in force until 08:00"),
        ({"holds": False}, "exception 4: opens it, class 6A, from 08:00"),
        ({"layer": "setting", "until": None}, "setting 4: opens it, class 6A, in force"),
        (
            {"layer": "schedule", "source": "a", "opens": False, "holds": False, "until": None},
            "schedule a: closes it, class 6A, not now",
        ),
    ],
)
def test_a_change_is_told_in_one_sentence(changes: dict[str, Any], told: str) -> None:
    assert told_of({**ROW, **changes}, BY) == told
