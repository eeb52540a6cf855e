# SPDX-License-Identifier: Apache-2.0
"""The process may end ten minutes after its last request, and during none."""

from __future__ import annotations

import asyncio
from typing import Any

from filterd.web.idle_exit import AFTER_S, IdleExit
from tests.support.clock import FakeClock


def test_it_is_due_ten_minutes_after_the_last_request() -> None:
    clock = FakeClock()
    during: list[bool] = []

    async def application(*_: Any) -> None:
        clock.advance(AFTER_S)
        during.append(idle.is_due)

    idle = IdleExit(application, clock)
    clock.advance(AFTER_S - 1)
    assert not idle.is_due
    asyncio.run(idle({}, None, None))  # type: ignore[arg-type]
    assert during == [False]
    assert not idle.is_due
    clock.advance(AFTER_S)
    assert idle.is_due


def test_a_request_that_fails_has_ended_too() -> None:
    clock = FakeClock()

    async def application(*_: Any) -> None:
        raise ValueError

    idle = IdleExit(application, clock)
    asyncio.run(_run(idle))
    clock.advance(AFTER_S)
    assert idle.is_due


async def _run(idle: IdleExit) -> None:
    await asyncio.gather(idle({}, None, None), return_exceptions=True)  # type: ignore[arg-type]
