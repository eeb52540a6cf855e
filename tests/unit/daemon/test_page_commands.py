# SPDX-License-Identifier: Apache-2.0
"""What the process of the page may ask, and what it is told."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from filterd.daemon import page_commands
from filterd.daemon.control_caller import Caller
from filterd.daemon.face_limits import PAGE_GROUP
from filterd.daemon.page_commands import MOST_NAMES_A_DAY, PupilPage
from filterd.daemon.review_commands import Reviews
from filterd.errors import ChangeError, ControlError
from filterd.overrides.review_requests import FORMAT
from tests.support.pupils import (
    CHILD,
    HARM,
    ORDER,
    PORN,
    PUPIL,
    SOCIAL,
    PupilsManager,
    a_pupils_site,
    a_setting,
)
from tests.support.week import SEVEN, timetabled

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def page(tmp_path: Path) -> PupilPage:
    manager: Any = PupilsManager(a_pupils_site(tmp_path))
    return PupilPage(manager, Reviews(manager, a_setting(tmp_path)))


def ask(page: PupilPage, command: str, address: str = PUPIL, **request: Any) -> Any:
    caller = Caller(990, "filterd-blockpage", frozenset({PAGE_GROUP}), address=address)

    async def whole() -> Any:
        return await page.commands()[f"page-{command}"](request, caller)

    return asyncio.run(whole())


def noted(folder: Path) -> list[tuple[str, str, int]]:
    path = folder / "review-requests.filterd"
    return [(one.name, one.seat, one.n) for one in FORMAT.load(path).requests]


def test_the_school_is_named_with_its_contact(page: PupilPage) -> None:
    assert ask(page, "school") == {
        "school": "Trường mẫu",
        "contact": "Phòng tư vấn",
        "time_zone": "Asia/Ho_Chi_Minh",
    }


def test_a_pupil_is_told_the_class_and_the_kind_of_reason(page: PupilPage) -> None:
    told = ask(page, "why", name="SOCIAL.example.")
    assert (told["name"], told["reason"], told["seat"]) == (SOCIAL, "age", "6A")
    assert told["category"] == {"vi": "social-media", "en": "social-media"}
    assert (told["level"], told["may_ask"]) == ("counts", True)


def test_what_a_lesson_closes_may_open_with_the_next_class_of_the_room(tmp_path: Path) -> None:
    school = timetabled("6A", "9B")
    lab = replace(school.networks[0], cidrs=("10.0.6.0/24",))
    site = a_pupils_site(tmp_path, lessons=school.lessons, networks=(lab,))
    manager: Any = PupilsManager(site)
    lesson = PupilPage(manager, Reviews(manager, a_setting(tmp_path)))
    assert ask(lesson, "why", name=SOCIAL)["until"] == SEVEN + 2_700
    for name in (PORN, HARM, ORDER):  # closed to every class
        assert ask(lesson, "why", name=name)["until"] is None


def test_in_the_room_of_one_class_nothing_opens_with_a_lesson(page: PupilPage) -> None:
    assert ask(page, "why", name=SOCIAL)["until"] is None


def test_of_what_is_confidential_no_category_is_told(page: PupilPage) -> None:
    told = ask(page, "why", name=HARM)
    assert (told["reason"], told["category"], told["may_ask"]) == ("help", None, False)
    assert "self-harm" not in json.dumps(told)


@pytest.mark.parametrize("name", [None, 7, "", "a", "a..b", "x" * 5000, "http://a.example/", "a b"])
def test_what_is_no_name_is_refused(page: PupilPage, name: Any) -> None:
    with pytest.raises(ChangeError):
        ask(page, "why", name=name)
    with pytest.raises(ChangeError):
        ask(page, "ask", name=name, why="lesson")


def test_a_device_that_may_not_ask_is_told_nothing(page: PupilPage) -> None:
    assert ask(page, "why", "192.0.2.1", name=SOCIAL) is None
    with pytest.raises(ChangeError):
        ask(page, "why", "no address", name=SOCIAL)


def test_a_request_keeps_name_and_class_and_one_device_counts_once(
    page: PupilPage, tmp_path: Path
) -> None:
    for _ in range(2):
        ask(page, "ask", name=SOCIAL, why="lesson")
    ask(page, "ask", "10.0.6.2", name=SOCIAL, why="mistake")
    assert noted(tmp_path) == [(SOCIAL, "6A", 2)]
    assert b"10.0.6" not in (tmp_path / "review-requests.filterd").read_bytes()


def test_one_device_fills_no_queue(page: PupilPage, tmp_path: Path) -> None:
    names = [SOCIAL, "more.example", "third.example"]
    assert len(names) == MOST_NAMES_A_DAY
    for name in names:
        ask(page, "ask", name=name, why="lesson")
    with pytest.raises(ChangeError, match="often enough today"):
        ask(page, "ask", name="www.social.example", why="lesson")
    assert len(noted(tmp_path)) == MOST_NAMES_A_DAY


def test_control_without_the_bound_one_device_goes_on(
    page: PupilPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_commands, "MOST_NAMES_A_DAY", 1_000)
    for n in range(20):
        ask(page, "ask", name=f"n{n}.social.example", why="lesson")
    assert len(noted(tmp_path)) == 20


@pytest.mark.parametrize(
    ("name", "why", "address"),
    [
        (HARM, "lesson", PUPIL),
        (PORN, "lesson", PUPIL),
        ("plain.example", "lesson", PUPIL),
        (SOCIAL, "lesson", CHILD),
        (SOCIAL, "because I say so", PUPIL),
        (SOCIAL, None, PUPIL),
    ],
)
def test_no_review_for_the_young_the_locked_the_open_and_self_harm(
    page: PupilPage, tmp_path: Path, name: str, why: Any, address: str
) -> None:
    with pytest.raises(ChangeError):
        ask(page, "ask", address, name=name, why=why)
    assert not (tmp_path / "review-requests.filterd").exists()


def test_other_users_of_the_gateway_ask_for_no_review(page: PupilPage) -> None:
    caller = Caller(1004, "binh", frozenset({"filterd-reader"}), address=PUPIL)
    with pytest.raises(ControlError, match="only the pupils"):
        asyncio.run(page._ask({"name": SOCIAL, "why": "lesson"}, caller))
