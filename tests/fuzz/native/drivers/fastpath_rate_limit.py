# SPDX-License-Identifier: Apache-2.0
"""Sources of every kind into small tables; each new one replaces another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.base.native import plain_source
from filterd.fastpath import _rate_limit as native

if TYPE_CHECKING:
    import random

    from tests.fuzz.native.session import Session

pure = plain_source("filterd.fastpath._rate_limit")
REACHES = {"refused", "raised", "counted", *(verdict.name for verdict in pure.Treatment)}

_WHAT = ("judge",) * 8 + ("crowd", "take_by_tcp", "prove")
_STORY = 200
_FLOOD = 2 * pure.HINTS_AT_ONCE


def drive(session: Session) -> None:
    """Run the same stories in both twins, and compare their verdicts."""
    for _ in session.rounds():
        sets = session.rng.choice((1, 2, 64))
        rate, burst = session.rng.choice(((2, 5), (10, 100), (1e9, 1e9), (0, 0), (1e-9, 1)))
        key = session.rng.randbytes(16)
        tables: list[Any] = [
            module.SourceTable(key, rate, burst, sets) for module in (native, pure)
        ]
        now = 0.0
        for _ in range(_STORY):
            now += session.rng.choice((0, 0, 0.1, 1, 7, 1e6))
            _act(session, tables, now)
        if session.rng.random() < 0.1:
            _flood(session, tables, now)
        _refuse(session, tables[0], now)


def _act(session: Session, tables: list[Any], now: float) -> None:
    """Let one source do one thing."""
    rng = session.rng
    what, address, interface = rng.choice(_WHAT), _address(rng), rng.choice((0, 1, 2**32 - 1))
    permitted = rng.random() < 0.8
    said = []
    for table in tables:
        asked: list[tuple[str, int]] = []

        def permits(text: str, index: int, asked: list[tuple[str, int]] = asked) -> bool:
            asked.append((text, index))
            return permitted

        more = (permits,) if what in {"judge", "crowd"} else ()
        verdict = getattr(table, what)(session.give(address), interface, now, *more)
        said.append((verdict, asked, table.is_overloaded(now)))
    assert said[0] == said[1], (what, said)
    if what in {"judge", "crowd"}:
        session.reached[pure.Treatment(said[0][0]).name] += 1


def _flood(session: Session, tables: list[Any], now: float) -> None:
    """Add new sources until none gets even a hint."""
    for _ in range(_FLOOD):
        address = session.give(_address(session.rng))
        said = [table.crowd(address, 1, now, lambda *_: True) for table in tables]
        assert said[0] == said[1]
        session.reached[pure.Treatment(said[0]).name] += 1


def _address(rng: random.Random) -> bytes:
    kind = rng.random()
    if kind < 0.4:
        return bytes((10, 0, 0, rng.choice((1, 2, rng.randrange(256)))))
    if kind < 0.8:
        return bytes.fromhex("20010db8") + bytes(3) + bytes((rng.randrange(9),)) + rng.randbytes(8)
    if kind < 0.9:
        return bytes.fromhex("fe80") + bytes(13) + bytes((rng.randrange(4),))
    return rng.randbytes(rng.choice((4, 16)))


def _refuse(session: Session, table: Any, now: float) -> None:
    """Ask for addresses that are none, with a judge that fails, and of impossible tables."""
    rng = session.rng
    length = rng.choice((0, 1, 3, 5, 8, 15, 17, 40))
    try:
        table.judge(session.give(rng.randbytes(length)), 1, now, lambda *_: True)
    except ValueError:
        session.reached["refused"] += 1
    try:
        for _ in range(9):
            table.judge(rng.randbytes(4), 1, now + 1e7, _fails)
    except ZeroDivisionError:
        session.reached["raised"] += 1
    for sets in (0, -1, 3):
        try:
            native.SourceTable(bytes(16), 1, 1, sets)
        except ValueError:
            session.reached["refused"] += 1
    session.reached["counted"] += len(table) > 0


def _fails(_address: str, _interface: int) -> bool:
    raise ZeroDivisionError
