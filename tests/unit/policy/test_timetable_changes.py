# SPDX-License-Identifier: Apache-2.0
"""A row shows a network's classes, its youngest pupils now and then, and whether it opens."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from filterd.policy.timetable_changes import CHANGES, change_row, seats_of
from filterd.texts.i18n import Texts
from filterd.texts.rows import SchoolClock, Wording
from tests.support.week import OFFICE, timetabled, with_classes

WORDING = Wording(Texts("en"), SchoolClock(ZoneInfo("UTC"), 0.0))


@pytest.mark.parametrize(
    ("before", "after", "cells"),
    [
        (
            ("6A", "9B"),
            ("9B",),
            ["lab", "9B", "6 (age 11)", "9 (age 14)", "opens for older pupils"],
        ),
        (("9B",), ("9B", "6A"), ["lab", "9B, 6A", "9 (age 14)", "6 (age 11)", ""]),
        (("9B",), ("9B",), ["lab", "9B", "9 (age 14)", "9 (age 14)", ""]),
        (("gone",), ("6A",), ["lab", "6A", "", "6 (age 11)", ""]),
    ],
)
def test_the_youngest_now_and_then_are_shown(
    before: tuple[str, ...], after: tuple[str, ...], cells: list[str]
) -> None:
    row = change_row(with_classes(timetabled("6A", "9B")), "lab", before, after)
    assert [column.cell(row, WORDING)[0] for column in CHANGES.columns] == cells


def test_a_network_without_lessons_has_its_own_grade() -> None:
    lab = next(network for network in timetabled("6A", "9B").networks if network.timetable)
    assert seats_of(lab) == ("6A", "9B")
    assert seats_of(OFFICE) == (OFFICE.grade,)
