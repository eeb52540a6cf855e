# SPDX-License-Identifier: Apache-2.0
"""Passwords are hashed by scrypt, a few at a time."""

from __future__ import annotations

import asyncio
import unicodedata

import pytest

from filterd.accounts.password_hash import (
    AT_ONCE,
    OF_ONE_ORIGIN,
    WAITING,
    HashTurns,
    PasswordHash,
    is_right,
    normal,
)
from filterd.accounts.sign_in_delays import BusySignInError

PASSWORD = "ba con mèo vàng"


def test_a_hash_has_its_parameters_and_a_salt_of_its_own() -> None:
    one, other = PasswordHash.of(PASSWORD), PasswordHash.of(PASSWORD)
    assert (one.n, one.r, one.p) == (1 << 14, 8, 1)
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
