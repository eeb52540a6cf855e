# SPDX-License-Identifier: Apache-2.0
"""An administrator sees all accounts, devices and tokens, and changes them."""

from __future__ import annotations

from typing import Any

from filterd.overrides.roles import Role
from filterd.web.pages.accounts_page import PAGE
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
    shown = rendered(PAGE, _visitor())
    for label in ("Disable: mai", "Enable: old", "Code for one sign-in: mai"):
        assert f'aria-label="{label}"' in shown
    assert shown.count('action="/do/confirmDevice"') == 1
    assert HOSTILE not in shown


def test_devices_that_wait_come_first() -> None:
    shown = rendered(PAGE, _visitor())
    assert shown.index('name="id" value="d1"') < shown.index('name="id" value="d0"')


def test_only_administrators_have_the_page() -> None:
    assert PAGE.roles == {Role.ADMIN}
