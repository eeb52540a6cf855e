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
    FREE_OF_DEVICE,
    FREE_OF_LINK,
    FREE_OF_ORIGIN,
    LONGEST_S,
    Origin,
    SignInDelays,
    SlowDownError,
    delayed_origin,
    origin_of,
)
from filterd.base.errors import ControlError, from_plain, to_plain
from filterd.overrides.rights.roles import PasswordNeededError
from filterd.texts.i18n import say
from tests.support.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Iterable

HERE, THERE = Origin("10.0.1.5"), Origin("10.0.1.6")
PHONE = Origin("device-1", free=FREE_OF_DEVICE)
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
        delays.attempt(account, Origin(origin))
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
                delays.passed(account, Origin(origin))
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
            delays.attempt(account, Origin(origin))
    clock.advance(LONGEST_S)
    assert is_let(delays, "minh", "10.0.1.5")


def test_a_device_has_delays_of_its_own_and_no_part_in_those_of_its_address() -> None:
    delays = SignInDelays(FakeClock())
    for number in range(FREE_OF_ORIGIN):
        delays.attempt(str(number), HERE)
    for _ in range(FREE):
        delays.attempt("minh", PHONE)
    with pytest.raises(SlowDownError, match="in one second"):
        delays.attempt("minh", PHONE)


def test_the_tables_are_bounded_and_old_failures_are_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MOST", 50)
    clock = FakeClock()
    delays = SignInDelays(clock)
    for number in range(200):
        delays.attempt("minh", Origin(str(number)))
    assert (len(delays._pairs), len(delays._origins)) == (50, 50)
    for _ in range(FREE):
        delays.attempt("minh", HERE)
    assert not is_let(delays, "minh", "10.0.1.5")
    clock.advance(module.FORGOTTEN_S + 2)
    assert failures_until(delays, clock, ["minh"] * 4) == [0, 0, 0, 1]


def test_each_code_is_one_errors_and_passes_the_socket() -> None:
    kinds = [one for one in vars(module).values() if isinstance(one, type)]
    made = [kind for kind in kinds if issubclass(kind, ControlError) and kind is not ControlError]
    codes = {kind.code for kind in made}
    assert len(codes) == len(made) == 5
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
        ("fe80::1%eth0", "fe80::1%eth0"),
        ("fe80::2%eth0", "fe80::2%eth0"),
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
        delays.check("minh", HERE)
    for _ in range(FREE):
        delays.attempt("minh", HERE)
    with pytest.raises(SlowDownError, match="in one second"):
        delays.check("minh", HERE)
    delays.check("lan", HERE)
    delays.check("minh", THERE)
    clock.advance(0.25)
    with pytest.raises(SlowDownError, match="in one second"):  # rounded up
        delays.check("minh", HERE)
    clock.advance(0.75)
    delays.check("minh", HERE)


def test_an_attempt_that_was_refused_is_not_counted() -> None:
    clock = FakeClock()
    delays = SignInDelays(clock)
    for _ in range(FREE):
        delays.attempt("minh", HERE)
    for _ in range(9):
        assert not is_let(delays, "minh", "10.0.1.5")
    assert failures_until(delays, clock, ["minh"] * 2) == [1, 2]


def test_after_a_right_password_the_pair_begins_anew_and_the_origin_has_one_less() -> None:
    clock = FakeClock()
    delays = SignInDelays(clock)
    for number in range(FREE_OF_ORIGIN - 1):
        delays.attempt(str(number), HERE)
    for _ in range(9):
        assert is_let(delays, "minh", "10.0.1.5")
        delays.passed("minh", HERE)
    assert failures_until(delays, clock, ["minh"] * 3) == [0, 1, 2]
    delays.passed("hoa", Origin("10.9.9.9"))  # of which nothing is known


def test_the_twentieth_failure_of_an_origin_is_forgiven_with_its_delay() -> None:
    clock = FakeClock()
    delays = SignInDelays(clock)
    for number in range(FREE_OF_ORIGIN):
        delays.attempt(str(number), HERE)
    assert not is_let(delays, "minh", "10.0.1.5")
    delays.passed("0", HERE)
    assert is_let(delays, "minh", "10.0.1.5")


def test_what_an_origin_did_does_not_delay_a_device_nor_the_other_way_round() -> None:
    delays = SignInDelays(FakeClock())
    for number in range(FREE_OF_ORIGIN):
        delays.attempt(str(number), HERE)
    delays.check("hoa", PHONE)
    with pytest.raises(SlowDownError):
        delays.check("hoa", HERE)
    for number in range(FREE_OF_DEVICE):
        delays.attempt(str(number), PHONE)
    delays.check("hoa", THERE)


def test_one_password_tried_at_forty_accounts_from_a_phone_is_slowed_after_five() -> None:
    clock = FakeClock()
    delays, tried = SignInDelays(clock), 0
    for number in range(40):
        with suppress(SlowDownError):
            delays.attempt(str(number), PHONE)
            tried += 1
    assert tried == FREE_OF_DEVICE


def test_control_a_phone_without_a_bound_of_its_own_tries_them_all() -> None:
    delays = SignInDelays(FakeClock())
    for number in range(40):
        delays.attempt(str(number), PHONE._replace(free=1_000))


NEIGHBOURS = st.lists(
    st.tuples(
        st.sampled_from(["minh", "lan", "ai"]),
        st.sampled_from(["fe80::1%eth0", "fe80::2%eth0", "fe80::1%eth1", "10.0.1.5", "fd00::1"]),
        st.sampled_from([0.0, 0.5, 60.0]),
    ),
    max_size=FREE_OF_LINK - 1,
)


@given(NEIGHBOURS)
def test_a_pupil_on_the_same_link_delays_no_teacher(
    attempts: list[tuple[str, str, float]],
) -> None:
    clock = FakeClock()
    delays = SignInDelays(clock)
    for account, address, passes_s in attempts:
        clock.advance(passes_s)
        with suppress(SlowDownError):
            delays.attempt(account, delayed_origin(address, 990))
    delays.check("minh", delayed_origin("fe80::9%eth0", 990))


def test_ever_new_addresses_of_a_link_are_slowed_for_the_account_that_is_tried() -> None:
    clock = FakeClock()
    delays, let = SignInDelays(clock), 0
    for number in range(1, 200):
        with suppress(SlowDownError):
            delays.attempt("minh", delayed_origin(f"fe80::{number:x}%eth0", 990))
            let += 1
    assert let == FREE_OF_LINK
    delays.check("lan", delayed_origin("fe80::ffff%eth0", 990))
    delays.check("minh", delayed_origin("fe80::ffff%eth1", 990))
    delays.passed("minh", delayed_origin("fe80::ffff%eth0", 990))
    delays.check("minh", delayed_origin("fe80::ffff%eth0", 990))


@pytest.mark.parametrize(("after_s", "waits"), [(0.0, [1, 2]), (1.5, [0, 0])])
def test_failures_are_forgotten_an_hour_after_the_last_delay(
    after_s: float, waits: list[float]
) -> None:
    clock = FakeClock()
    delays = SignInDelays(clock)
    for _ in range(FREE - 1):
        delays.attempt("minh", HERE)
    clock.advance(module.FORGOTTEN_S + after_s)
    found = failures_until(delays, clock, ["minh"] * 3)
    assert found == [0, *waits] if after_s == 0.0 else [0, 0, 0]


def test_those_without_a_failure_for_longest_are_forgotten_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MOST", 2)
    delays = SignInDelays(FakeClock())
    for account in ("minh", "lan", "minh", "hoa"):
        delays.attempt(account, HERE)
    assert {account for account, _ in delays._pairs} == {"minh", "hoa"}


def test_an_origin_that_is_forgiven_may_go_on_from_the_first_second_on() -> None:
    clock = FakeClock()
    clock.advance(-clock.monotonic())  # a machine that has just started
    delays = SignInDelays(clock)
    for number in range(FREE_OF_ORIGIN):
        delays.attempt(str(number), HERE)
    delays.passed("0", HERE)
    assert is_let(delays, "minh", "10.0.1.5")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (module.wrong_password(), "wrong-password"),
        (module.slow_down(2), "slow-down"),
        (module.busy(), "busy-sign-in"),
        (module.not_admitted(), "not-admitted"),
        (module.CodeNeededError(say("x")), "code-needed"),
        (PasswordNeededError(say("x")), "password-needed"),
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
    delays.attempt("minh", HERE)
    delays.passed("minh", HERE)
    delays.passed("minh", HERE)
    waits = failures_until(delays, clock, map(str, range(FREE_OF_ORIGIN + 1)))
    assert waits == [0] * FREE_OF_ORIGIN + [1]
