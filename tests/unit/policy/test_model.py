# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import inspect
from dataclasses import fields, is_dataclass, replace

import pytest

from filterd.policy import model
from filterd.policy.model import GRADES, TIERS, Audience, BlockResponse, GradePolicy

RECORDS = [one for _, one in inspect.getmembers(model, is_dataclass) if isinstance(one, type)]


def test_grades_are_the_twelve_years_and_four_groups() -> None:
    assert GRADES[1:13] == tuple(str(year) for year in range(1, 13))
    assert {GRADES[0], *GRADES[13:]} == {"preschool", "continuing", "staff", "guest"}


def test_tiers_are_the_seven_of_the_glossary() -> None:
    assert len(set(TIERS)) == 7
    assert {"preschool", "continuing", "staff", "guest"} <= set(TIERS) & set(GRADES)


def test_responses_and_audiences_are_the_words_of_the_yaml() -> None:
    assert [str(one) for one in BlockResponse] == ["nxdomain", "nodata", "sinkhole"]
    assert [str(one) for one in Audience] == ["everybody", "tier", "grade", "network", "client"]


@pytest.mark.parametrize("record", RECORDS)
def test_records_never_change_and_take_no_unknown_field(record: type) -> None:
    assert record.__doc__
    assert record.__dataclass_params__.frozen  # type: ignore[attr-defined]  # no public name
    assert "__dict__" not in dir(record)
    assert fields(record)


def test_a_grade_that_differs_somewhere_has_a_key_of_its_own() -> None:
    grade = GradePolicy("6", "lower-secondary", 11, frozenset(), BlockResponse.NXDOMAIN)
    assert grade.key == "6"
    assert replace(grade, variant="lab").key == "6@lab"
