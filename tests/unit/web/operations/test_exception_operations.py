# SPDX-License-Identifier: Apache-2.0
"""Exceptions are asked for as the command line asks for them."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from filterd import control
from filterd.base.state_file import to_plain
from filterd.operations.exceptions import ALLOW
from filterd.operations.review_requests import APPROVE, REFUSE, REQUESTS
from filterd.overrides.review_requests import PupilRequest
from filterd.texts.i18n import Texts
from filterd.web.operations import BY_NAME
from filterd.web.operations.exception_operations import WATCH_EXAM
from filterd.web.visitor import Visitor
from tests.support.operations import ZONE, RecordedVisitor

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.operations.operation import Operation

WHY = {"reason": "bài học"}
ASKED = PupilRequest(3, "a.example", "6A", "secondary", "listed", "2026-11-28")


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
        return {"request": to_plain(ASKED)}

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
    done = BY_NAME[REFUSE.name].done
    assert done is not None
    assert done(refused, visitor) == "request 3 is refused"


def test_a_trial_run_is_begun_and_ended() -> None:
    visitor = RecordedVisitor(answers={"exam-watch": {"room": "lab-a"}})
    assert visitor.last(WATCH_EXAM, room="lab-a") == {"room": "lab-a"}
    assert visitor.last(WATCH_EXAM, room="lab-a", off="on") == {"room": "lab-a", "off": True}
    assert WATCH_EXAM.done is not None
    assert "lab-a" in visitor.texts(WATCH_EXAM.done({"room": "lab-a"}, visitor))
