# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pytest

from filterd.base.errors import ConfigError
from filterd.web.sections.week_section import LESSONS, SCHEDULED, SCHEDULES, TIMETABLES

CELL = {"class": "6A", "teacher": "lan"}
DATA = {"networks": {"lab": {"timetable": {"mon": {"1": CELL, "2": 7}}}}}


def week(*cells: str) -> Any:
    (edit,) = TIMETABLES.edits(DATA, {"item": "lab", "cells": list(cells)})
    assert edit["path"] == ["networks", "lab", "timetable"]
    return edit["value"]


def test_a_lesson_that_stays_keeps_its_teacher_and_its_day_its_word() -> None:
    assert week("t2 1 6A", "t2 2 8", "t3 1 6B") == {"mon": {"1": CELL, "2": 8}, "t3": {"1": "6B"}}
    assert week("t2 1 6B") == {"mon": {"1": "6B"}}
    assert week() is None


@pytest.mark.parametrize("line", ["t9 1 6A", "t2", "t2 1"])
def test_what_is_no_lesson_is_refused(line: str) -> None:
    with pytest.raises(ConfigError, match="does not have the form"):
        week(line)


def test_the_bell_is_lines_of_a_word_and_a_time() -> None:
    (edit,) = LESSONS.edits({}, {"lessons": ["1 07:00-07:45", "break 07:45 - 08:00"]})
    assert edit["value"] == {"1": "07:00-07:45", "break": "07:45 - 08:00"}
    for wrong in (["1"], ["1 a", "1 b"]):
        with pytest.raises(ConfigError):
            LESSONS.edits({}, {"lessons": wrong})


def test_a_window_is_days_a_time_and_dates() -> None:
    line = "t2 t3 07:00-11:30 first=2026-09-05 holidays=off"
    (edit,) = SCHEDULES.edits({}, {"item": "s", "windows": [line]})
    window = {"days": ["t2", "t3"], "from": "07:00", "to": "11:30", "first": "2026-09-05"}
    assert edit["value"] == [window | {"holidays": "off"}]
    with pytest.raises(ConfigError):
        SCHEDULES.edits({}, {"item": "s", "windows": ["noon"]})


def test_an_effect_opens_or_closes_for_some() -> None:
    line = "s close category games for grade 6"
    (edit,) = SCHEDULED.edits({}, {"effects": [line]})
    assert edit["value"] == [{"schedule": "s", "close": {"category": "games"}, "for": {"grade": 6}}]
    with pytest.raises(ConfigError):
        SCHEDULED.edits({}, {"effects": ["s shut games"]})


@pytest.mark.parametrize("wrong", ["07:00-08:00", ["07:00-08:00"], None, 7])
def test_a_file_that_is_wrong_at_present_is_shown_as_far_as_it_can_be(wrong: Any) -> None:
    two = {"schedule": "a", "close": {"category": "games", "service": "x"}, "for": {}}
    data = {"schedules": {"a": wrong}, "scheduled": [two, wrong, {"close": wrong}]}
    assert SCHEDULES.values(data, "a") == {"windows": []}
    assert SCHEDULED.values(data, "")["effects"][0] == "a close category games service x"
    assert SCHEDULES.edits(data, {"item": "a"})
    assert SCHEDULED.edits(data, {})
