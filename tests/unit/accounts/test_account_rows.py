# SPDX-License-Identifier: Apache-2.0
"""How an account signs in is shown in words of the school."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from filterd import words
from filterd.accounts.account_rows import ACCOUNTS
from filterd.i18n import Texts
from filterd.overrides.roles import Role
from filterd.rows import SchoolClock, Wording

BY = Wording(Texts("en"), SchoolClock(ZoneInfo("Asia/Ho_Chi_Minh"), 0.0))
SIGN_IN = ACCOUNTS.columns[2]
NEW = {"disabled": False, "password": False, "totp": False, "failed": 0}


@pytest.mark.parametrize(
    ("changes", "answer"),
    [
        ({}, ("no password yet", "")),
        ({"password": True}, ("password", "")),
        ({"password": True, "totp": True}, ("password, authenticator", "")),
        ({"password": True, "failed": 1}, ("password, 1 failure", "yellow")),
        ({"password": True, "disabled": True}, ("disabled", "yellow")),
    ],
)
def test_the_way_of_signing_in(changes: dict[str, object], answer: tuple[str, str]) -> None:
    assert SIGN_IN.cell(NEW | changes, BY) == answer


def test_each_role_has_a_word() -> None:
    assert set(words.ROLE) == {role.value for role in Role}
