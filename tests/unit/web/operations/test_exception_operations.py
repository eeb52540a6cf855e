# SPDX-License-Identifier: Apache-2.0
"""Exceptions are asked for as the command line asks for them."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from filterd import control
from filterd.base.errors import ConfigError
from filterd.operations.exams import EXAMS
from filterd.operations.exceptions import ALLOW
from filterd.operations.review_requests import APPROVE, REQUESTS
from filterd.texts.i18n import Texts
from filterd.web.operations.exception_operations import REFUSE, START_EXAM, STOP_EXAM, WATCH_EXAM
from filterd.web.visitor import Visitor
from tests.support.operations import ZONE, RecordedVisitor

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.web.endpoint import AnyOperation

WHY = {"reason": "bài học"}


@pytest.mark.parametrize(
    "until", ["2026-12-20T17:30", "2026-12-20T17:30:00+07:00", "2026-12-20T10:30:00Z"]
)
def test_a_time_without_an_offset_is_of_the_schools_clock(until: str) -> None:
    asked = RecordedVisitor().last(ALLOW, targets=["a.example"], ends_at=until, **WHY)
    assert asked["ends_at"] == datetime(2026, 12, 20, 17, 30, tzinfo=ZONE).timestamp()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    found = list[tuple[str, dict[str, Any]]]()

    def ask(_: Path, command: str, **more: Any) -> Any:
        kept = {key: more.pop(key) for key in ("act_for", "address", "silence_s")}
        assert (kept["act_for"], kept["address"]) == ("token", "10.0.0.9")
        found.append((command, more))
        return {"request": {"id": 3}}

    monkeypatch.setattr(control, "ask", ask)
    return found


@pytest.fixture
def visitor(tmp_path: Path) -> Visitor:
    return Visitor(tmp_path, "10.0.0.9", "token", texts=Texts("en"))


def _call(visitor: Visitor, operation: AnyOperation, **given: Any) -> Any:
    return asyncio.run(visitor.call(operation, **given))


def test_each_asks_its_command(visitor: Visitor, asked: list[tuple[str, dict[str, Any]]]) -> None:
    _call(visitor, REQUESTS)
    _call(visitor, APPROVE, id="3", reason="Bài 12", term="lesson", for_tier="on")
    refused = _call(visitor, REFUSE, id=3, reason="không cần")
    assert asked == [
        ("requests list", {}),
        ("requests approve", {"id": 3, "reason": "Bài 12", "lesson": True, "for_tier": True}),
        ("requests refuse", {"id": 3, "reason": "không cần"}),
    ]
    assert REFUSE.done is not None
    assert REFUSE.done(refused, visitor) == "request 3 is refused"


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
    visitor = RecordedVisitor(answers={"exam-watch": {"room": "lab-a"}, "exams": []})
    visitor.do(EXAMS, all="on")
    assert visitor.asked == [("exams", {"all": True})]
    assert visitor.last(STOP_EXAM, id=1)["kind"] == "exam-stop"
    assert visitor.last(WATCH_EXAM, room="lab-a") == {"room": "lab-a", "off": False}
