# SPDX-License-Identifier: Apache-2.0
"""Exceptions are asked for as the command line asks for them."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from filterd import control
from filterd.errors import ConfigError
from filterd.i18n import Texts
from filterd.overrides.roles import Role
from filterd.web.operations.exception_operations import (
    ALLOW,
    APPROVE,
    BLOCK,
    EXAMS,
    EXCEPTIONS,
    PAUSE,
    REFUSE,
    REQUESTS,
    REVOKE,
    START_EXAM,
    STOP_EXAM,
    WATCH_EXAM,
)
from filterd.web.visitor import Visitor
from tests.support.changes import Book, an_exam, an_exception
from tests.support.operations import ZONE, RecordedVisitor
from tests.support.policies import NOW

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.web.operation import Operation

WHY = {"reason": "bài học"}


def test_one_name_is_allowed_for_a_class_until_the_bell() -> None:
    asked = RecordedVisitor().last(
        ALLOW, targets="Tiếng.vn", for_whom="class:6A", term="lesson", **WHY
    )
    assert asked == {
        "kind": "exception",
        "target_kind": "name",
        "target": "xn--ting-hv5a.vn",
        "allow": True,
        "audience": "class",
        "whom": "6A",
        "lesson": True,
        **WHY,
    }


def test_several_targets_are_one_change() -> None:
    asked = RecordedVisitor().last(
        BLOCK, targets=["a.example", "service:youtube", "a.example"], for_s=600, **WHY
    )
    assert asked["kind"] == "exceptions"
    assert asked["targets"] == [["name", "a.example"], ["service", "youtube"]]
    assert (asked["audience"], asked["for_s"]) == ("everybody", 600)


@pytest.mark.parametrize(
    "until", ["2026-12-20T17:30", "2026-12-20T17:30:00+07:00", "2026-12-20T10:30:00Z"]
)
def test_a_time_without_an_offset_is_of_the_schools_clock(until: str) -> None:
    asked = RecordedVisitor().last(ALLOW, targets=["a.example"], ends_at=until, **WHY)
    assert asked["ends_at"] == datetime(2026, 12, 20, 17, 30, tzinfo=ZONE).timestamp()


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({}, "the duration is missing"),
        ({"for_s": 60, "lesson": True}, "exclude each other"),
        ({"term": "600", "permanent": True}, "exclude each other"),
        ({"for_s": 60, "for_whom": "grade:13"}, "is not a grade"),
        ({"for_s": 60, "targets": ["edu.vn"]}, "all of them would open"),
        ({"for_s": 60, "targets": []}, "1 to 50 values"),
        ({"for_s": 60, "unknown": 1}, "there is no field"),
    ],
)
def test_what_is_wrong_is_refused_before_the_manager_is_asked(
    values: dict[str, Any], why: str
) -> None:
    visitor = RecordedVisitor()
    with pytest.raises(ConfigError, match=why):
        visitor.do(ALLOW, **{"targets": ["a.example"], **WHY, **values})
    assert visitor.asked == []


def test_an_entry_of_a_list_needs_no_end() -> None:
    asked = RecordedVisitor().last(ALLOW, targets=["entry:vnu.edu.vn"], **WHY)
    assert "ends_at" not in asked


def test_a_pause_and_a_revocation_are_asked_for() -> None:
    visitor = RecordedVisitor()
    assert visitor.last(PAUSE, for_s=300, for_whom="network:lab-a", **WHY)["whom"] == "lab-a"
    assert visitor.last(REVOKE, id="3") == {"kind": "revoke", "reason": "", "id": 3}


def test_what_has_ended_is_shown_on_request_only() -> None:
    book = Book()
    book.make("exception", **an_exception(ends_at=NOW + 10))
    book.make("revoke", id=1)
    past = [row.to_plain() for row in book.newest_first()]
    visitor = RecordedVisitor(overrides=book.overrides, answers={"history": past})
    assert visitor.do(EXCEPTIONS) == []
    assert [one["state"] for one in visitor.do(EXCEPTIONS, all="on")] == ["taken-back"]


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


def _call(visitor: Visitor, operation: Operation, **given: Any) -> Any:
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


@pytest.mark.parametrize(
    ("operation", "given"),
    [
        (APPROVE, {"id": 3, "reason": "x"}),
        (APPROVE, {"id": 0, "reason": "x", "lesson": True}),
        (APPROVE, {"id": 3, "lesson": True}),
        (REFUSE, {"id": 3}),
        (REFUSE, {"id": 3, "reason": "x", "name": "a.example"}),
        (REQUESTS, {"class": "6A"}),
    ],
)
@pytest.mark.usefixtures("asked")
def test_what_is_wrong_is_refused(
    visitor: Visitor, operation: Operation, given: dict[str, Any]
) -> None:
    with pytest.raises(ConfigError):
        _call(visitor, operation, **given)


def test_readers_are_not_shown_them() -> None:
    for operation in (REQUESTS, APPROVE, REFUSE):
        assert operation.roles == {Role.TEACHER, Role.ADMIN}


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
