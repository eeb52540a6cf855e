# SPDX-License-Identifier: Apache-2.0
"""A form makes one change and shows its page again, with what was done or what is wrong."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest

from filterd.base.errors import ControlError
from filterd.texts.i18n import say
from filterd.web.change_forms import PENDING_FOR_S, PendingForms
from tests.support.clock import FakeClock
from tests.support.web_requests import CSRF, OF_FORM, FakeManager

if TYPE_CHECKING:
    from tests.support.web_school import Reply


def _make(manager: FakeManager, **more: str) -> Reply:
    given = {"csrf": CSRF, "back": "/of/6A?a=1", "name": "a.example", "twice": "on", **more}
    return manager.send("POST", "/do/openName", urlencode(given).encode(), OF_FORM)


def _error(code: str) -> ControlError:
    error = ControlError(say("refused by the manager"))
    error.code = code
    return error


@pytest.fixture(autouse=True)
def _opens(manager: FakeManager) -> None:
    manager.answers["open"] = {"name": "a.example"}


def test_what_was_done_is_reported_once_on_the_page(manager: FakeManager) -> None:
    reply = _make(manager)
    assert (reply.status, reply.headers["location"]) == (303, "/of/6A?a=1")
    assert manager.asked[-1][1]["name"] == "a.example"
    assert "a.example is open" in manager.get("/of/6A").text
    assert "a.example is open" not in manager.get("/of/6A").text


def test_what_is_wrong_is_reported_on_the_page(manager: FakeManager) -> None:
    reply = _make(manager, name="a" * 30)
    assert reply.status == 422
    assert "a text of 0 to 20 characters" in reply.text
    assert 'action="/login/code/6A"' in reply.text
    manager.answers["open"] = _error("control")
    reply = _make(manager)
    assert reply.status == 403
    assert "refused by the manager" in reply.text


def test_a_file_is_the_answer_and_one_to_look_at_is_in_a_sandbox(manager: FakeManager) -> None:
    kept, shown = (
        manager.send("POST", "/do/makeFile", urlencode({"csrf": CSRF, **more}).encode(), OF_FORM)
        for more in ({}, {"shown": "on"})
    )
    assert kept.status == shown.status == 200
    assert kept.text == shown.text == "<p>made"
    assert kept.headers["content-disposition"] == 'attachment; filename="a.html"'
    assert "require-trusted-types-for" in kept.headers["content-security-policy"]
    assert shown.headers["content-security-policy"].startswith("sandbox; ")
    assert shown.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("openName", {"csrf": "x"}),
        ("readNames", {}),
        ("nothing", {}),
    ],
)
def test_only_forms_of_own_pages_change_something(
    manager: FakeManager, name: str, fields: dict[str, str]
) -> None:
    given = urlencode({"csrf": CSRF, "name": "a", **fields}).encode()
    assert manager.send("POST", f"/do/{name}", given, OF_FORM).status == 403
    assert not manager.times("open")


def test_a_change_of_other_roles_is_refused(manager: FakeManager) -> None:
    manager.answers["session"]["roles"] = ["reader"]
    assert _make(manager).status == 403
    assert not manager.times("open")


def _waits(manager: FakeManager) -> dict[str, str]:
    """Make a change that needs the password; return the fields of the page that asks it."""
    manager.answers["open"] = _error("password-needed")
    page = _make(manager)
    assert page.status == 403
    manager.answers |= {"open": {"name": "a.example"}, "confirm-password": {"for_s": 300}}
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page.text))


def _with_password(manager: FakeManager, asked: dict[str, str]) -> Reply:
    given = {**asked, "step_up_password": "right", "step_up_code": "123456"}
    return manager.send("POST", "/do/openName", urlencode(given).encode(), OF_FORM)


def test_the_password_is_asked_for_and_the_form_done_afterwards(manager: FakeManager) -> None:
    asked = _waits(manager)
    assert asked.keys() >= {"csrf", "back", "pending"}
    assert asked["back"] == "/of/6A?a=1"
    assert "a.example" not in asked.values()
    assert _with_password(manager, asked).status == 303
    assert manager.asked[-1][1]["name"] == "a.example"
    confirmed = next(given for command, given in manager.asked if command == "confirm-password")
    assert (confirmed["password"], confirmed["code"]) == ("right", "123456")


def test_a_form_waits_once(manager: FakeManager) -> None:
    asked = _waits(manager)
    _with_password(manager, asked)
    done = manager.times("open")
    reply = _with_password(manager, asked)
    assert reply.status == 409
    assert "Fill the form in again" in reply.text
    assert manager.times("open") == done


@pytest.mark.parametrize("code", ["wrong-password", "code-needed"])
def test_a_wrong_password_is_asked_for_again(manager: FakeManager, code: str) -> None:
    manager.answers["confirm-password"] = _error(code)
    reply = _make(manager, step_up_password="wrong")
    assert "refused by the manager" in reply.text
    assert 'name="step_up_password"' in reply.text
    assert "wrong<" not in reply.text
    assert not manager.times("open")


FIELDS = {"password": "s3cret"}


def test_a_form_is_taken_once_by_its_own_session_for_its_own_operation() -> None:
    forms = PendingForms(FakeClock())
    key = forms.keep("lan", "setPassword", FIELDS)
    assert forms.take("minh", "setPassword", key) is None
    assert forms.take("lan", "addAccount", key) is None
    assert forms.take("lan", "setPassword", key) == FIELDS
    assert forms.take("lan", "setPassword", key) is None


def test_a_form_is_forgotten_after_some_minutes() -> None:
    clock = FakeClock()
    forms = PendingForms(clock)
    key = forms.keep("lan", "setPassword", FIELDS)
    clock.advance(PENDING_FOR_S)
    assert forms.take("lan", "setPassword", key) is None


def test_a_session_with_many_forms_pushes_out_only_its_own() -> None:
    forms = PendingForms(FakeClock())
    others = forms.keep("lan", "setPassword", FIELDS)
    keys = [forms.keep("minh", "setPassword", FIELDS) for _ in range(100)]
    assert forms.take("lan", "setPassword", others) == FIELDS
    assert sum(forms.take("minh", "setPassword", key) is not None for key in keys) == 4


def test_all_sessions_together_keep_a_bounded_number() -> None:
    forms = PendingForms(FakeClock())
    keys = [(str(one), forms.keep(str(one), "setPassword", FIELDS)) for one in range(100)]
    assert sum(forms.take(token, "setPassword", key) is not None for token, key in keys) == 64
