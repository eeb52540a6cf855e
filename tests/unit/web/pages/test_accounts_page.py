# SPDX-License-Identifier: Apache-2.0
"""An administrator changes all accounts, each person the own one; secrets are shown once."""

from __future__ import annotations

from typing import Any

import pytest

from filterd.overrides.rights.roles import Role
from filterd.web.pages.accounts_page import ACCOUNTS_PAGE, OWN_PAGE
from tests.support.rendered import MadeVisitor, a_visitor, rendered
from tests.support.school_answers import HOSTILE, NOW

ACCOUNT: dict[str, Any] = {
    "account": "mai",
    "roles": ["reader", "teacher"],
    "disabled": False,
    "password": True,
    "totp": False,
    "recovery": 0,
    "made_at": NOW,
    "failed": 0,
    "sessions": 1,
    "devices": 1,
    "tokens": 1,
}
DEVICE: dict[str, Any] = {
    "id": "d1",
    "name": HOSTILE,
    "account": "mai",
    "state": "waiting",
    "made_at": NOW,
    "ends_at": NOW,
    "used_on": None,
    "tries_left": 5,
}
TOKEN: dict[str, Any] = {
    "id": "t1",
    "name": "sao lưu",
    "account": "mai",
    "role": "reader",
    "scope": "totals",
    "addresses": [],
    "made_at": NOW,
    "ends_at": NOW,
    "used_on": None,
    "ended": False,
}


def _visitor(*roles: Role) -> MadeVisitor:
    answers = {
        "account list": [ACCOUNT, {**ACCOUNT, "account": "old", "disabled": True}],
        "account device-list": [{**DEVICE, "id": "d0", "state": "confirmed"}, DEVICE],
        "account token-list": [TOKEN],
    }
    return a_visitor(answers, *roles)


def test_an_administrator_changes_accounts_and_confirms_devices() -> None:
    shown = rendered(ACCOUNTS_PAGE, _visitor())
    for label in ("Disable: mai", "Enable: old", "Code for one sign-in: mai"):
        assert f'aria-label="{label}"' in shown
    assert shown.count('action="/do/confirmDevice"') == 1
    assert HOSTILE not in shown


def test_devices_that_wait_come_first() -> None:
    shown = rendered(ACCOUNTS_PAGE, _visitor())
    assert shown.index('name="id" value="d1"') < shown.index('name="id" value="d0"')


def test_only_administrators_have_the_page() -> None:
    assert ACCOUNTS_PAGE.roles == {Role.ADMIN}


SECRET = {"secret": "JBSWY3DP", "uri": "otpauth://totp/filterd:lan?secret=JBSWY3DP"}
CODES = {"codes": ["aaaa-bbbb", "cccc-dddd"]}


def _own_visitor(*roles: Role, **session: Any) -> MadeVisitor:
    known = {"account": "lan", "roles": ["reader"], "classes": [], "is_fresh": False}
    answers = {
        "session": {**known, "has_password": True, "has_totp": False, **session},
        "account device-list": [DEVICE],
        "account token-list": [TOKEN],
    }
    return a_visitor(answers, *roles)


@pytest.mark.parametrize("role", list(Role))
def test_every_role_has_the_own_password_app_devices_tokens_and_sessions(role: Role) -> None:
    visitor = _own_visitor(role)
    shown = rendered(OWN_PAGE, visitor)
    for name in ("setPassword", "setTotp", "revokeDevice", "revokeToken", "endOtherSessions"):
        assert f'action="/do/{name}"' in shown
    lists = [given for command, given in visitor.asked if command.endswith("-list")]
    assert lists == [{"account": "lan"}] * 2
    assert f'value="{role}"' in shown


def test_the_key_of_an_app_is_shown_once_as_a_picture_and_as_text() -> None:
    visitor = _own_visitor()
    visitor.made = SECRET
    shown = rendered(OWN_PAGE, visitor)
    assert "<svg" in shown
    assert "style=" not in shown
    assert "<code>JBSWY3DP</code>" in shown
    assert 'name="code"' in shown
    assert "<svg" not in rendered(OWN_PAGE, _own_visitor())


def test_after_a_wrong_code_the_same_key_is_confirmed_again() -> None:
    visitor = _own_visitor()
    visitor.failed, visitor.given = "setTotp", {"on": "on", "code": "000000"}
    shown = rendered(OWN_PAGE, visitor)
    assert 'name="code"' in shown
    assert "Begin anew" in shown


def test_recovery_codes_are_shown_once_and_made_anew_beside_an_app() -> None:
    visitor = _own_visitor(has_totp=True)
    visitor.made = CODES
    shown = rendered(OWN_PAGE, visitor)
    assert "<code>cccc-dddd</code>" in shown
    assert 'action="/do/makeRecoveryCodes"' in shown
    assert "aaaa-bbbb" not in rendered(OWN_PAGE, _own_visitor(has_totp=True))


def test_no_password_is_ever_in_a_page() -> None:
    visitor = _own_visitor()
    visitor.failed, visitor.given = "setPassword", {"password": "s3cret"}
    assert "s3cret" not in rendered(OWN_PAGE, visitor)
