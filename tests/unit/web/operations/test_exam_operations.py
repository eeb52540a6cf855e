# SPDX-License-Identifier: Apache-2.0
"""Exams are for one room or class, and need something."""

from __future__ import annotations

from typing import Any

import pytest

from filterd.errors import ConfigError
from filterd.web.operations.exam_operations import EXAMS, START_EXAM, STOP_EXAM, WATCH_EXAM
from tests.support.changes import Book, an_exam
from tests.support.operations import RecordedVisitor


def test_an_exam_of_a_class_is_asked_for() -> None:
    asked = RecordedVisitor().last(START_EXAM, **{"class": "6A"}, names="Thi.example", for_s=5_400)
    assert asked["class_id"] == "6A"
    assert (asked["kind"], asked["names"], asked["for_s"]) == ("exam", ["thi.example"], 5_400)


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"names": ["a.example"]}, "one room or one class"),
        ({"room": "lab-a", "class": "6A", "names": ["a.example"]}, "one room or one class"),
        ({"room": "lab-a"}, "at least one name or service"),
        ({"room": "lab-a", "names": ["vn"]}, "all of them would open"),
    ],
)
def test_an_exam_that_cannot_be_meant_is_refused(values: dict[str, Any], why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        RecordedVisitor().do(START_EXAM, for_s=600, **values)


def test_exams_are_listed_stopped_and_tried() -> None:
    book = Book()
    book.make("exam", **an_exam())
    visitor = RecordedVisitor(overrides=book.overrides, answers={"exam-watch": {"room": "lab-a"}})
    assert [(one["id"], one["state"]) for one in visitor.do(EXAMS)] == [(1, "on")]
    assert visitor.last(STOP_EXAM, id=1)["kind"] == "exam-stop"
    assert visitor.last(WATCH_EXAM, room="lab-a") == {"room": "lab-a", "off": False}
