# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from filterd.accounts import one_time_codes as module
from filterd.accounts.one_time_codes import FOR_S, MOST, CodePurpose, OneTimeCodes
from tests.support.clock import FakeClock

SIGN_IN, CONSOLE, DEVICE = CodePurpose


def test_a_code_is_good_once_for_its_purpose_and_its_time() -> None:
    clock = FakeClock()
    codes = OneTimeCodes(clock)
    code = codes.make(DEVICE, "lan")
    assert codes.account_of(SIGN_IN, code) == ""
    assert codes.account_of(DEVICE, code) == "lan"
    codes.take(code)
    assert codes.account_of(DEVICE, code) == ""
    late = codes.make(DEVICE, "lan")
    clock.advance(FOR_S[DEVICE] + 1)
    assert codes.account_of(DEVICE, late) == ""


def test_they_are_bounded_and_end_with_the_account() -> None:
    codes = OneTimeCodes(FakeClock())
    first, *_, last = (codes.make(SIGN_IN, "lan") for _ in range(MOST + 1))
    assert (codes.account_of(SIGN_IN, first), codes.account_of(SIGN_IN, last)) == ("", "lan")
    codes.forget("lan")
    assert codes.account_of(SIGN_IN, last) == ""


@pytest.mark.parametrize(("purpose", "for_s"), [(SIGN_IN, 900), (CONSOLE, 900), (DEVICE, 300)])
def test_a_code_is_good_for_minutes(purpose: CodePurpose, for_s: int) -> None:
    clock = FakeClock()
    codes = OneTimeCodes(clock)
    code = codes.make(purpose, "lan")
    clock.advance(for_s)
    assert codes.account_of(purpose, code) == "lan"
    clock.advance(0.001)
    assert codes.account_of(purpose, code) == ""


def test_a_code_is_of_one_purpose_and_the_unknown_of_none() -> None:
    codes = OneTimeCodes(FakeClock())
    code = codes.make(CONSOLE, "minh")
    found = {one: codes.account_of(one, code) for one in CodePurpose}
    assert found == {SIGN_IN: "", CONSOLE: "minh", DEVICE: ""}
    assert codes.account_of(CONSOLE, "") == ""


def test_only_a_code_that_a_person_chose_may_be_guessed() -> None:
    codes = OneTimeCodes(FakeClock())
    drawn, chosen = codes.make(SIGN_IN, "lan"), codes.make(SIGN_IN, "minh", "mèo vàng")
    assert (len(drawn), chosen) == (22, "mèo vàng")
    assert codes.account_of(SIGN_IN, chosen) == "minh"
    assert [codes.may_be_guessed(one) for one in (drawn, chosen, "x")] == [False, True, True]


def test_one_that_is_used_up_or_forgotten_leaves_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MOST", 3)
    codes = OneTimeCodes(FakeClock())
    made = [codes.make(SIGN_IN, account) for account in ("lan", "minh", "lan")]
    assert [codes.account_of(SIGN_IN, one) for one in made] == ["lan", "minh", "lan"]
    codes.take("a code of nobody")
    codes.take(made[0])
    assert [codes.account_of(SIGN_IN, one) for one in made] == ["", "minh", "lan"]
    codes.forget("lan")
    assert [codes.account_of(SIGN_IN, one) for one in made] == ["", "minh", ""]


def test_purposes_are_words_and_two_hundred_codes_are_good_at_a_time() -> None:
    assert [one.value for one in CodePurpose] == ["sign-in", "console", "device"]
    assert MOST == 200
