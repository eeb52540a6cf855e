# SPDX-License-Identifier: Apache-2.0
"""Which roles see a request, and what becomes of it."""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from filterd.base.errors import ChangeError, ControlError, StoreError
from filterd.daemon.handlers import review_commands
from filterd.daemon.handlers.control_caller import PAGE_GROUP, Caller
from filterd.daemon.handlers.review_commands import MOST_NAMES_A_DAY, PupilPage, Reviews
from filterd.overrides.review_requests import FORMAT, PupilRequest
from filterd.overrides.rights.roles import ADMINS, TEACHERS
from filterd.resolve import block_reason
from filterd.texts.i18n import say
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

    from filterd.overrides.rights.permissions import Classroom
    from filterd.overrides.rights.roles import Author
    from filterd.resolve.site import Site

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


def test_of_many_decisions_at_once_one_is_made(
    reviews: Reviews, manager: PupilsManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five approvals and three refusals, all of them asked before any is done."""

    async def slow(self: PupilsManager, request: dict[str, Any], author: Author) -> dict[str, Any]:
        await asyncio.sleep(0)
        return await change(self, request, author)

    change = PupilsManager.change
    monkeypatch.setattr(PupilsManager, "change", slow)
    wanted = {"id": 1, "reason": "Bài 12"}

    async def all_at_once() -> list[Any]:
        commands = reviews.commands()
        asked = [("approve", wanted | EVENING)] * 5 + [("refuse", wanted)] * 3
        calls = [commands[f"requests {word}"](given, ADMIN) for word, given in asked]
        return await asyncio.gather(*calls, return_exceptions=True)

    answers = asyncio.run(all_at_once())
    refused = [answer for answer in answers if isinstance(answer, ChangeError)]
    assert len(refused) == 7
    assert all("another person decides on request 1" in str(one) for one in refused)
    assert (len(manager.made), len(manager.refused)) == (1, 0)
    with pytest.raises(ChangeError, match="no open request 1"):
        ask(reviews, "approve", ADMIN, id=1, reason="Bài 12", **EVENING)


def test_a_request_for_what_is_guarded_is_an_administrator_s_to_see_and_to_refuse(
    reviews: Reviews, manager: PupilsManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To approve it takes the password besides; who has not given it must see the request."""
    classroom = PupilsManager.classroom

    def guarded(self: PupilsManager, site: Site) -> Classroom:
        return classroom(self, site)._replace(guarded_by=lambda _: frozenset(("violence",)))

    monkeypatch.setattr(PupilsManager, "classroom", guarded)
    assert [one["id"] for one in ask(reviews, "list", ADMIN)] == [1, 2]
    assert ask(reviews, "list", LAN) == []
    with pytest.raises(ControlError, match="open violence, which is guarded; root may"):
        ask(reviews, "approve", ADMIN, id=1, reason="Bài 12", **EVENING)
    ask(reviews, "refuse", ADMIN, id=1, reason="không hợp")
    assert (len(manager.made), len(manager.refused)) == (0, 1)


def test_a_decision_that_fails_leaves_the_request_to_the_next(
    reviews: Reviews, manager: PupilsManager
) -> None:
    with pytest.raises(ChangeError, match="reason"):
        ask(reviews, "approve", ADMIN, id=1, reason=" ", **EVENING)
    ask(reviews, "approve", ADMIN, id=1, reason="Bài 12", **EVENING)
    assert len(manager.made) == 1


def test_to_approve_is_the_exception_for_the_class(
    reviews: Reviews, manager: PupilsManager, tmp_path: Path
) -> None:
    answer = ask(reviews, "approve", LAN, id=1, reason="Bài 12", **EVENING)
    assert (answer["number"], answer["audience"], answer["whom"]) == (1, "class", "6A")
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
    assert [
        request.id for request in FORMAT.load(tmp_path / "review-requests.filterd").requests
    ] == [2]


def test_it_may_be_for_the_tier_where_the_rights_reach_so_far(
    reviews: Reviews, manager: PupilsManager
) -> None:
    with pytest.raises(ChangeError, match="a teacher's exception is for one"):
        ask(reviews, "approve", LAN, id=1, reason="Bài 12", for_tier=True, **EVENING)
    ask(reviews, "approve", ADMIN, id=1, reason="Bài 12", for_tier=True, permanent=True)
    assert (manager.made[0]["audience"], manager.made[0]["whom"]) == ("tier", "lower-secondary")


def test_what_cannot_be_done_leaves_the_request_open(reviews: Reviews) -> None:
    for caller, request in (
        (MINH, {"id": 1, "reason": "x", **EVENING}),
        (LAN, {"id": 1, "reason": "Bài 12"}),  # without an end
        (ADMIN, {"id": 1, **EVENING}),  # without a reason
        (ADMIN, {"id": "one", "reason": "Bài 12", **EVENING}),
        (ADMIN, {"id": True, "reason": "Bài 12", **EVENING}),
        (ADMIN, {"id": 7, "reason": "Bài 12", **EVENING}),
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
    with pytest.raises(ControlError, match="reason"):
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


@pytest.fixture
def page(tmp_path: Path) -> PupilPage:
    manager: Any = PupilsManager(a_pupils_site(tmp_path))
    return PupilPage(manager, Reviews(manager, a_setting(tmp_path)))


def by_page(page: PupilPage, command: str, address: str = PUPIL, **request: Any) -> Any:
    caller = Caller(990, "filterd-blockpage", frozenset({PAGE_GROUP}), address=address)

    async def whole() -> Any:
        return await page.commands()[f"page-{command}"](request, caller)

    return asyncio.run(whole())


def noted(folder: Path) -> list[tuple[str, str, int]]:
    path = folder / "review-requests.filterd"
    return [(request.name, request.seat, request.n) for request in FORMAT.load(path).requests]


def test_the_school_is_named_with_its_contact(page: PupilPage) -> None:
    assert by_page(page, "school") == {
        "school": "Trường mẫu",
        "contact": "Phòng tư vấn",
        "time_zone": "Asia/Ho_Chi_Minh",
    }


def test_a_pupil_gets_the_class_and_the_kind_of_reason(page: PupilPage) -> None:
    answer = by_page(page, "why", name="SOCIAL.example.")
    assert (answer["name"], answer["reason"], answer["seat"]) == (SOCIAL, "age", "6A")
    assert answer["category"] == {"vi": "social-media", "en": "social-media"}
    assert (answer["level"], answer["may_ask"]) == ("counts", True)


def test_what_a_lesson_closes_may_open_with_the_next_class_of_the_room(tmp_path: Path) -> None:
    school = timetabled("6A", "9B")
    lab = replace(school.networks[0], cidrs=("10.0.6.0/24",))
    site = a_pupils_site(tmp_path, lessons=school.lessons, networks=(lab,))
    manager: Any = PupilsManager(site)
    lesson = PupilPage(manager, Reviews(manager, a_setting(tmp_path)))
    assert by_page(lesson, "why", name=SOCIAL)["until"] == SEVEN + 2_700
    for name in (PORN, HARM, ORDER):  # closed to every class
        assert by_page(lesson, "why", name=name)["until"] is None


def test_in_the_room_of_one_class_nothing_opens_with_a_lesson(page: PupilPage) -> None:
    assert by_page(page, "why", name=SOCIAL)["until"] is None


def test_of_what_is_confidential_no_category_is_shown(page: PupilPage) -> None:
    answer = by_page(page, "why", name=HARM)
    assert (answer["reason"], answer["category"], answer["may_ask"]) == ("help", None, False)
    assert "self-harm" not in json.dumps(answer)


@pytest.mark.parametrize("name", [None, 7, "", "a", "a..b", "x" * 5000, "http://a.example/", "a b"])
def test_what_is_no_name_is_refused(page: PupilPage, name: Any) -> None:
    with pytest.raises(ChangeError):
        by_page(page, "why", name=name)
    with pytest.raises(ChangeError):
        by_page(page, "ask", name=name, why="lesson")


def test_a_device_that_may_not_ask_gets_nothing(page: PupilPage) -> None:
    assert by_page(page, "why", "192.0.2.1", name=SOCIAL) is None
    with pytest.raises(ChangeError):
        by_page(page, "why", "no address", name=SOCIAL)


def test_a_request_keeps_name_and_class_and_one_device_counts_once(
    page: PupilPage, tmp_path: Path
) -> None:
    for _ in range(2):
        by_page(page, "ask", name=SOCIAL, why="lesson")
    by_page(page, "ask", "10.0.6.2", name=SOCIAL, why="mistake")
    assert noted(tmp_path) == [(SOCIAL, "6A", 2)]
    assert b"10.0.6" not in (tmp_path / "review-requests.filterd").read_bytes()


LABEL = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(LABEL, min_size=1, max_size=4))
def test_nothing_that_a_pupil_wrote_reaches_the_teacher(
    page: PupilPage, tmp_path: Path, labels: list[str]
) -> None:
    by_page(page, "ask", name=".".join((*labels, SOCIAL)), why="lesson")
    assert noted(tmp_path) == [(SOCIAL, "6A", 1)]


def test_control_a_queue_of_names_as_asked_has_what_a_pupil_wrote(
    page: PupilPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = block_reason.facts_of
    bully = f"nguyen-van-a-xau.{SOCIAL}"
    monkeypatch.setattr(
        review_commands,
        "facts_of",
        lambda explained, *rest, **more: told(explained, *rest, **more)._replace(
            entry=explained["qname"]
        ),
    )
    by_page(page, "ask", name=bully, why="lesson")
    assert noted(tmp_path) == [(bully, "6A", 1)]


def test_one_device_fills_no_queue(page: PupilPage, tmp_path: Path) -> None:
    names = [SOCIAL, "more.example", "third.example"]
    assert len(names) == MOST_NAMES_A_DAY
    for name in names:
        by_page(page, "ask", name=name, why="lesson")
    by_page(page, "ask", name="www.social.example", why="lesson")  # it has asked for that
    with pytest.raises(ChangeError, match="often enough today"):
        by_page(page, "ask", name="fourth.example", why="lesson")
    assert len(noted(tmp_path)) == MOST_NAMES_A_DAY


def test_control_without_the_bound_one_device_goes_on(
    page: PupilPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(review_commands, "MOST_NAMES_A_DAY", 1_000)
    names = [SOCIAL, "more.example", "third.example", "fourth.example"]
    for name in names:
        by_page(page, "ask", name=name, why="lesson")
    assert len(noted(tmp_path)) == len(names)


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
        by_page(page, "ask", address, name=name, why=why)
    assert not (tmp_path / "review-requests.filterd").exists()


def test_other_users_of_the_gateway_ask_for_no_review(page: PupilPage) -> None:
    caller = Caller(1004, "binh", frozenset({"filterd-reader"}), address=PUPIL)
    with pytest.raises(ControlError, match="only the pupils"):
        asyncio.run(page._ask({"name": SOCIAL, "why": "lesson"}, caller))
