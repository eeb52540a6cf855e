# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from filterd.accounts.one_time_codes import FOR_S, MOST, CodePurpose, OneTimeCodes
from tests.support.clock import FakeClock

SIGN_IN, DEVICE = CodePurpose.SIGN_IN, CodePurpose.DEVICE


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
