# SPDX-License-Identifier: Apache-2.0
"""The words of the week are frozen data with a meaning written down."""

from __future__ import annotations

import inspect
from dataclasses import fields, is_dataclass

import pytest

from filterd.policy import timetable

RECORDS = [one for _, one in inspect.getmembers(timetable, is_dataclass) if isinstance(one, type)]


@pytest.mark.parametrize("record", RECORDS)
def test_records_never_change_and_take_no_unknown_field(record: type) -> None:
    assert record.__doc__
    assert record.__dataclass_params__.frozen  # type: ignore[attr-defined]  # no public name
    assert "__dict__" not in dir(record)
    assert fields(record)


def test_a_window_without_conditions_is_for_all_its_weekdays() -> None:
    window = timetable.Window(frozenset({0}), 0, timetable.DAY_S)
    assert (window.first, window.last, window.holidays) == (None, None, None)
