# SPDX-License-Identifier: Apache-2.0
"""Exceptions are asked for as the command line asks for them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from filterd.errors import ConfigError
from filterd.web.operations.exception_operations import ALLOW, BLOCK, EXCEPTIONS, PAUSE, REVOKE
from tests.support.changes import Book, an_exception
from tests.support.operations import ZONE, RecordedVisitor
from tests.support.policies import NOW

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
