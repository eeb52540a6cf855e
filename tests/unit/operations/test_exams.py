# SPDX-License-Identifier: Apache-2.0
"""An exam names a room or a class, and what it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.errors import ConfigError
from filterd.operations.exams import (
    EXAMS,
    START,
    ReadExams,
    ReadTrialNames,
    StartExam,
    StopExam,
    WatchExam,
)
from filterd.overrides.rights.roles import Role

if TYPE_CHECKING:
    from filterd.operations.request import OperationRequest


def test_those_that_have_ended_are_read_on_request() -> None:
    assert ReadExams.read({}).arguments == {}
    assert ReadExams.read({"all": "on"}).arguments == {"all": True}


def test_an_exam_of_a_class_is_a_change_of_its_room() -> None:
    given = {"class": "6A", "names": "Thi.example\nthi.example", "for_s": 5_400}
    kind, fields = StartExam.read(given).change
    assert kind == "exam"
    assert fields == {"class_id": "6A", "names": ["thi.example"], "services": [], "for_s": 5_400}


def test_an_exam_may_begin_later() -> None:
    given = {"room": "lab", "services": ["youtube"], "for_s": 60, "starts_at": 4e9}
    assert StartExam.read(given).change[1]["starts_at"] == 4e9
    assert StopExam.read({"id": 7}).change == ("exam-stop", {"id": 7})


def test_a_trial_run_is_ended_on_request() -> None:
    assert WatchExam.read({"room": "lab", "off": "on"}).arguments == {"room": "lab", "off": True}


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"names": ["a.example"]}, "one room or one class"),
        ({"room": "lab-a", "class": "6A", "names": ["a.example"]}, "one room or one class"),
        ({"room": "lab-a"}, "at least one name or service"),
        ({"room": "lab-a", "names": ["vn"]}, "all of them would open"),
        ({"room": "lab-a", "names": ["a.example"], "for_s": 59}, "from 60 to 86400"),
    ],
)
def test_an_exam_that_cannot_be_meant_is_refused(values: dict[str, Any], why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        StartExam.read({"for_s": 600, **values})


@pytest.mark.parametrize(
    ("kind", "given"),
    [(StopExam, {"id": 0}), (WatchExam, {}), (WatchExam, {"room": 7}), (ReadTrialNames, {})],
)
def test_what_is_wrong_is_refused(kind: type[OperationRequest[Any]], given: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        kind.read(given)


def test_teachers_start_them_and_all_read_them() -> None:
    assert START.roles == {Role.TEACHER, Role.ADMIN}
    assert EXAMS.roles == {*Role}
