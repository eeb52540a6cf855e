# SPDX-License-Identifier: Apache-2.0
"""Passwords are hashed by scrypt, a few at a time."""

from __future__ import annotations

import asyncio
import hashlib
import unicodedata

import pytest

from filterd.accounts.password_hash import (
    AT_ONCE,
    OF_ONE_ORIGIN,
    WAITING,
    HashTurns,
    PasswordHash,
    is_right,
    new_password,
    new_pin,
    normal,
)
from filterd.accounts.sign_in_delays import BusySignInError
from filterd.base.errors import ChangeError

PASSWORD = "ba con mèo vàng"


def test_a_hash_has_its_parameters_and_a_salt_of_its_own() -> None:
    one, other = PasswordHash.of(PASSWORD), PasswordHash.of(PASSWORD)
    assert (one.n, one.r, one.p) == (1 << 14, 8, 1)
    assert len(one.salt) == len(other.salt) == 16
    assert one.salt != other.salt
    assert one.key != other.key
    assert one.is_of(PASSWORD)
    assert not one.is_of(PASSWORD + "!")


def test_no_hash_is_right_and_neither_is_a_password_without_bounds() -> None:
    assert not asyncio.run(is_right(None, PASSWORD))
    kept = PasswordHash.of("")
    assert asyncio.run(is_right(kept, "x" * 10_000))  # counts as none
    assert not asyncio.run(is_right(PasswordHash.of("x" * 201), "x" * 201))


def test_a_password_is_the_same_from_every_keyboard() -> None:
    decomposed = unicodedata.normalize("NFD", PASSWORD)
    assert decomposed != PASSWORD
    assert normal(decomposed) == PASSWORD


def test_turns_are_bounded_in_all_and_by_origin() -> None:
    async def whole() -> None:
        turns, hold, at_work = HashTurns(), asyncio.Event(), list[int]()

        async def one(origin: str) -> None:
            async with turns.turn(origin):
                at_work.append(1)
                await hold.wait()
                at_work.pop()

        tasks = [asyncio.ensure_future(one("10.0.1.5")) for _ in range(OF_ONE_ORIGIN)]
        await asyncio.sleep(0)
        with pytest.raises(BusySignInError):
            await one("10.0.1.5")
        others = AT_ONCE + WAITING - OF_ONE_ORIGIN
        tasks += [asyncio.ensure_future(one(f"10.0.2.{number}")) for number in range(others)]
        await asyncio.sleep(0)
        assert len(at_work) == AT_ONCE
        with pytest.raises(BusySignInError):
            await one("10.0.3.1")
        hold.set()
        await asyncio.gather(*tasks)
        await one("10.0.1.5")
        assert not turns._origins

    asyncio.run(whole())


@pytest.mark.parametrize(
    ("text", "is_let"),
    [
        ("x" * 9 + "y", True),
        ("x" * 8 + "y", False),
        ("x" * 10, False),  # all the same
        ("x" * 199 + "y", True),
        ("x" * 200 + "y", False),
        ("nguyenvanlan", False),  # the name
        ("NguyenVanLan", False),
        ("nalnavneyugn", False),  # the name, reversed
        ("nguyenvanlan1", True),
        ("ba con me\u0300o", True),
    ],
)
def test_a_password_is_long_enough_and_not_the_name(text: str, *, is_let: bool) -> None:
    if is_let:
        assert new_password(text, "NguyenVanLan") == unicodedata.normalize("NFC", text)
    else:
        with pytest.raises(ChangeError, match="a password has at"):
            new_password(text, "NguyenVanLan")


@pytest.mark.parametrize(
    ("value", "is_let"),
    [
        ("482913", True),
        ("112233", True),
        ("48291", False),
        ("4829137", False),
        ("111111", False),
        ("123456", False),
        ("567890", False),
        ("098765", False),
        ("543210", False),
        ("48291a", False),
        ("\uff14\uff18\uff12\uff19\uff11\uff13", False),
        ("²²²²²³", False),
        ("", False),
    ],
)
def test_a_pin_has_six_digits_that_are_not_guessed_first(value: str, *, is_let: bool) -> None:
    if is_let:
        assert new_pin(value) == value
    else:
        with pytest.raises(ChangeError, match="a PIN has 6 digits"):
            new_pin(value)


@pytest.mark.parametrize("value", [None, 482913, ["482913"]])
def test_what_is_no_text_is_neither(value: object) -> None:
    for check in (new_pin, lambda given: new_password(given, "lan")):
        with pytest.raises(ChangeError):
            check(value)


def test_the_longest_password_is_judged_as_it_is() -> None:
    kept = PasswordHash.of("x" * 200)
    assert asyncio.run(is_right(kept, "x" * 200))
    assert not asyncio.run(is_right(kept, "x" * 201))


def test_a_hash_that_was_made_with_other_parameters_still_counts() -> None:
    salt = b"0123456789abcdef"
    key = hashlib.scrypt(PASSWORD.encode(), salt=salt, n=16, r=4, p=2, dklen=32)
    kept = PasswordHash(16, 4, 2, salt, key)
    assert kept.is_of(PASSWORD)
    assert not kept.is_of(PASSWORD.upper())


def test_a_new_hash_waits_for_a_turn_and_gives_it_back() -> None:
    async def whole() -> PasswordHash:
        turns = HashTurns()
        turns._origins.update({"10.0.1.5": OF_ONE_ORIGIN - 1})
        made = await turns.new("10.0.1.5", PASSWORD)
        assert turns._origins["10.0.1.5"] == OF_ONE_ORIGIN - 1
        turns._origins.update({"10.0.1.5": 1})
        with pytest.raises(BusySignInError):
            await turns.new("10.0.1.5", PASSWORD)
        return made

    assert asyncio.run(whole()).is_of(PASSWORD)


def test_a_password_of_odd_characters_is_one_all_the_same() -> None:
    assert PasswordHash.of("\ud800 mèo").is_of("\ud800 mèo")
