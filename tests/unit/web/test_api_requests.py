# SPDX-License-Identifier: Apache-2.0
"""A program sends JSON and gets JSON, or the details of a problem."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from filterd.base.errors import ControlError
from filterd.overrides.rights.roles import Role
from filterd.texts.i18n import say
from filterd.web import operations
from tests.support.web_requests import CSRF, ORIGIN, SIGNED_IN, FakeManager

if TYPE_CHECKING:
    from tests.support.web_school import Reply

OPERATIONS = operations.ORDER
PROGRAM = {"authorization": "Bearer api-token", "content-type": "application/json"}


def _post(manager: FakeManager, body: str = "{}", headers: dict[str, str] | None = None) -> Reply:
    return manager.send(
        "POST", "/api/v1/names/a.example", body.encode("latin-1"), headers or PROGRAM
    )


@pytest.fixture(autouse=True)
def _answers(manager: FakeManager) -> None:
    manager.answers |= {"open": {"name": "a.example"}, "names": ["a.example"]}


def test_values_come_from_path_query_and_body(manager: FakeManager) -> None:
    assert _post(manager, '{"twice": true}').json == {"name": "a.example"}
    given = manager.asked[-1][1]
    assert given == {
        "act_for": "api-token",
        "address": "192.0.2.7",
        "name": "a.example",
        "twice": True,
    }
    assert manager.send("GET", "/api/v1/names?begin=a", headers=PROGRAM).json == ["a.example"]
    assert manager.asked[-1][1]["begin"] == "a"


def test_a_file_comes_with_its_type_and_name(manager: FakeManager) -> None:
    reply = manager.send("POST", "/api/v1/files", b"", PROGRAM)
    assert (reply.status, reply.text) == (200, "<p>made")
    assert reply.headers["content-type"].startswith("text/html")
    assert reply.headers["content-disposition"] == 'attachment; filename="a.html"'


@pytest.mark.parametrize("path", ["9%2F3", "9%2f3"])
def test_a_key_of_the_path_has_a_slash_percent_encoded(manager: FakeManager, path: str) -> None:
    reply = manager.send("POST", f"/api/v1/names/{path}", b"{}", PROGRAM)
    assert reply.status == 200
    assert manager.asked[-1][1]["name"] == "9/3"


@pytest.mark.parametrize(
    "path", ["/api/v1/names/9/3", "/api/v1%2Fnames/a", "/api%2Fv1/names/a", "/api/v1/names/%2e%2e"]
)
def test_no_other_path_is_taken_for_it(manager: FakeManager, path: str) -> None:
    assert manager.send("POST", path, b"{}", PROGRAM).status in (400, 404, 405)
    assert not manager.times("open")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("[]", 400),
        ("{", 400),
        ('{"twice": NaN}', 400),
        ('{"a": "\\ud800"}', 400),
        ("[" * 60_000, 400),
        ("\xff", 400),
        ('{"nothing": 1}', 422),
        ('{"twice": "perhaps"}', 422),
    ],
)
def test_what_is_no_object_of_known_fields_is_refused(
    manager: FakeManager, body: str, status: int
) -> None:
    reply = _post(manager, body)
    assert reply.status == status
    assert reply.headers["content-type"] == "application/problem+json"
    assert not manager.times("open")


def test_a_browser_needs_the_token_of_its_session_as_a_header(manager: FakeManager) -> None:
    browser = {**SIGNED_IN, **ORIGIN, "content-type": "application/json"}
    assert _post(manager, headers=browser).status == 403
    assert _post(manager, headers={**browser, "x-csrf": CSRF}).status == 200


@pytest.mark.parametrize("scheme", ["Basic api-token", "Bearer", "Bearer "])
def test_a_program_has_a_bearer_token_and_no_cookie_counts_beside_it(
    manager: FakeManager, scheme: str
) -> None:
    _post(manager, headers={**PROGRAM, **SIGNED_IN, "authorization": scheme})
    tokens = [given["act_for"] for command, given in manager.asked if command == "session"]
    assert "token-of-lan" not in tokens


def test_a_role_is_judged_before_anything_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without ``ip`` answers 403 to a person who may not, and not its own trouble."""
    monkeypatch.setattr(operations, "ORDER", OPERATIONS)
    manager = FakeManager(monkeypatch, "reader")
    manager.answers["devices"] = ControlError(say("the command `ip` does not list the devices"))
    beyond = [one for one in OPERATIONS if Role.READER not in one.roles]
    assert {"assignDevices", "nameDevice"} <= {one.name for one in beyond}
    for one in beyond:
        manager.asked.clear()
        path = re.sub(r"\{\w+\}", "x", one.path)
        body = b"" if one.method in ("GET", "DELETE") else b'{"of no field": 1}'
        reply = manager.send(one.method, f"/api/v1{path}", body, PROGRAM)
        assert (reply.status, reply.json["code"]) == (403, "control"), one.name
        assert f"these roles may: {', '.join(sorted(one.roles))}" in reply.json["detail"]
        assert {command for command, _ in manager.asked} <= {"admit", "school", "session"}


def test_without_a_token_one_has_to_sign_in(manager: FakeManager) -> None:
    for path in ("/api/v1/names", "/api/v1/openapi.json"):
        reply = manager.send("GET", path)
        assert (reply.status, reply.headers["www-authenticate"]) == (401, "Bearer")
        assert reply.json["type"] == "urn:filterd:error:sign-in"


def test_a_refusal_of_the_manager_keeps_its_code(manager: FakeManager) -> None:
    error = ControlError(say("too many"))
    error.code = "slow-down"
    manager.answers["names"] = error
    reply = manager.send("GET", "/api/v1/names", headers=PROGRAM)
    assert (reply.status, reply.json["type"]) == (429, "urn:filterd:error:slow-down")


def test_the_description_has_every_operation(manager: FakeManager) -> None:
    found = json.loads(manager.send("GET", "/api/v1/openapi.json", headers=PROGRAM).text)
    assert set(found["paths"]) == {"/files", "/names", "/names/{name}"}
