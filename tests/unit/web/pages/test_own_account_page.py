# SPDX-License-Identifier: Apache-2.0
"""Every person sets up the own way to sign in; secrets are shown once."""

from __future__ import annotations

from typing import Any

import pytest

from filterd.overrides.roles import Role
from filterd.web.pages.own_account_page import PAGE
from tests.support.rendered import MadeVisitor, a_visitor, rendered
from tests.unit.web.pages.test_accounts_page import DEVICE, TOKEN

SECRET = {"secret": "JBSWY3DP", "uri": "otpauth://totp/filterd:lan?secret=JBSWY3DP"}
CODES = {"codes": ["aaaa-bbbb", "cccc-dddd"]}


def _visitor(*roles: Role, **session: Any) -> MadeVisitor:
    known = {"account": "lan", "roles": ["reader"], "classes": [], "is_fresh": False}
    answers = {
        "session": {**known, "has_password": True, "has_totp": False, **session},
        "account device-list": [DEVICE],
        "account token-list": [TOKEN],
    }
    return a_visitor(answers, *roles)


@pytest.mark.parametrize("role", list(Role))
def test_every_role_has_the_own_password_app_devices_tokens_and_sessions(role: Role) -> None:
    visitor = _visitor(role)
    shown = rendered(PAGE, visitor)
    for name in ("setPassword", "setTotp", "revokeDevice", "revokeToken", "endOtherSessions"):
        assert f'action="/do/{name}"' in shown
    lists = [given for command, given in visitor.asked if command.endswith("-list")]
    assert lists == [{"account": "lan"}] * 2
    assert f'value="{role}"' in shown


def test_the_key_of_an_app_is_shown_once_as_a_picture_and_as_text() -> None:
    visitor = _visitor()
    visitor.made = SECRET
    shown = rendered(PAGE, visitor)
    assert "<svg" in shown
    assert "style=" not in shown
    assert "<code>JBSWY3DP</code>" in shown
    assert 'name="code"' in shown
    assert "<svg" not in rendered(PAGE, _visitor())


def test_after_a_wrong_code_the_same_key_is_confirmed_again() -> None:
    visitor = _visitor()
    visitor.failed, visitor.given = "setTotp", {"on": "on", "code": "000000"}
    shown = rendered(PAGE, visitor)
    assert 'name="code"' in shown
    assert "Begin anew" in shown


def test_recovery_codes_are_shown_once_and_made_anew_beside_an_app() -> None:
    visitor = _visitor(has_totp=True)
    visitor.made = CODES
    shown = rendered(PAGE, visitor)
    assert "<code>cccc-dddd</code>" in shown
    assert 'action="/do/makeRecoveryCodes"' in shown
    assert "aaaa-bbbb" not in rendered(PAGE, _visitor(has_totp=True))


def test_no_password_is_ever_in_a_page() -> None:
    visitor = _visitor()
    visitor.failed, visitor.given = "setPassword", {"password": "s3cret"}
    assert "s3cret" not in rendered(PAGE, visitor)
