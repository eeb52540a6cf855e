# SPDX-License-Identifier: Apache-2.0
"""Commands are asked in the name of the visitor, known by a cookie or a program's header."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from starlette.requests import Request
from starlette.responses import Response

from filterd.base.errors import ControlError
from filterd.operations.operation import ADMINS, EVERYONE, Operation
from filterd.operations.request import OperationRequest
from filterd.texts.i18n import say
from filterd.web import visitor as module
from filterd.web.visitor import (
    ADMITTED_FOR_S,
    DEVICE_COOKIE,
    AdmittedDevices,
    Visitor,
    Visitors,
    forget_cookie,
    keep_cookie,
    token_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from filterd.overrides.rights.roles import Role
    from tests.support.web_requests import FakeManager


@dataclass(frozen=True, slots=True)
class Open(OperationRequest[Any], command="open"):
    """Open something."""


def _operation(roles: frozenset[Role], name: str = "x") -> Operation:
    return Operation(
        name=name, method="POST", path="/x", about="X.", request=Open, answer={}, roles=roles
    )


def test_the_token_and_address_go_with_each_command(manager: FakeManager) -> None:
    manager.answers["open"] = 7
    visitor = Visitor(Path("/nowhere"), "192.0.2.7", "t")
    assert asyncio.run(visitor.call(_operation(EVERYONE))) == 7
    assert manager.asked == [("open", {"act_for": "t", "address": "192.0.2.7"})]


def test_a_page_shows_what_the_roles_may(manager: FakeManager) -> None:
    visitor = Visitor(Path("/nowhere"), token="t")
    assert not visitor.may(_operation(EVERYONE))
    manager.answers["session"]["roles"] = ["reader"]
    asyncio.run(visitor.identify())
    assert visitor.may(_operation(EVERYONE))
    assert not visitor.may(_operation(ADMINS))


def test_a_form_that_failed_shows_what_was_given() -> None:
    visitor = Visitor(Path("/nowhere"), failed="x", given={"name": "given"})
    assert visitor.filled(_operation(EVERYONE), "name", "usual") == "given"
    assert visitor.filled(_operation(EVERYONE, "y"), "name", say("usual")) == "usual"


def _request(path: str = "/", **headers: str) -> Request:
    given = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    scope: dict[str, Any] = {"type": "http", "path": path, "query_string": b"", "headers": given}
    return Request({**scope, "client": ("192.0.2.7", 0)})


@pytest.mark.parametrize(
    ("path", "headers", "token"),
    [
        ("/", {}, ""),
        ("/", {"cookie": "__Host-sid=a"}, "a"),
        ("/", {"cookie": "__Host-sid=a; __Host-device=b"}, "a~b"),
        ("/", {"cookie": "__Host-device=b"}, ""),
        ("/", {"cookie": "__Host-sid=a", "authorization": "Bearer t"}, "a"),
        ("/api/v1/x", {"cookie": "__Host-sid=a", "authorization": "Bearer t"}, "t"),
        ("/api/v1/x", {"cookie": "__Host-sid=a", "authorization": "Basic t"}, "-"),
        ("/api/v1/x", {"cookie": "__Host-sid=a"}, "a"),
        ("/", {"cookie": f"__Host-sid={'a' * 300}; __Host-device={'b' * 300}"}, None),
    ],
)
def test_the_token_of_a_request(path: str, headers: dict[str, str], token: str | None) -> None:
    found = token_of(_request(path, **headers))
    assert len(found) <= 256 if token is None else found == token


def test_a_sentence_is_kept_for_one_page_of_one_session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_NOTES", 2)
    kept = Visitors(Path("/nowhere"))
    for token in ("a", "b", "c"):
        kept.note(token, say("Menu"))
    seen = []
    for token in ("a", "c", "c"):
        visitor = kept.stranger(_request())
        visitor.token = token
        kept.take_note(visitor)
        seen.append(len(visitor.done))
    assert seen == [0, 1, 0]


def test_what_a_change_made_is_shown_once_too() -> None:
    kept = Visitors(Path("/nowhere"))
    kept.note("a", say("Menu"), {"codes": ["x"]})
    first, second = (Visitor(Path("/nowhere"), token="a") for _ in range(2))
    kept.take_note(first)
    kept.take_note(second)
    assert (first.made, second.made) == ({"codes": ["x"]}, {})


@pytest.fixture
def admits(manager: FakeManager) -> Callable[..., bool]:
    devices = AdmittedDevices(Path("/nowhere"), manager.clock)
    return lambda *asked: asyncio.run(devices.admits(*asked))


def test_a_decision_holds_for_half_a_minute(
    manager: FakeManager, admits: Callable[..., bool]
) -> None:
    assert admits("192.0.2.7", "")
    manager.answers["admit"] = {"admitted": False, "device": ""}
    assert admits("192.0.2.7", "")
    manager.clock.advance(ADMITTED_FOR_S)
    assert not admits("192.0.2.7", "")


def test_each_address_device_code_and_token_is_asked_about(
    manager: FakeManager, admits: Callable[..., bool]
) -> None:
    for asked in (("a", ""), ("b", ""), ("a", "device"), ("a", "", "code"), ("a", "", "", "t")):
        admits(*asked)
        admits(*asked)
    assert manager.times("admit") == 5
    assert manager.asked[-1][1] == {"act_for": "t", "address": "a"}


def test_what_is_remembered_is_bounded(
    manager: FakeManager, admits: Callable[..., bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MOST_DEVICES", 2)
    for address in ("a", "b", "c", "a"):
        admits(address, "")
    assert manager.times("admit") == 4


def test_without_an_answer_nothing_is_admitted(
    manager: FakeManager, admits: Callable[..., bool]
) -> None:
    manager.answers["admit"] = ControlError(say("stopped"))
    with pytest.raises(ControlError):
        admits("192.0.2.7", "")


def test_a_cookie_is_kept_and_forgotten_with_the_same_safeguards() -> None:
    kept, forgotten = Response(), Response()
    keep_cookie(kept, DEVICE_COOKIE, "secret", 60)
    forget_cookie(forgotten, DEVICE_COOKIE)
    for response in (kept, forgotten):
        (header,) = response.headers.getlist("set-cookie")
        assert header.startswith("__Host-device=")
        assert {"HttpOnly", "Path=/", "SameSite=strict", "Secure"} <= set(header.split("; "))
        assert "Domain" not in header
    assert "Max-Age=60" in kept.headers["set-cookie"]
    assert "Max-Age=0" in forgotten.headers["set-cookie"]
