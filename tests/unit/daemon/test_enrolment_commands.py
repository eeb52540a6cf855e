# SPDX-License-Identifier: Apache-2.0
"""A phone is enrolled by a code, confirmed by its name, and revoked when it is lost."""

from __future__ import annotations

from typing import Any

import pytest

from filterd.daemon.sign_in_commands import _SignIn
from filterd.errors import FilterdError
from tests.support.account_school import PIN, PUPIL, AccountSchool

DAY = 86_400


def test_the_code_admits_the_phone_is_good_once_and_for_five_minutes(
    people: AccountSchool,
) -> None:
    code = people.ask("account device-code", account="lan")["code"]
    assert people.web("admit", "", PUPIL, code=code) == {"admitted": True, "device": ""}
    given = {"code": code, "name": "Điện thoại cô Lan", "pin": PIN}
    assert people.code_of("account device-redeem", "", PUPIL, **given | {"pin": "1"}) == "change"
    assert people.web("account device-redeem", "", PUPIL, **given)["account"] == "lan"
    assert people.code_of("account device-redeem", "", PUPIL, **given) == "wrong-password"
    assert not people.web("admit", "", PUPIL, code=code)["admitted"]
    late = people.ask("account device-code", account="lan")["code"]
    people.clock.advance(301)
    refused = people.code_of("account device-redeem", "", PUPIL, **given | {"code": late})
    assert refused == "wrong-password"


def test_a_phone_that_redeemed_a_code_over_the_shoulder_waits_for_ever(
    people: AccountSchool,
) -> None:
    """The administrator sees its name, and that the teacher's phone did not get in."""
    secret, number = people.enrol("lan", confirm=False)
    assert people.web("admit", "", PUPIL, device=secret) == {
        "admitted": False,
        "device": "waiting",
    }
    assert people.code_of("login-pin", "", PUPIL, device=secret, pin=PIN) == "sign-in"
    assert [(one["id"], one["state"]) for one in people.ask("account device-list")] == [
        (number, "waiting")
    ]
    lan = people.sign_in("lan")
    with pytest.raises(FilterdError, match="web:lan may not enrol devices"):
        people.web("account device-confirm", lan, id=number)


def test_control_without_confirmation_it_signs_in(
    people: AccountSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret, _ = people.enrol("lan", confirm=False)
    monkeypatch.setattr(_SignIn, "_confirmed", lambda self, secret: self._state.device_of(secret))
    assert people.web("login-pin", "", PUPIL, device=secret, pin=PIN)


def test_a_lost_phone_is_revoked_and_its_session_ends(people: AccountSchool) -> None:
    (secret, number), (other, _) = people.enrol("lan"), people.enrol("lan")
    token = people.web("login-pin", "", PUPIL, device=secret, pin=PIN)["token"]
    kept = people.web("login-pin", "", PUPIL, device=other, pin=PIN)["token"]
    lan = people.sign_in("lan")
    assert people.web("account device-revoke", lan, id=number)["account"] == "lan"
    assert people.code_of("status", f"{token}~{secret}", PUPIL) == "not-admitted"
    assert people.code_of("login-pin", "", PUPIL, device=secret, pin=PIN) == "sign-in"
    assert people.web("status", f"{kept}~{other}", PUPIL)
    assert people.noted[-1] == (
        "web:lan",
        {"what": "device-revoked", "account": "lan", "label": "Điện thoại"},
    )


def test_a_device_of_another_person_is_not_revoked(people: AccountSchool) -> None:
    _, number = people.enrol("minh")
    lan = people.sign_in("lan")
    for wrong in (number, "x", ""):
        with pytest.raises(FilterdError, match=r"may not enrol devices|there is no device"):
            people.web("account device-revoke", lan, id=wrong)


def test_it_ends_after_half_a_year_or_with_its_account(people: AccountSchool) -> None:
    secret, _ = people.enrol("lan")
    people.ask("account disable", account="lan")
    assert not people.web("admit", "", PUPIL, device=secret)["admitted"]
    people.ask("account enable", account="lan")
    people.clock.advance(179 * DAY)
    assert people.web("admit", "", PUPIL, device=secret)["admitted"]
    people.clock.advance(1 * DAY)
    assert not people.web("admit", "", PUPIL, device=secret)["admitted"]
    assert people.ask("account device-list")[0]["state"] == "ended"


@pytest.mark.parametrize(
    "pin", ["12345", "1234567", "123456", "654321", "111111", "12a456", 482913]
)
def test_a_pin_is_none_that_anyone_tries_first(people: AccountSchool, pin: Any) -> None:
    code = people.ask("account device-code", account="lan")["code"]
    given = {"code": code, "name": "một", "pin": pin}
    assert people.code_of("account device-redeem", "", PUPIL, **given) == "change"
