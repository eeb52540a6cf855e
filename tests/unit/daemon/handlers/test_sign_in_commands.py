# SPDX-License-Identifier: Apache-2.0
"""Signing in: each threat, and what it meets."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from filterd.accounts import password_hash
from filterd.accounts.authenticator import code_at, step_of
from filterd.accounts.grant import FRESH_S
from filterd.accounts.one_time_codes import CodePurpose, OneTimeCodes
from filterd.accounts.sessions import IDLE_S, Sessions
from filterd.accounts.sign_in_delays import SignInDelays
from filterd.base.errors import FilterdError
from filterd.control.event_stream import follow
from filterd.daemon.handlers import account_state, control_server
from filterd.daemon.handlers.account_state import SignInNetworks
from filterd.daemon.handlers.control_caller import Caller
from filterd.daemon.handlers.control_server import ControlServer
from filterd.daemon.handlers.sign_in_commands import _SignIn
from tests.support.account_school import (
    PASSWORD,
    PIN,
    PUPIL,
    ROOT,
    STAFF,
    STAFF_TOO,
    WEB,
    AccountSchool,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from filterd.daemon.handlers.account_state import AccountState

WRONG = {"account": "minh", "password": "không phải thế"}


def test_a_person_signs_in_is_shown_and_signs_out(people: AccountSchool) -> None:
    token = people.sign_in("lan")
    shown = people.web("session", token)
    assert shown.pop("ends_in_s") > IDLE_S
    assert shown == {
        "account": "lan",
        "roles": ["reader", "teacher"],
        "classes": [],
        "is_fresh": True,
        "has_password": True,
        "has_totp": False,
    }
    assert people.web("status", token) == ["web:lan", 1]
    people.web("logout", token)
    assert people.code_of("status", token) == "sign-in"


def test_a_person_ends_the_other_sessions_of_the_own_account_only(people: AccountSchool) -> None:
    here, there, of_other = (people.sign_in(one) for one in ("lan", "lan", "minh"))
    assert people.web("logout-others", here) == {"account": "lan"}
    assert people.web("session", here)
    assert people.code_of("session", there) == "sign-in"
    assert people.web("session", of_other)


@pytest.mark.parametrize(
    "given",
    [WRONG, {"account": "ai", "password": PASSWORD}, {"account": "", "password": ""}],
)
def test_the_error_hides_which_of_account_and_password_is_wrong(
    people: AccountSchool, given: dict[str, str]
) -> None:
    with pytest.raises(FilterdError) as refused:
        people.web("login", **given)
    assert (refused.value.code, str(refused.value)) == (
        "wrong-password",
        "the account or the password is wrong",
    )


def test_an_unknown_account_takes_the_work_of_a_known_one(
    people: AccountSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, work = list[int](), password_hash._key

    def key(secret: str, n: int, *more: Any) -> bytes:
        asked.append(n)
        return work(secret, n, *more)

    monkeypatch.setattr(password_hash, "_key", key)
    for account in ("minh", "ai"):
        people.code_of("login", account=account, password="không phải thế")
    assert len(asked) == 2


def test_a_pupils_network_allows_no_sign_in(people: AccountSchool) -> None:
    """With the right password, too: a pupil has looked over a shoulder."""
    assert people.code_of("login", "", PUPIL, account="minh", password=PASSWORD) == "not-admitted"
    minh = people.sign_in("minh")
    code = people.web("account code", minh, account="lan")["code"]
    assert people.code_of("login-code", "", PUPIL, code=code) == "not-admitted"
    assert not people.web("admit", "", PUPIL, code=code)["admitted"]
    assert people.web("admit", "", PUPIL) == {"admitted": False, "device": ""}
    assert people.web("admit", "", STAFF)["admitted"]
    for itself in ("127.0.0.1", "::1", "::ffff:127.0.0.1"):
        assert people.web("admit", "", itself)["admitted"]
    for none in ("127.0.1.1", "x", "fe80::1%eth0", "203.0.113.9"):
        assert not people.web("admit", "", none)["admitted"]


def test_a_code_of_the_console_admits_its_address_for_a_session(people: AccountSchool) -> None:
    """The administrator of a flat network has only the box, or its boot partition."""
    code = people.ask("account recover", account="minh")["code"]
    assert people.web("admit", "", PUPIL, code=code)["admitted"]
    token = people.web("login-code", "", PUPIL, code=code)["token"]
    assert people.web("admit", "", PUPIL)["admitted"]
    assert people.web("status", token, PUPIL)
    assert people.code_of("status", token, "10.0.6.8") == "not-admitted"
    assert people.code_of("login", "", PUPIL, account="lan", password=PASSWORD) == "not-admitted"
    people.clock.advance(IDLE_S)
    assert people.code_of("status", token, PUPIL) == "not-admitted"
    assert not people.web("admit", "", PUPIL)["admitted"]


def test_control_without_admission_a_pupil_signs_in(
    people: AccountSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SignInNetworks, "is_of_staff", lambda *_: True)
    assert people.sign_in("minh", PUPIL)


def test_a_stolen_token_is_of_no_use_elsewhere(people: AccountSchool) -> None:
    token = people.sign_in("minh")
    for address, caller in ((STAFF_TOO, WEB), (STAFF, replace(WEB, uid=991))):
        with pytest.raises(FilterdError) as refused:
            people.ask("status", caller, token=token, address=address)
        assert refused.value.code == "sign-in"
    assert people.code_of("status", token, PUPIL) == "not-admitted"
    assert people.web("status", token)  # its owner goes on


def test_control_without_binding_a_stolen_token_acts(
    people: AccountSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("filterd.daemon.handlers.account_state.origin_of", lambda *_: "anywhere")
    assert people.web("status", people.sign_in("minh"), STAFF_TOO) == ["web:minh", 2]


def test_failures_slow_down_one_origin_and_lock_no_account(people: AccountSchool) -> None:
    """A pupil in the staff's Wi-Fi tries passwords; the administrator signs in meanwhile."""
    codes = [people.code_of("login", "", STAFF_TOO, **WRONG) for _ in range(6)]
    assert codes == ["wrong-password"] * 3 + ["slow-down"] * 3
    right = {"account": "minh", "password": PASSWORD}
    assert people.code_of("login", "", STAFF_TOO, **right) == "slow-down"
    assert people.sign_in("minh")
    people.clock.advance(1)
    assert people.code_of("login", "", STAFF_TOO, **WRONG) == "wrong-password"
    people.clock.advance(1)
    assert people.code_of("login", "", STAFF_TOO, **right) == "slow-down"  # two seconds by now
    people.clock.advance(1)
    assert people.sign_in("minh", STAFF_TOO)
    rows = {one["account"]: one["failed"] for one in people.ask("account list")}
    assert rows == {"lan": 0, "minh": 4, "thu": 0}


def test_control_without_delays_passwords_are_tried_for_ever(
    people: AccountSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SignInDelays, "attempt", lambda *_, **__: None)
    assert {people.code_of("login", **WRONG) for _ in range(30)} == {"wrong-password"}


def test_a_known_device_is_not_slowed_by_others_at_its_address(people: AccountSchool) -> None:
    secret, _ = people.enrol("minh")
    for _ in range(4):
        with pytest.raises(FilterdError):
            people.web("login", **WRONG)
    assert people.code_of("login", account="minh", password=PASSWORD) == "slow-down"
    assert people.sign_in("minh", device=secret)


def test_a_stranger_in_the_same_ipv6_network_delays_no_address_that_is_known(
    people: AccountSchool,
) -> None:
    """A device takes as many addresses of it as it likes, so that these count as one."""
    known, new = "fd00:1::5", "fd00:1::6"
    assert people.sign_in("minh", known)
    for n in range(7, 12):
        people.code_of("login", "", f"fd00:1::{n}", **WRONG)
    right = {"account": "minh", "password": PASSWORD}
    assert people.code_of("login", "", new, **right) == "slow-down"
    assert people.sign_in("minh", known)
    codes = [people.code_of("login", "", known, **WRONG) for _ in range(4)]
    assert codes[-1] == "slow-down", "guesses from it are slowed down as well"


def test_one_password_is_not_tried_at_forty_accounts_from_an_enrolled_phone(
    people: AccountSchool,
) -> None:
    secret, _ = people.enrol("lan")
    given = {"password": "không phải thế", "device": secret}
    codes = [people.code_of("login", "", PUPIL, account=f"gv-{n}", **given) for n in range(40)]
    assert codes == ["wrong-password"] * 5 + ["slow-down"] * 35
    assert people.sign_in("minh"), "others are not slowed"


def test_a_pupil_on_the_link_keeps_no_code_of_the_console_from_its_owner(
    people: AccountSchool,
) -> None:
    code = people.ask("account recover", account="minh", code="a-code-of-ones-own")["code"]
    for _ in range(30):
        people.web("admit", "", "fe80::66%eth0", code="đoán thử")
    assert people.web("login-code", "", "fe80::5%eth0", code=code)["account"] == "minh"


def test_no_other_user_of_the_gateway_guesses_from_many_addresses(people: AccountSchool) -> None:
    mai = Caller(1001, "mai", frozenset({"filterd-teacher"}))
    with pytest.raises(FilterdError, match="may not ask for another device"):
        people.ask("login", mai, address=STAFF, **WRONG)
    with pytest.raises(FilterdError, match="wrong"):
        people.ask("login", mai, **WRONG)


def _crowd(people: AccountSchool, n: int) -> tuple[list[str], Any]:
    """Sign in at once from many addresses, and ask for the school meanwhile."""

    async def one(number: int) -> str:
        try:
            address = f"10.0.1.{number % 250}"
            await people.answer("login", WEB, address=address, **WRONG)
        except FilterdError as error:
            return error.code
        return ""

    async def whole() -> tuple[list[str], Any]:
        crowd = [asyncio.ensure_future(one(number)) for number in range(n)]
        await asyncio.sleep(0)
        found = await people.answer("school", WEB, address=STAFF)
        return await asyncio.gather(*crowd), found

    return people.runner.run(whole())


def test_a_storm_of_sign_ins_is_refused_in_words_and_other_commands_are_answered(
    people: AccountSchool,
) -> None:
    codes, found = _crowd(people, 200)
    assert found["school"] == "Trường mẫu"
    assert codes.count("wrong-password") == password_hash.AT_ONCE + password_hash.WAITING
    assert set(codes) == {"wrong-password", "busy-sign-in"}


def test_control_without_turns_all_of_a_storm_take_memory(
    people: AccountSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(password_hash, "WAITING", 1 << 20)
    assert _crowd(people, 200)[0].count("wrong-password") > 100


def _with_authenticator(people: AccountSchool) -> tuple[bytes, list[str]]:
    token = people.sign_in("minh")
    people.web("account totp", token, on=True)
    secret = people.accounts._pending["minh"]
    now = code_at(secret, int(people.clock.wall() // 30))
    codes = people.web("account totp", token, on=True, code=now)["codes"]
    return secret, codes


def _now(people: AccountSchool, secret: bytes, by: int = 0) -> str:
    return code_at(secret, int(people.clock.wall() // 30) + by)


def test_a_code_of_the_authenticator_signs_in_once(people: AccountSchool) -> None:
    secret, _ = _with_authenticator(people)
    given = {"account": "minh", "password": PASSWORD}
    assert people.code_of("login", **given) == "code-needed"
    used = _now(people, secret)
    assert people.code_of("login", code=used, **given) == "wrong-password"  # it proved the secret
    people.clock.advance(60)
    code = _now(people, secret)
    assert people.sign_in("minh", code=code)
    assert people.code_of("login", code=code, **given) == "wrong-password"
    people.begin()  # a restart does not make it good again
    assert people.code_of("login", code=code, **given) == "wrong-password"


def test_control_without_its_step_a_code_signs_in_again(
    people: AccountSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret, _ = _with_authenticator(people)
    people.clock.advance(60)

    def step(secret: bytes, code: str, now: float, _: int) -> int | None:
        return step_of(secret, code, now, 0)

    monkeypatch.setattr(account_state, "step_of", step)
    for _ in range(2):
        assert people.sign_in("minh", code=_now(people, secret))


def test_without_the_time_a_recovery_code_signs_in_once(people: AccountSchool) -> None:
    secret, codes = _with_authenticator(people)
    assert len(set(codes)) == 10
    people.clock.advance(60)
    people.is_time_known = False
    given = {"account": "minh", "password": PASSWORD}
    assert people.code_of("login", code=_now(people, secret), **given) == "code-needed"
    assert people.sign_in("minh", code=f" {codes[0].upper()} ")
    assert people.code_of("login", code=codes[0], **given) == "wrong-password"
    (minh,) = (one for one in people.ask("account list") if one["account"] == "minh")
    assert (minh["totp"], minh["recovery"]) == (True, 9)


def test_a_code_of_the_console_signs_in_once_and_for_minutes(people: AccountSchool) -> None:
    code = people.ask("account code", account="lan")["code"]
    assert people.web("login-code", code=code)["account"] == "lan"
    assert people.code_of("login-code", code=code) == "wrong-password"
    late = people.ask("account code", account="lan")["code"]
    people.clock.advance(901)
    assert people.code_of("login-code", code=late) == "wrong-password"
    assert ("root", {"what": "code", "account": "lan"}) in people.noted


def test_codes_are_not_guessed(people: AccountSchool) -> None:
    """One on the boot partition is of a person's own words; the page shows whether it admits."""
    chosen = people.ask("account recover", account="minh", code="con-meo-nha-em")["code"]
    for number in range(8):
        assert not people.web("admit", "", PUPIL, code=f"con-meo-nha-{number}")["admitted"]
    assert not people.web("admit", "", PUPIL, code=chosen)["admitted"]
    assert people.code_of("login-code", "", PUPIL, code=chosen) == "slow-down"
    assert people.web("login-code", "", "10.0.6.8", code=chosen)


def test_a_stranger_keeps_no_random_code_from_its_owner(people: AccountSchool) -> None:
    for number in range(8):
        people.web("admit", "", STAFF_TOO, code=f"wrong-code-{number}")
    for command in ("account code", "account recover"):
        code = people.ask(command, account="minh")["code"]
        assert people.web("login-code", "", STAFF_TOO, code=code)["account"] == "minh"


def test_control_without_delays_a_code_is_guessed(
    people: AccountSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SignInDelays, "attempt", lambda *_, **__: None)
    chosen = people.ask("account recover", account="minh", code="con-meo-nha-em")["code"]
    for number in range(50):
        people.web("admit", "", PUPIL, code=f"con-meo-nha-{number}")
    assert people.web("admit", "", PUPIL, code=chosen)["admitted"]


def test_control_without_its_use_a_code_signs_in_again(
    people: AccountSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OneTimeCodes, "take", lambda *_: None)
    code = people.ask("account code", account="lan")["code"]
    for _ in range(2):
        assert people.web("login-code", code=code)["account"] == "lan"


def test_an_administrators_session_ends_when_idle_a_teachers_with_the_day(
    people: AccountSchool,
) -> None:
    """It is half past one in the afternoon."""
    minh, lan = people.sign_in("minh"), people.sign_in("lan")
    for _ in range(3):
        people.clock.advance(IDLE_S - 1)
        assert people.web("status", minh)
    people.clock.advance(IDLE_S)
    assert people.code_of("status", minh) == "sign-in"
    assert people.web("status", lan)
    people.clock.advance(9 * 3600)
    assert people.code_of("status", lan) == "sign-in"


def test_a_pin_signs_in_on_an_enrolled_device_with_a_teachers_rights(
    people: AccountSchool,
) -> None:
    secret, _ = people.enrol("minh")
    assert people.web("admit", "", PUPIL, device=secret)["device"] == "confirmed"
    token = people.web("login-pin", "", PUPIL, device=secret, pin=PIN)["token"]
    both = f"{token}~{secret}"
    assert people.web("status", both, PUPIL) == ["web:minh", 0]  # the phone of an administrator
    assert people.web("status", both, "10.0.6.8")  # its address changes
    for stolen in (token, f"{token}~{secret}x"):
        assert people.code_of("status", stolen, PUPIL) == "not-admitted"
        assert people.code_of("status", stolen, STAFF) == "sign-in"


def test_five_wrong_pins_and_the_device_must_be_enrolled_again(people: AccountSchool) -> None:
    secret, _ = people.enrol("lan")
    pins = ["000000", "482912", "", "x" * 300]
    for pin in pins:
        assert people.code_of("login-pin", "", PUPIL, device=secret, pin=pin) == "wrong-password"
    assert people.web("login-pin", "", PUPIL, device=secret, pin=PIN)
    for pin in [*pins, "482914"]:
        people.begin()  # a restart gives no tries back
        assert people.code_of("login-pin", "", PUPIL, device=secret, pin=pin) == "wrong-password"
    assert people.code_of("login-pin", "", PUPIL, device=secret, pin=PIN) == "sign-in"
    assert not people.web("admit", "", PUPIL, device=secret)["admitted"]


def test_control_without_counting_a_pin_is_tried_for_ever(
    people: AccountSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def uncounted(*_: Any) -> None:
        pass

    secret, _ = people.enrol("lan")
    monkeypatch.setattr(_SignIn, "_count", uncounted)
    for _ in range(20):
        people.code_of("login-pin", "", PUPIL, device=secret, pin="482914")
    assert people.web("login-pin", "", PUPIL, device=secret, pin=PIN)


def test_tries_at_one_moment_count_each(people: AccountSchool) -> None:
    secret, _ = people.enrol("lan")

    async def one(number: int) -> str:
        try:
            given = {"device": secret, "pin": f"11122{number % 10}"}
            await people.answer("login-pin", WEB, address=f"10.0.6.{number}", **given)
        except FilterdError as error:
            return error.code
        return ""

    async def whole() -> list[str]:
        return await asyncio.gather(*map(one, range(40)))

    codes = [code for _ in range(4) for code in people.runner.run(whole())]
    assert codes.count("wrong-password") == 5


def test_a_command_that_is_dangerous_asks_for_the_password_again(people: AccountSchool) -> None:
    """A web process that was taken over has only the sessions that pass through it."""
    token = people.sign_in("minh")
    people.clock.advance(FRESH_S + 1)
    add: dict[str, Any] = {"account": "kẻ-lạ", "roles": ["admin"]}
    full = {"kind": "log-level", "level": "full"}
    assert people.code_of("account add", token, **add) == "password-needed"
    assert people.code_of("change", token, **full) == "password-needed"
    assert people.code_of("change", token, kind="log-confirm", id=1) == "password-needed"
    assert people.web("change", token, kind="log-level", level="names") == ["web:minh", 2]
    assert people.code_of("confirm-password", token, password="sai") == "wrong-password"
    assert people.code_of("account add", token, **add) == "password-needed"
    assert people.web("confirm-password", token, password=PASSWORD) == {"for_s": FRESH_S}
    assert people.web("change", token, **full) == ["web:minh", 2]


def test_control_without_step_up_the_session_alone_does_it(
    people: AccountSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("filterd.daemon.handlers.account_grants.needs_password", lambda *_: False)
    token = people.sign_in("minh")
    people.clock.advance(FRESH_S + 1)
    assert people.web("account add", token, account="kẻ-lạ", roles=["admin"])


def _tail(people: AccountSchool, end: Callable[[], Any]) -> list[Any]:
    """Return what a live tail gets that is begun before something ends the session."""
    here = replace(WEB, uid=os.geteuid())
    given = {"account": "lan", "password": PASSWORD}
    token = people.ask("login", here, address=STAFF, **given)["token"]
    found, path = list[Any](), people.folder / "s"

    async def ticks(_: dict[str, Any], __: Any) -> AsyncIterator[int]:
        for number in range(3):
            yield number

    async def whole() -> None:
        people.commands["ticks"] = ticks
        people.server = ControlServer(path, people.commands, granting=people.accounts.granting)
        await people.server.start()
        try:
            async for number in follow(path, "ticks", act_for=token, address=STAFF):
                found.append(number)
                end()
        except FilterdError as error:
            found.append(error.code)
        finally:
            await people.server.close()

    people.runner.run(whole())
    return found


def test_a_live_tail_ends_with_its_session(
    people: AccountSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = iter([True, False])
    monkeypatch.setattr(Sessions, "is_on", lambda *_: next(held))
    assert _tail(people, lambda: None) == [0, "sign-in"]


def test_control_without_that_it_goes_on(
    people: AccountSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Sessions, "is_on", lambda *_: True)
    sessions = people.accounts._state.sessions
    assert _tail(people, lambda: sessions.end_all("lan")) == [0, 1, 2]


HOSTILE: list[dict[str, Any]] = [
    {"account": 7},
    {"account": ["minh"]},
    {"password": {}},
    {"code": 1.5},
    {"device": [0]},
    {"account": "x" * 100_000},
    {"password": "\ud800" * 50},
    {"password": "ạ" * 100_000},
    {"account": "web:minh"},
    {"account": "\x00"},
]


@pytest.mark.parametrize("command", ["login", "login-code", "login-pin", "account device-redeem"])
@pytest.mark.parametrize("given", HOSTILE, ids=lambda given: repr(given)[:30])
def test_hostile_values_allow_no_sign_in(
    people: AccountSchool, command: str, given: dict[str, Any]
) -> None:
    whole = {"account": "minh", "password": PASSWORD, "code": "000000", "device": "x", "pin": PIN}
    refused = people.code_of(command, "", STAFF, **{**whole, "name": "một", **given})
    assert refused in {"wrong-password", "control", "change", "sign-in", "slow-down"}


@pytest.mark.parametrize("token", ["x", "~", "~x", "filterd_", "filterd_x~", "x" * 256, "\x00"])
def test_a_forged_token_grants_nothing(people: AccountSchool, token: str) -> None:
    assert people.code_of("status", token) == "sign-in"
    assert people.code_of("account list", token) == "sign-in"


def test_the_web_process_itself_has_no_rights(people: AccountSchool) -> None:
    for command in people.commands:
        if command not in {
            "school",
            "admit",
            "login",
            "login-code",
            "login-pin",
            "account device-redeem",
            "page-why",
        }:
            with pytest.raises(FilterdError, match="sign in first"):
                people.ask(command, WEB)
    with pytest.raises(FilterdError, match="sign in first"):  # root's own, for a person
        people.ask("account list", ROOT, address=STAFF)


def test_control_without_that_a_web_process_has_the_rights_of_its_user(
    people: AccountSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control_server, "acts_for_a_person", lambda *_: False)
    assert people.ask("account list", ROOT, address=STAFF)


@pytest.mark.parametrize(
    "end",
    [
        lambda people: people.ask("account disable", account="lan"),
        lambda people: people.ask("account roles", account="lan", roles=["reader"]),
        lambda people: people.ask("account passwd", account="lan", password=PASSWORD + "!"),
        lambda people: people.ask("account recover", account="lan"),
        lambda people: people.begin(),
    ],
    ids=["disabled", "roles", "password", "recovered", "restart"],
)
def test_sessions_end_when_the_account_changes(
    people: AccountSchool, end: Callable[[AccountSchool], Any]
) -> None:
    token = people.sign_in("lan")
    end(people)
    assert people.code_of("status", token) == "sign-in"


def test_control_without_that_a_disabled_accounts_session_would_go_on(
    people: AccountSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Sessions, "end_all", lambda *_, **__: None)
    token = people.sign_in("lan")
    people.ask("account roles", account="lan", roles=["reader"])
    assert people.web("status", token) == ["web:lan", 1]


def test_accounts_by_the_state_are_those_of_the_file(people: AccountSchool) -> None:
    state: AccountState = people.accounts._state
    code = state.codes.make(CodePurpose.DEVICE, "lan")
    assert state.account_of_code(code, ROOT, CodePurpose.SIGN_IN) == ""
    assert [account.name for account in state.book.accounts] == ["lan", "minh", "thu"]


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
    for wrong in (number, "x"):
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


@pytest.mark.parametrize("pin", ["", "12345", "1234567", "123456", "654321", "111111", "12a456"])
def test_a_pin_is_none_that_anyone_tries_first(people: AccountSchool, pin: Any) -> None:
    code = people.ask("account device-code", account="lan")["code"]
    given = {"code": code, "name": "một", "pin": pin}
    assert people.code_of("account device-redeem", "", PUPIL, **given) == "change"
