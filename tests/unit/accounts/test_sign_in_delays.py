# SPDX-License-Identifier: Apache-2.0
"""Failures delay their own account and origin, and are refused by stable codes."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filterd.accounts import sign_in_delays as module
from filterd.accounts.account_file import AccountsDamagedError
from filterd.accounts.sessions import sign_in_again
from filterd.accounts.sign_in_delays import (
    FREE,
    FREE_OF_ORIGIN,
    LONGEST_S,
    SignInDelays,
    SlowDownError,
    origin_of,
)
from filterd.errors import ControlError, from_plain, to_plain
from filterd.i18n import say
from tests.support.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Iterable

ATTEMPTS = st.lists(
    st.tuples(
        st.sampled_from(["minh", "lan", "ai"]),
        st.sampled_from(["10.0.1.5", "10.0.1.6"]),
        st.sampled_from([0.0, 0.5, 1.0, 60.0, 900.0]),
        st.booleans(),
    ),
    max_size=60,
)


def is_let(delays: SignInDelays, account: str, origin: str) -> bool:
    try:
        delays.attempt(account, origin)
    except SlowDownError:
        return False
    return True


def failures_until(delays: SignInDelays, clock: FakeClock, accounts: Iterable[str]) -> list[float]:
    """Return the seconds that each failure waits, if it is tried every half second."""
    waits = []
    for account in accounts:
        waited = 0.0
        while not is_let(delays, account, "10.0.1.5"):
            clock.advance(0.5)
            waited += 0.5
        waits.append(waited)
    return waits


def test_after_three_failures_the_delay_doubles_up_to_a_quarter_of_an_hour() -> None:
    clock = FakeClock()
    waits = failures_until(SignInDelays(clock), clock, ["minh"] * 16)
    assert waits == [0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]


def test_many_accounts_from_one_origin_are_slowed_as_well() -> None:
    clock = FakeClock()
    waits = failures_until(SignInDelays(clock), clock, map(str, range(FREE_OF_ORIGIN + 3)))
    assert waits == [0] * FREE_OF_ORIGIN + [1, 2, 4]


@given(ATTEMPTS)
def test_a_stranger_delays_no_other_origin(attempts: list[tuple[str, str, float, bool]]) -> None:
    """What one origin meets does not depend on what another does."""

    def outcomes(of: str, *, alone: bool) -> list[bool]:
        clock = FakeClock()
        delays, found = SignInDelays(clock), []
        for account, origin, passes_s, is_right in attempts:
            clock.advance(passes_s)
            if alone and origin != of:
                continue
            let = is_let(delays, account, origin)
            if let and is_right:
                delays.passed(account, origin)
            if origin == of:
                found.append(let)
        return found

    for origin in ("10.0.1.5", "10.0.1.6"):
        assert outcomes(origin, alone=True) == outcomes(origin, alone=False)


@given(ATTEMPTS)
def test_no_sign_in_waits_longer_than_a_quarter_of_an_hour(
    attempts: list[tuple[str, str, float, bool]],
) -> None:
    clock = FakeClock()
    delays = SignInDelays(clock)
    for account, origin, passes_s, _ in attempts:
        clock.advance(passes_s)
        with suppress(SlowDownError):
            delays.attempt(account, origin)
    clock.advance(LONGEST_S)
    assert is_let(delays, "minh", "10.0.1.5")


def test_a_device_has_delays_of_its_own_and_no_part_in_those_of_its_address() -> None:
    delays = SignInDelays(FakeClock())
    for number in range(FREE_OF_ORIGIN):
        delays.attempt(str(number), "10.0.1.5")
    for _ in range(FREE):
        delays.attempt("minh", "device-1", is_device=True)
    with pytest.raises(SlowDownError, match="in one second"):
        delays.attempt("minh", "device-1", is_device=True)


def test_the_tables_are_bounded_and_old_failures_are_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MOST", 50)
    clock = FakeClock()
    delays = SignInDelays(clock)
    for number in range(200):
        delays.attempt("minh", str(number))
    assert (len(delays._pairs), len(delays._origins)) == (50, 50)
    for _ in range(FREE):
        delays.attempt("minh", "10.0.1.5")
    assert not is_let(delays, "minh", "10.0.1.5")
    clock.advance(module.FORGOTTEN_S + 2)
    assert failures_until(delays, clock, ["minh"] * 4) == [0, 0, 0, 1]


def test_each_code_is_one_errors_and_passes_the_socket() -> None:
    kinds = [one for one in vars(module).values() if isinstance(one, type)]
    made = [kind for kind in kinds if issubclass(kind, ControlError) and kind is not ControlError]
    codes = {kind.code for kind in made}
    assert len(codes) == len(made) == 6
    for error in (module.busy(), module.slow_down(2), module.not_admitted()):
        assert from_plain(to_plain(error)).code == error.code
    assert "2 seconds" in str(module.slow_down(2))


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("10.0.1.5", "10.0.1.5"),
        ("::ffff:10.0.1.5", "10.0.1.5"),
        ("fd00::1:2:3:4", "fd00::/64"),
        ("fd00::5:6:7:8", "fd00::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", "uid-990"),
        ("x" * 64, "uid-990"),
    ],
)
def test_a_device_counts_by_its_address_or_link(address: str, origin: str) -> None:
    assert origin_of(address, 990) == origin


def test_to_check_counts_nothing_and_refuses_what_an_attempt_would() -> None:
    clock = FakeClock()
    delays = SignInDelays(clock)
    for _ in range(FREE + 9):
        delays.check("minh", "10.0.1.5")
    for _ in range(FREE):
        delays.attempt("minh", "10.0.1.5")
    with pytest.raises(SlowDownError, match="in one second"):
        delays.check("minh", "10.0.1.5")
    delays.check("lan", "10.0.1.5")
    delays.check("minh", "10.0.1.6")
    clock.advance(0.25)
    with pytest.raises(SlowDownError, match="in one second"):  # rounded up
        delays.check("minh", "10.0.1.5")
    clock.advance(0.75)
    delays.check("minh", "10.0.1.5")


def test_an_attempt_that_was_refused_is_not_counted() -> None:
    clock = FakeClock()
    delays = SignInDelays(clock)
    for _ in range(FREE):
        delays.attempt("minh", "10.0.1.5")
    for _ in range(9):
        assert not is_let(delays, "minh", "10.0.1.5")
    assert failures_until(delays, clock, ["minh"] * 2) == [1, 2]


def test_after_a_right_password_the_pair_begins_anew_and_the_origin_has_one_less() -> None:
    clock = FakeClock()
    delays = SignInDelays(clock)
    for number in range(FREE_OF_ORIGIN - 1):
        delays.attempt(str(number), "10.0.1.5")
    for _ in range(9):
        assert is_let(delays, "minh", "10.0.1.5")
        delays.passed("minh", "10.0.1.5")
    assert failures_until(delays, clock, ["minh"] * 3) == [0, 1, 2]
    delays.passed("hoa", "10.9.9.9")  # of which nothing is known


def test_the_twentieth_failure_of_an_origin_is_forgiven_with_its_delay() -> None:
    clock = FakeClock()
    delays = SignInDelays(clock)
    for number in range(FREE_OF_ORIGIN):
        delays.attempt(str(number), "10.0.1.5")
    assert not is_let(delays, "minh", "10.0.1.5")
    delays.passed("0", "10.0.1.5")
    assert is_let(delays, "minh", "10.0.1.5")


def test_what_an_origin_did_does_not_delay_a_device_nor_the_other_way_round() -> None:
    delays = SignInDelays(FakeClock())
    for number in range(FREE_OF_ORIGIN):
        delays.attempt(str(number), "10.0.1.5")
    delays.check("hoa", "10.0.1.5", is_device=True)
    with pytest.raises(SlowDownError):
        delays.check("hoa", "10.0.1.5")
    delays.attempt("hoa", "10.0.1.5", is_device=True)
    delays.attempt("lan", "device-1", is_device=True)
    assert "device-1" not in delays._origins


@pytest.mark.parametrize(("after_s", "waits"), [(0.0, [1, 2]), (1.5, [0, 0])])
def test_failures_are_forgotten_an_hour_after_the_last_delay(
    after_s: float, waits: list[float]
) -> None:
    clock = FakeClock()
    delays = SignInDelays(clock)
    for _ in range(FREE - 1):
        delays.attempt("minh", "10.0.1.5")
    clock.advance(module.FORGOTTEN_S + after_s)
    found = failures_until(delays, clock, ["minh"] * 3)
    assert found == [0, *waits] if after_s == 0.0 else [0, 0, 0]


def test_those_without_a_failure_for_longest_are_forgotten_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MOST", 2)
    delays = SignInDelays(FakeClock())
    for account in ("minh", "lan", "minh", "hoa"):
        delays.attempt(account, "10.0.1.5")
    assert {account for account, _ in delays._pairs} == {"minh", "hoa"}


def test_an_origin_that_is_forgiven_may_go_on_from_the_first_second_on() -> None:
    clock = FakeClock()
    clock.advance(-clock.monotonic())  # a machine that has just started
    delays = SignInDelays(clock)
    for number in range(FREE_OF_ORIGIN):
        delays.attempt(str(number), "10.0.1.5")
    delays.passed("0", "10.0.1.5")
    assert is_let(delays, "minh", "10.0.1.5")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (module.wrong_password(), "wrong-password"),
        (module.slow_down(2), "slow-down"),
        (module.busy(), "busy-sign-in"),
        (module.not_admitted(), "not-admitted"),
        (module.CodeNeededError(say("x")), "code-needed"),
        (module.PasswordNeededError(say("x")), "password-needed"),
        (sign_in_again(), "sign-in"),
        (AccountsDamagedError(say("x")), "accounts-damaged"),
    ],
)
def test_a_page_chooses_its_form_by_these_codes(error: ControlError, code: str) -> None:
    assert error.code == code
    assert str(error)


def test_four_thousand_pairs_are_remembered() -> None:
    assert module.MOST == 4096


def test_what_is_forgiven_an_origin_is_one_attempt_and_never_less_than_none() -> None:
    clock = FakeClock()
    delays = SignInDelays(clock)
    delays.attempt("minh", "10.0.1.5")
    delays.passed("minh", "10.0.1.5")
    delays.passed("minh", "10.0.1.5")
    waits = failures_until(delays, clock, map(str, range(FREE_OF_ORIGIN + 1)))
    assert waits == [0] * FREE_OF_ORIGIN + [1]
