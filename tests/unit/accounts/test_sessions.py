# SPDX-License-Identifier: Apache-2.0
"""A session is one person on one device; it ends by itself."""

from __future__ import annotations

import pytest

from filterd.accounts.sessions import IDLE_S, MOST, MOST_OF_ONE, Session, Sessions, SignInError
from filterd.overrides.roles import Role
from tests.support.clock import FakeClock

WEB, HERE = 990, "10.0.1.5"
READER, ADMIN = frozenset((Role.READER,)), frozenset((Role.READER, Role.ADMIN))


def begun(sessions: Sessions, account: str = "lan", *, device: str = "", for_s: float = 9e9) -> str:
    roles = ADMIN if account == "minh" else READER
    session = Session(account, roles, WEB, HERE, device)
    return sessions.begin(session, is_fresh=False, for_s=for_s)


def is_good(sessions: Sessions, token: str, device: str = "") -> bool:
    try:
        sessions.use(token, WEB, HERE, device)
    except SignInError:
        return False
    return True


@pytest.mark.parametrize(("account", "goes_on"), [("lan", True), ("minh", False)])
def test_only_a_person_of_higher_rights_must_not_be_idle(account: str, *, goes_on: bool) -> None:
    clock = FakeClock()
    sessions = Sessions(clock)
    token = begun(sessions, account)
    clock.advance(IDLE_S)
    assert is_good(sessions, token) == goes_on


def test_it_ends_at_its_time_and_by_a_wish() -> None:
    clock = FakeClock()
    sessions = Sessions(clock)
    token, other = begun(sessions, for_s=60), begun(sessions)
    clock.advance(60)
    assert not is_good(sessions, token)
    assert [sessions.is_on(one) for one in (token, other, "")] == [False, True, False]
    sessions.end(other)
    sessions.end("a token of no session")
    assert not is_good(sessions, other)


def test_that_of_an_enrolled_device_goes_where_the_device_goes() -> None:
    sessions = Sessions(FakeClock())
    token = begun(sessions, device="ab")
    assert sessions.use(token, WEB, "10.0.9.9", "ab").account == "lan"
    assert not is_good(sessions, token, "cd")
    assert not is_good(sessions, token)


def test_an_account_has_few_and_all_together_are_bounded() -> None:
    clock = FakeClock()
    sessions = Sessions(clock)
    first, *_ = (begun(sessions) for _ in range(MOST_OF_ONE + 1))
    assert sessions.count("lan") == MOST_OF_ONE
    for number in range(MOST):
        clock.advance(1)
        begun(sessions, f"person{number}")
    assert (len(sessions._by_hash), is_good(sessions, first)) == (MOST, False)


def test_no_token_is_kept_as_it_is() -> None:
    sessions = Sessions(FakeClock())
    token = begun(sessions)
    assert len(token) >= 43
    assert token not in repr(sessions._by_hash)
