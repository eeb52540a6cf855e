# SPDX-License-Identifier: Apache-2.0
"""Who sees a request, and what becomes of it."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from filterd.daemon.control_caller import Caller
from filterd.daemon.review_commands import Reviews
from filterd.errors import ChangeError, ControlError, StoreError
from filterd.i18n import say
from filterd.overrides.review_requests import FORMAT, PupilRequest
from filterd.overrides.roles import ADMINS, TEACHERS
from tests.support.pupils import PupilsManager, a_pupils_site, a_setting
from tests.support.week import SEVEN

if TYPE_CHECKING:
    from pathlib import Path

ADMIN = Caller(1001, "an", frozenset({ADMINS}))
LAN = Caller(1002, "lan", frozenset({TEACHERS}))
MINH = Caller(1003, "minh", frozenset({TEACHERS}))
READER = Caller(1004, "binh", frozenset())
ONE = PupilRequest(0, "social.example", "6A", "lower-secondary", "lesson", "")
GRADE = replace(ONE, seat="6", name="more.example")
EVENING = {"ends_at": SEVEN + 3600.0}


@pytest.fixture
def manager(tmp_path: Path) -> PupilsManager:
    return PupilsManager(a_pupils_site(tmp_path))


@pytest.fixture
def reviews(manager: PupilsManager, tmp_path: Path) -> Reviews:
    found: Any = manager
    made = Reviews(found, a_setting(tmp_path))
    _run(made.note(ONE), made.note(GRADE))
    return made


def _run(*calls: Any) -> Any:
    async def one_after_the_other() -> Any:
        return [await call for call in calls]

    return asyncio.run(one_after_the_other())[-1]


def ask(reviews: Reviews, command: str, caller: Caller = ADMIN, **request: Any) -> Any:
    return _run(reviews.commands()[f"requests {command}"](request, caller))


def test_a_teacher_sees_the_requests_of_own_classes(reviews: Reviews) -> None:
    seen = {
        caller.user: [one["id"] for one in ask(reviews, "list", caller)]
        for caller in (ADMIN, LAN, MINH)
    }
    assert seen == {"an": [1, 2], "lan": [1], "minh": []}
    with pytest.raises(ControlError, match="may not see requests"):
        ask(reviews, "list", READER)


def test_to_approve_is_the_exception_for_the_class(
    reviews: Reviews, manager: PupilsManager, tmp_path: Path
) -> None:
    told = ask(reviews, "approve", LAN, id=1, reason="Bài 12", **EVENING)
    assert (told["number"], told["audience"], told["whom"]) == (1, "class", "6A")
    (made,) = manager.made
    assert made == {
        "kind": "exception",
        "reason": "Bài 12",
        "target_kind": "name",
        "target": "social.example",
        "allow": True,
        "audience": "class",
        "whom": "6A",
        **EVENING,
    }
    assert [one.id for one in FORMAT.load(tmp_path / "review-requests.filterd").requests] == [2]


def test_it_may_be_for_the_tier_where_the_rights_reach_so_far(
    reviews: Reviews, manager: PupilsManager
) -> None:
    with pytest.raises(ChangeError, match="a teacher's exception is for one"):
        ask(reviews, "approve", LAN, id=1, reason="Bài 12", for_tier=True, **EVENING)
    ask(reviews, "approve", ADMIN, id=1, reason="Bài 12", for_tier=True)
    assert (manager.made[0]["audience"], manager.made[0]["whom"]) == ("tier", "lower-secondary")


def test_what_cannot_be_done_leaves_the_request_open(reviews: Reviews) -> None:
    for caller, request in (
        (MINH, {"id": 1, "reason": "x", **EVENING}),
        (LAN, {"id": 1, "reason": "Bài 12"}),  # without an end
        (ADMIN, {"id": 1}),  # without a reason
        (ADMIN, {"id": "1", "reason": "Bài 12"}),
        (ADMIN, {"id": True, "reason": "Bài 12"}),
        (ADMIN, {"id": 7, "reason": "Bài 12"}),
    ):
        with pytest.raises((ControlError, ChangeError)):
            ask(reviews, "approve", caller, **request)
    with pytest.raises(ControlError, match="may not"):
        ask(reviews, "refuse", MINH, id=1, reason="không cần")
    assert len(ask(reviews, "list")) == 2


def test_a_decision_stands_where_the_disk_is_full(
    reviews: Reviews, manager: PupilsManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise StoreError(say("no space"))

    monkeypatch.setattr(FORMAT, "save", full)
    ask(reviews, "approve", LAN, id=1, reason="Bài 12", **EVENING)
    assert len(manager.made) == 1
    assert [one["id"] for one in ask(reviews, "list")] == [2]
    with pytest.raises(StoreError):
        _run(reviews.note(replace(ONE, name="third.example")))
    assert [one["id"] for one in ask(reviews, "list")] == [2]


def test_a_refusal_is_recorded_with_its_reason(reviews: Reviews, manager: PupilsManager) -> None:
    with pytest.raises(ChangeError, match="reason"):
        ask(reviews, "refuse", LAN, id=1)
    ask(reviews, "refuse", LAN, id=1, reason="không cần cho bài học")
    assert manager.refused == [("social.example", "6A", "lan", "không cần cho bài học")]
    assert [one["id"] for one in ask(reviews, "list")] == [2]


def test_the_file_outlives_the_manager_and_a_damaged_one_stops_nothing(
    reviews: Reviews, manager: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert len(ask(reviews, "list")) == 2
    assert [one["n"] for one in ask(Reviews(manager, a_setting(tmp_path)), "list")] == [1, 1]
    late = a_setting(tmp_path, SEVEN + 31 * 86_400)
    assert ask(Reviews(manager, late), "list") == []
    (tmp_path / "review-requests.filterd").write_bytes(b"x")
    with caplog.at_level(logging.ERROR):
        assert ask(Reviews(manager, a_setting(tmp_path)), "list") == []
    assert "the requests in it are lost" in caplog.text
