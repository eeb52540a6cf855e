# SPDX-License-Identifier: Apache-2.0
"""Rounds of the log: each minute, one at a time, whatever one of them meets."""

from __future__ import annotations

import asyncio

import pytest

from filterd.daemon import minute_rounds as module
from filterd.daemon.minute_rounds import MinuteRounds


class Rounds(MinuteRounds):
    begun, finished, is_closed = 0, 0, False

    async def keep_house(self) -> None:
        await super().keep_house()
        raise ValueError("a bug")

    async def _collect(self) -> None:
        self.begun += 1
        await asyncio.sleep(0)
        self.finished += 1

    async def _close(self) -> None:
        self.is_closed = self.finished == self.begun


def test_every_minute_is_a_round_also_after_an_error(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "ROUND_S", 0.0)

    async def work() -> None:
        rounds = Rounds()
        rounds.start()
        while rounds.finished < 3:
            await asyncio.sleep(0)
        await rounds.stop()
        assert rounds.is_closed

    asyncio.run(asyncio.wait_for(work(), 20.0))
    assert "the log could not be written" in caplog.text


@pytest.mark.parametrize("is_at_once", [False, True])
def test_a_round_at_the_start_is_only_for_those_that_want_it(*, is_at_once: bool) -> None:
    """Else what is asked for then would share a round that the workers have not answered."""

    async def work() -> None:
        rounds = Rounds(is_at_once=is_at_once)
        rounds.start()
        for _ in range(5):
            await asyncio.sleep(0)
        assert bool(rounds.begun) is is_at_once
        await rounds.stop()

    asyncio.run(work())


def test_rounds_that_are_asked_for_at_once_are_one() -> None:
    async def work() -> None:
        rounds = Rounds()
        await asyncio.gather(*(rounds.collect() for _ in range(20)))
        assert rounds.begun == 1
        await rounds.collect()
        assert rounds.begun == 2

    asyncio.run(work())
