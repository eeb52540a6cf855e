# SPDX-License-Identifier: Apache-2.0
"""People sign in by password, by a code for once, by the PIN of their device; and out."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest

from filterd.base.errors import ControlError
from filterd.texts.i18n import say
from filterd.web.visitor import SESSION_COOKIE as COOKIE
from tests.support.web_requests import CSRF, OF_FORM, ORIGIN, TOKEN, FakeManager

if TYPE_CHECKING:
    from tests.support.web_school import Reply

STRANGER = {**ORIGIN, "content-type": "application/x-www-form-urlencoded"}
ON_DEVICE = {**STRANGER, "cookie": "__Host-device=device-of-lan"}


def _send(
    manager: FakeManager, path: str, headers: dict[str, str] | None = None, **fields: str
) -> Reply:
    return manager.send("POST", path, urlencode(fields).encode(), headers or STRANGER)


@pytest.fixture(autouse=True)
def _lets_in(manager: FakeManager) -> None:
    for command in ("login", "login-code", "login-pin"):
        manager.answers[command] = {"token": "new-token", "account": "lan"}


@pytest.mark.parametrize(
    ("path", "fields", "asked"),
    [
        (
            "/login",
            {"account": "lan", "password": "x", "code": "123456"},
            ("login", {"account": "lan", "password": "x", "code": "123456"}),
        ),
        ("/login/code/abc", {}, ("login-code", {"code": "abc"})),
        ("/login/pin", {"pin": "123456"}, ("login-pin", {"pin": "123456"})),
    ],
)
def test_each_way_begins_a_session(
    manager: FakeManager, path: str, fields: dict[str, str], asked: tuple[str, dict[str, str]]
) -> None:
    reply = _send(manager, path, ON_DEVICE, back="/of/6A", **fields)
    assert (reply.status, reply.headers["location"]) == (303, "/of/6A")
    assert reply.cookies == {COOKIE: "new-token"}
    for attribute in ("HttpOnly", "Secure", "SameSite=strict", "Path=/"):
        assert attribute in reply.headers["set-cookie"]
    command, given = manager.asked[-1]
    assert (command, given) == (
        asked[0],
        {**asked[1], "device": "device-of-lan", "act_for": "", "address": "192.0.2.7"},
    )


def test_a_wrong_password_shows_the_form_again_without_it(manager: FakeManager) -> None:
    error = ControlError(say("wrong account or password"))
    error.code = "wrong-password"
    manager.answers["login"] = error
    reply = _send(manager, "/login", account="lan", password="my secret", back="/of/6A")
    assert reply.status == 403
    assert "wrong account or password" in reply.text
    assert "my secret" not in reply.text
    assert 'value="/of/6A"' in reply.text
    assert not reply.cookies


def test_a_link_that_is_only_fetched_makes_no_sign_in(manager: FakeManager) -> None:
    assert manager.send("GET", "/login/code/abc").status == 200
    assert not manager.times("login-code")


def test_a_device_is_enrolled_by_its_code_and_remembered_for_half_a_year(
    manager: FakeManager,
) -> None:
    manager.answers["account device-redeem"] = {"id": "1", "device": "secret", "account": "lan"}
    assert 'name="pin_again"' in manager.send("GET", "/device/abc").text
    wrong = _send(manager, "/device/abc", name="Phone", pin="123456", pin_again="123457")
    assert (wrong.status, manager.times("account device-redeem")) == (422, 0)
    reply = _send(manager, "/device/abc", name="Phone", pin="123456", pin_again="123456")
    assert reply.cookies == {"__Host-device": "secret"}
    assert "Max-Age=15552000" in reply.headers["set-cookie"]
    assert "Phone" in reply.text


def test_an_enrolled_device_is_offered_its_pin(manager: FakeManager) -> None:
    assert 'action="/login/pin"' in manager.send("GET", "/login", headers=ON_DEVICE).text
    assert 'action="/login/pin"' not in manager.send("GET", "/login").text


def test_signing_out_ends_the_session_and_its_cookie(manager: FakeManager) -> None:
    manager.answers["logout"] = None
    assert _send(manager, "/logout", OF_FORM).status == 403
    assert not manager.times("logout")
    reply = _send(manager, "/logout", OF_FORM, csrf=CSRF)
    assert (reply.status, reply.cookies) == (303, {COOKIE: '""'})
    assert manager.asked[-1] == ("logout", {"act_for": TOKEN, "address": "192.0.2.7"})
