# SPDX-License-Identifier: Apache-2.0
"""What a browser gets, by Host and path, and that no foreign page asks in a pupil's name."""

from __future__ import annotations

import asyncio
import re
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from filterd.base.errors import ChangeError, ControlError
from filterd.blockpage.manager_answers import ManagerAnswers
from filterd.blockpage.page_service import TOKEN_VALID_S, PageService, ReviewTokens, host_of
from filterd.http.http_service import HttpRequest
from filterd.texts.i18n import say
from tests.support.clock import FakeClock
from tests.support.pupils import CLOSED

if TYPE_CHECKING:
    from filterd.http.http_service import Reply

BOX, PUPIL = "192.168.1.1", "10.0.6.1"
KNOWN: dict[str, dict[str, Any]] = {
    "closed.example": {},
    "other.example": {},
    "harm.example": {"reason": "help", "category": None, "may_ask": False},
    "open.example": {"reason": "open", "may_ask": False},
    "check.example": {"reason": "check", "may_ask": False},
    "box.home.arpa": {"reason": "home", "may_ask": False},
}


class School:
    """A browser's requests to a service whose manager a test makes up."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str]] = []
        self.is_there = True
        self.refuses = ""

    def ask(self, _: Path, command: str, **asked: Any) -> Any:
        if not self.is_there:
            raise ControlError(say("it does not run"))
        if command == "page-school":
            return {"school": "Trường mẫu", "contact": "", "time_zone": "Asia/Ho_Chi_Minh"}
        if command == "page-ask":
            if self.refuses:
                raise ChangeError(say("this device has asked often enough today"))
            self.asked.append((asked["address"], asked["name"], asked["why"]))
            return {"noted": True}
        if asked["address"] != PUPIL and asked["address"] != "10.0.6.2":
            return None
        if asked["name"] not in KNOWN:
            raise ChangeError(say("it is not a host"))
        return CLOSED | {"name": asked["name"]} | KNOWN[asked["name"]]

    def replies(self, *requests: HttpRequest) -> list[Reply]:
        async def whole() -> list[Reply]:
            return [await self.service.handle(request) for request in requests]

        self.answers = ManagerAnswers(Path("x"), FakeClock(), self.ask)
        try:
            return asyncio.run(whole())
        finally:
            self.answers.close()

    @property
    def service(self) -> PageService:
        self._tokens = getattr(self, "_tokens", ReviewTokens(FakeClock()))
        return PageService(self.answers, self._tokens)

    def page(self, target: str, host: str = BOX, **how: Any) -> str:
        (reply,) = self.replies(a_request(target, host, **how))
        assert reply.status is HTTPStatus.OK
        return reply.content.decode()

    def token(self, host: str = BOX, name: str = "closed.example", client: str = PUPIL) -> str:
        target = "/" if host == name else f"/why?name={name}"
        found = re.search(r'name="token" value="(\w+)"', self.page(target, host, client=client))
        assert found is not None
        return found[1]


def a_request(
    target: str,
    host: str = BOX,
    *,
    method: str = "GET",
    body: str = "",
    client: str = PUPIL,
    **headers: str,
) -> HttpRequest:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    headers = {"host": host, "accept-language": "en", **named}
    return HttpRequest(method, target, headers, body.encode(), client, BOX)


def a_form(name: str, token: str, host: str = BOX, why: str = "lesson", **how: Any) -> HttpRequest:
    body = urlencode({"name": name, "token": token, "why": why})
    return a_request("/ask", host, method="POST", body=body, **how)


@pytest.fixture
def school() -> School:
    return School()


def test_on_the_box_a_name_is_typed_and_explained(school: School) -> None:
    assert "<h1>Why does a page not open?</h1>" in school.page("/")
    page = school.page("/why?name=https://closed.example/x")
    assert "<h1>closed.example is not open to class 6A yet</h1>" in page
    assert 'action="/ask"' in page


def test_any_other_host_gets_its_own_page_whatever_the_path(school: School) -> None:
    for target in ("/", "/ads.js", "/why?name=other.example", "/ask"):
        page = school.page(target, "closed.example:80")
        assert "<h1>closed.example is not open to class 6A yet</h1>" in page
        assert "other.example" not in page
    assert "open.example is open to class 6A" in school.page("/", "open.example")


def test_a_name_of_the_box_is_the_box(school: School) -> None:
    for host in ("box.home.arpa", "filterd", "", "[fd00::1]:80"):
        assert "Why does a page not open?" in school.page("/", host)


def test_a_closed_page_is_no_error_and_no_redirect_and_has_a_strict_policy(school: School) -> None:
    (reply,) = school.replies(a_request("/", "closed.example"))
    assert reply.status is HTTPStatus.OK
    assert "location" not in {name.lower() for name, _ in reply.headers}
    assert "default-src 'none'" in dict(reply.headers)["Content-Security-Policy"]


def test_the_check_for_a_captive_portal_finds_neither_a_portal_nor_the_internet(
    school: School,
) -> None:
    for target in ("/generate_204", "/hotspot-detect.html", "/"):
        (reply,) = school.replies(a_request(target, "check.example"))
        assert (reply.status, reply.content) == (HTTPStatus.SERVICE_UNAVAILABLE, b"")


@pytest.mark.parametrize(
    ("accepted", "lang", "language"),
    [
        ("", "", "vi"),
        ("en-GB,en;q=0.9", "", "en"),
        ("fr,vi;q=0.5,en;q=0.1", "", "vi"),
        ("en", "vi", "vi"),
        ("vi", "en", "en"),
        ("vi", "xx", "vi"),
        (",;q=" * 100_000, "", "vi"),
    ],
)
def test_the_language_is_the_browsers_or_the_one_that_is_chosen(
    school: School, accepted: str, lang: str, language: str
) -> None:
    page = school.page(f"/?lang={lang}", accept_language=accepted)
    assert f'<html lang="{language}">' in page


def test_a_device_of_no_network_gets_nothing(school: School) -> None:
    for target, host in (("/why?name=closed.example", BOX), ("/", "closed.example")):
        (reply,) = school.replies(a_request(target, host, client="192.0.2.9"))
        assert reply.status is HTTPStatus.FORBIDDEN
        assert b"Social media" not in reply.content


@pytest.mark.parametrize("name", ["", "a", "..", "%00", "<script>", "a" * 3000, "%FF%FE", "::1"])
def test_what_is_no_address_is_reported_as_such(school: School, name: str) -> None:
    page = school.page(f"/why?name={name}")
    assert "This is not an address" in page
    assert "<script" not in page


def test_a_manager_that_does_not_answer_is_reported_and_comes_back(school: School) -> None:
    school.is_there = False
    (reply,) = school.replies(a_request("/why?name=closed.example"))
    assert reply.status is HTTPStatus.SERVICE_UNAVAILABLE
    assert b"The filter does not answer at the moment" in reply.content
    school.is_there = True
    assert "closed.example is not open" in school.page("/why?name=closed.example")


def test_a_path_that_is_not_there_is_reported_as_such(school: School) -> None:
    for target in ("/../etc/passwd", "//why", "/why/x", "/favicon.ico"):
        (reply,) = school.replies(a_request(target))
        assert reply.status is HTTPStatus.NOT_FOUND


def test_a_review_is_asked_with_the_token_of_the_page(school: School) -> None:
    (reply,) = school.replies(a_form("closed.example", school.token()))
    assert b"Thank you, it has been sent" in reply.content
    token = school.token("closed.example")
    (reply,) = school.replies(a_form("closed.example", token, "closed.example"))
    assert school.asked == [(PUPIL, "closed.example", "lesson")] * 2


def test_what_the_manager_refuses_is_reported(school: School) -> None:
    token = school.token()
    school.refuses = "yes"
    (reply,) = school.replies(a_form("closed.example", token))
    assert reply.status is HTTPStatus.OK
    assert b"this device has asked often enough today." in reply.content


def _foreign_forms(token: str) -> list[HttpRequest]:
    return [
        a_form("closed.example", ""),
        a_form("other.example", token),
        a_form("closed.example", token, client="10.0.6.2"),
        a_form("closed.example", token, origin="http://evil.example"),
        a_form("closed.example", token, origin="null"),
        a_form("closed.example", token, sec_fetch_site="cross-site"),
        a_form("closed.example", token, host="other.example"),
        a_request("/ask", method="POST", body="name=closed.example&name&token"),
        a_request("/ask", method="POST", body="\x00\udcff".encode("utf-8", "replace").decode()),
    ]


def test_a_foreign_page_asks_for_nothing(school: School) -> None:
    for form in _foreign_forms(school.token()):
        (reply,) = school.replies(form)
        assert reply.status is HTTPStatus.FORBIDDEN
    assert school.asked == []


def test_control_without_the_token_a_foreign_page_asks(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ReviewTokens, "is_valid", lambda *_: True)
    school.replies(*_foreign_forms(""))
    assert len(school.asked) > 0


def test_to_ask_by_get_is_no_request(school: School) -> None:
    target = f"/ask?name=closed.example&why=lesson&token={school.token()}"
    (reply,) = school.replies(a_request(target))
    assert reply.status is HTTPStatus.NOT_FOUND
    assert school.asked == []


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("tiktok.com", "tiktok.com"),
        ("  https://WWW.TikTok.com:443/@x?a=b#c ", "www.tiktok.com"),
        ("lan@mail.example/x", "mail.example"),
        ("báo.vn.", "báo.vn"),
        ("127.0.0.1:8080", "127.0.0.1"),
        ("[::1]:80", "::1"),
        ("", ""),
        ("http://[::1", ""),
        ("a" * 5_000, "a" * 2_000),
        ("//a.example/x", ""),
    ],
)
def test_a_host_is_found(text: str, host: str) -> None:
    assert host_of(text) == host


def test_a_token_is_valid_for_its_address_and_name_only() -> None:
    tokens = ReviewTokens(FakeClock())
    token = tokens.token("10.0.6.1", "a.example")
    assert tokens.is_valid(token, "10.0.6.1", "a.example")
    for given, address, name in (
        (token, "10.0.6.2", "a.example"),
        (token, "10.0.6.1", "b.example"),
        ("", "10.0.6.1", "a.example"),
        ("đ" * 32, "10.0.6.1", "a.example"),
        (ReviewTokens(FakeClock()).token("10.0.6.1", "a.example"), "10.0.6.1", "a.example"),
    ):
        assert not tokens.is_valid(given, address, name)


def test_it_ends() -> None:
    clock = FakeClock()
    tokens = ReviewTokens(clock)
    token = tokens.token("10.0.6.1", "a.example")
    clock.advance(TOKEN_VALID_S)
    assert tokens.is_valid(token, "10.0.6.1", "a.example")
    clock.advance(TOKEN_VALID_S)
    assert not tokens.is_valid(token, "10.0.6.1", "a.example")
