# SPDX-License-Identifier: Apache-2.0
"""A page is shown to permitted roles only; an error has a page, too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.accounts.sessions import sign_in_again
from filterd.base.errors import ControlError, FilterdError
from filterd.control import UnansweredError
from filterd.texts.i18n import say
from filterd.web.visitor import SESSION_COOKIE as COOKIE
from tests.support.web_requests import TOKEN, FakeManager

if TYPE_CHECKING:
    from collections.abc import Mapping


def test_a_page_gets_its_keys_and_query(manager: FakeManager) -> None:
    assert 'action="/login/code/6A"' in manager.get("/of/6A").text
    assert 'action="/login/code/first"' in manager.get("/?lang=vi").text


def test_the_manager_gets_the_token_and_the_address(manager: FakeManager) -> None:
    manager.get("/")
    assert ("session", {"act_for": TOKEN, "address": "192.0.2.7"}) in manager.asked
    manager.get("/", cookie=f"{COOKIE}=a; __Host-device=b")
    assert ("session", {"act_for": "a~b", "address": "192.0.2.7"}) in manager.asked


def test_without_a_session_one_signs_in_and_comes_back(manager: FakeManager) -> None:
    reply = manager.send("GET", "/of/6A?a=1")
    assert (reply.status, reply.headers["location"]) == (303, "/login?back=/of/6A%3Fa%3D1")


def test_a_page_of_other_roles_is_not_there(manager: FakeManager) -> None:
    manager.answers["session"]["roles"] = ["reader"]
    assert (manager.get("/").status, manager.get("/of/6A").status) == (200, 404)


def test_where_the_session_has_ended_one_signs_in_again(manager: FakeManager) -> None:
    manager.answers["session"] = sign_in_again()
    reply = manager.get("/")
    assert reply.status == 401
    assert "sign in again" in reply.text
    assert reply.cookies == {COOKIE: '""'}


@pytest.mark.parametrize(
    ("error", "status", "more"),
    [
        (UnansweredError(say("gone")), 503, {"refresh": "5", "retry-after": "5"}),
        (ControlError(say("not yours")), 403, {}),
    ],
)
def test_an_error_of_the_manager_has_a_page(
    manager: FakeManager, error: FilterdError, status: int, more: Mapping[str, str]
) -> None:
    manager.answers["session"] = error
    reply = manager.get("/")
    assert reply.status == status
    assert str(error) in reply.text
    assert "Trường mẫu" in reply.text
    assert reply.headers.items() >= more.items()


def test_while_filterd_is_away_the_page_comes_back_by_itself(manager: FakeManager) -> None:
    manager.get("/")
    manager.answers |= dict.fromkeys(("school", "session"), UnansweredError(say("gone")))
    assert manager.get("/").status == 503
    manager.clock.advance(60)
    manager.answers["admit"] = UnansweredError(say("gone"))
    reply = manager.get("/")
    assert (reply.status, reply.headers["refresh"]) == (503, "5")


def test_changes_of_a_page_are_a_stream_of_events(manager: FakeManager) -> None:
    reply = manager.get("/?name=a.example", accept="text/event-stream")
    assert reply.headers["content-type"].startswith("text/event-stream")
    assert 'data: {"row": ["a.example"]}\n\n' in reply.text
