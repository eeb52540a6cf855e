# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from filterd.accounts.grant import Grant
from filterd.daemon.account_state import Cookies, account_of, text_in
from filterd.daemon.control_caller import Caller
from filterd.errors import ControlError
from filterd.i18n import say
from filterd.overrides.roles import ADMINS

if TYPE_CHECKING:
    from tests.support.account_school import AccountSchool

LAN, MINH = Caller(1, "lan", frozenset()), Caller(2, "minh", frozenset({ADMINS}))


def test_a_browser_sends_two_cookies_in_one_token() -> None:
    assert Cookies.of("a~b") == ("a", "b")
    assert Cookies.of("a") == ("a", "")
    assert Cookies.of("") == ("", "")


def test_ones_own_account_needs_no_rank() -> None:
    to_do, lan = say("change it"), replace(LAN, grant=Grant("lan", frozenset()))
    assert account_of({}, lan, to_do) == account_of({"account": "lan"}, lan, to_do) == "lan"
    assert account_of({"account": "lan"}, MINH, to_do) == "lan"
    for wrong in ("minh", ["lan"], 7):
        with pytest.raises(ControlError):
            account_of({"account": wrong}, lan, to_do)
    with pytest.raises(ControlError):
        account_of({}, LAN, to_do)
    with pytest.raises(ControlError, match="'code' is a text"):
        text_in({"code": 7}, "code")


def test_a_session_ends_with_the_day_or_with_half_a_day(people: AccountSchool) -> None:
    """It is half past one; the day ends at midnight."""
    state = people.accounts._state
    assert state.day_left_s() == 10.5 * 3600
    assert state.day() == "2025-12-01"
    people.is_time_known = False
    assert state.day_left_s() == 12 * 3600
    assert (state.day(), state.known_now()) == ("", None)


def test_the_status_has_no_names(people: AccountSchool) -> None:
    assert people.accounts.status() == {"number": 3, "damaged": False, "recovered_at": None}
