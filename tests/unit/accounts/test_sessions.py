# SPDX-License-Identifier: Apache-2.0
"""A session is one person on one device; it ends by itself."""

from __future__ import annotations

from math import inf

import pytest

from filterd.accounts import account, password_hash, sign_in_delays
from filterd.accounts.grant import FRESH_S
from filterd.accounts.sessions import IDLE_S, MOST, MOST_OF_ONE, Session, Sessions, SignInError
from filterd.overrides.rights.roles import Role
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


def test_sessions_of_others_are_not_counted_as_a_persons_own() -> None:
    sessions = Sessions(FakeClock())
    for person in ("lan", "minh", "lan"):
        begun(sessions, person)
    assert [sessions.count(person) for person in ("lan", "minh", "hoa")] == [2, 1, 0]


def test_no_token_is_kept_as_it_is() -> None:
    sessions = Sessions(FakeClock())
    token = begun(sessions)
    assert len(token) >= 43
    assert token not in repr(sessions._by_hash)


@pytest.mark.parametrize(
    ("roles", "idle_s", "for_s", "left_s"),
    [
        (READER, 0.0, 60.0, 60.0),
        (READER, 50.0, 60.0, 10.0),
        (frozenset((Role.TEACHER, Role.READER)), IDLE_S + 1, 9e3, 9e3 - IDLE_S - 1),
        (ADMIN, 0.0, 9e9, IDLE_S),
        (ADMIN, 60.0, 9e9, IDLE_S - 60),
        (ADMIN, 0.0, 60.0, 60.0),
        (frozenset((Role.PRINCIPAL,)), 0.0, 9e9, IDLE_S),
        (frozenset((Role.INSPECTOR,)), 0.0, 9e9, IDLE_S),
    ],
)
def test_a_session_lasts_to_its_end_or_until_it_is_idle_for_too_long(
    roles: frozenset[Role], idle_s: float, for_s: float, left_s: float
) -> None:
    clock = FakeClock()
    sessions = Sessions(clock)
    session = Session("lan", roles, WEB, HERE)
    sessions.begin(session, is_fresh=False, for_s=for_s)
    clock.advance(idle_s)
    assert session.ends_in_s(clock.monotonic()) == pytest.approx(left_s)


def test_to_use_it_makes_it_last_and_to_look_whether_it_is_on_does_not() -> None:
    clock = FakeClock()
    sessions = Sessions(clock)
    used, looked_at = begun(sessions, "minh"), begun(sessions, "minh")
    clock.advance(IDLE_S - 1)
    assert is_good(sessions, used)
    assert sessions.is_on(looked_at)
    clock.advance(2)
    assert is_good(sessions, used)
    assert not sessions.is_on(looked_at)
    assert sessions.count("minh") == 1


@pytest.mark.parametrize(
    ("uid", "origin", "device", "is_good"),
    [
        (WEB, HERE, "", True),
        (WEB, HERE, "ab", True),  # a device that was enrolled since
        (WEB + 1, HERE, "", False),
        (WEB, "10.0.9.9", "", False),
    ],
)
def test_a_token_is_of_one_process_and_one_origin(
    uid: int, origin: str, device: str, *, is_good: bool
) -> None:
    sessions = Sessions(FakeClock())
    token = begun(sessions)
    if is_good:
        assert sessions.use(token, uid, origin, device).account == "lan"
    else:
        with pytest.raises(SignInError, match="sign in again"):
            sessions.use(token, uid, origin, device)
    assert sessions.use(token, WEB, HERE, "").account == "lan", "its owner goes on"


def test_one_that_has_ended_is_forgotten() -> None:
    clock = FakeClock()
    sessions = Sessions(clock)
    token = begun(sessions, for_s=60)
    clock.advance(60)
    with pytest.raises(SignInError):
        sessions.use(token, WEB, "10.0.9.9", "")
    assert sessions._by_hash == {}


@pytest.mark.parametrize(("is_fresh", "for_s"), [(True, FRESH_S), (False, 0.0)])
def test_a_password_is_fresh_for_five_minutes(*, is_fresh: bool, for_s: float) -> None:
    clock = FakeClock()
    sessions, session = Sessions(clock), Session("lan", READER, WEB, HERE)
    began = clock.monotonic()
    token = sessions.begin(session, is_fresh=is_fresh, for_s=9e9)
    assert session.fresh_until == (began + for_s if is_fresh else 0.0)
    clock.advance(1_000)
    sessions.refresh("a token of no session")
    sessions.refresh(token)
    assert session.fresh_until == began + 1_000 + FRESH_S


def test_a_code_of_the_console_admits_one_address_while_its_session_lasts() -> None:
    clock = FakeClock()
    sessions = Sessions(clock)
    begun(sessions)
    assert not sessions.admits("")
    assert not sessions.admits(HERE)
    admitted = Session("minh", ADMIN, WEB, HERE, admitted=HERE)
    sessions.begin(admitted, is_fresh=True, for_s=9e9)
    assert [sessions.admits(one) for one in (HERE, "10.0.9.9", "")] == [True, False, False]
    clock.advance(IDLE_S)
    assert not sessions.admits(HERE)


def test_sessions_of_an_account_end_but_for_one_or_only_those_of_a_device() -> None:
    sessions = Sessions(FakeClock())
    kept, other, phone, tablet = (
        begun(sessions, device=device) for device in ("", "", "phone", "tablet")
    )
    of_minh = begun(sessions, "minh")
    tokens = (kept, other, phone, tablet, of_minh)
    sessions.end_all("lan", device="phone")
    assert [sessions.is_on(token) for token in tokens] == [True, True, False, True, True]
    sessions.end_all("lan", besides=kept)
    assert [sessions.is_on(token) for token in tokens] == [True, False, False, False, True]
    sessions.end_all("lan")
    assert [sessions.is_on(token) for token in tokens] == [False, False, False, False, True]


def test_the_one_that_is_idle_for_longest_gives_way() -> None:
    clock = FakeClock()
    sessions = Sessions(clock)
    tokens = []
    for _ in range(MOST_OF_ONE):
        clock.advance(1)
        tokens.append(begun(sessions))
    clock.advance(1)
    assert is_good(sessions, tokens[0])
    begun(sessions, "hoa")
    assert all(sessions.is_on(token) for token in tokens), "there was room for another account"
    begun(sessions)
    assert [sessions.is_on(token) for token in tokens] == [True, False] + [True] * (MOST_OF_ONE - 2)


def test_people_are_let_in_for_as_long_and_as_often_as_the_guides_say() -> None:
    assert (IDLE_S, FRESH_S) == (30 * 60, 5 * 60)
    assert (MOST, MOST_OF_ONE) == (500, 10)
    assert (sign_in_delays.FREE, sign_in_delays.FREE_OF_ORIGIN) == (3, 20)
    assert (sign_in_delays.LONGEST_S, sign_in_delays.FORGOTTEN_S) == (15 * 60, 3600)
    assert (account.MOST_ACCOUNTS, account.MOST_TOKENS, account.MOST_DEVICES) == (500, 1000, 1000)
    assert account.KEPT_DISABLED_S == 365 * 86_400
    assert (password_hash.LEAST_LETTERS, password_hash.AT_ONCE, password_hash.WAITING) == (10, 2, 4)


def test_a_session_that_has_not_begun_was_never_used_and_has_no_end() -> None:
    new = Session("lan", READER, WEB, HERE)
    assert (new.device, new.admitted, new.used_at, new.fresh_until) == ("", "", 0.0, 0.0)
    assert new.ends_at == inf
    assert password_hash.OF_ONE_ORIGIN == 2
