# SPDX-License-Identifier: Apache-2.0
"""Streams that are followed in an event loop, from a real control server."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.errors import ControlError, FilterdError
from filterd.control import UnansweredError, frames
from filterd.control.event_stream import follow
from filterd.daemon.handlers import control_followers
from filterd.daemon.handlers.control_server import ControlServer
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from filterd.daemon.handlers.control_caller import Caller


async def _numbers(request: dict[str, Any], _: Caller) -> AsyncIterator[Any]:
    for number in range(request["n"]):
        if number == request.get("refuse_at"):
            raise ControlError(say("not today"))
        yield number
    if request.get("wait"):
        await asyncio.Event().wait()


def _with_server(path: Path, work: Callable[[], Awaitable[None]]) -> None:
    async def whole() -> None:
        server = ControlServer(path, {"numbers": _numbers})
        await server.start()
        try:
            async with asyncio.timeout(30):
                await work()
        finally:
            await server.close()

    asyncio.run(whole())


def test_values_come_one_after_the_other_until_the_end(tmp_path: Path) -> None:
    async def work() -> None:
        assert [one async for one in follow(tmp_path / "s", "numbers", n=3)] == [0, 1, 2]

    _with_server(tmp_path / "s", work)


def test_a_heartbeat_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_followers, "HEARTBEAT_S", 0.01)

    async def work() -> None:
        values = follow(tmp_path / "s", "numbers", n=1, wait=True)
        assert [await anext(values), await anext(values)] == [0, None]
        await values.aclose()  # type: ignore[attr-defined]

    _with_server(tmp_path / "s", work)


def test_an_error_keeps_its_words(tmp_path: Path) -> None:
    async def work() -> None:
        with pytest.raises(ControlError, match="not today"):
            [_ async for _ in follow(tmp_path / "s", "numbers", n=3, refuse_at=1)]

    _with_server(tmp_path / "s", work)


def test_a_token_goes_with_it(tmp_path: Path) -> None:
    async def work() -> None:
        with pytest.raises(FilterdError, match="this filterd has no accounts"):
            await anext(follow(tmp_path / "s", "numbers", act_for="x", n=1))

    _with_server(tmp_path / "s", work)


def test_without_a_daemon_or_with_one_that_is_silent_it_ends(tmp_path: Path) -> None:
    async def work() -> None:
        with pytest.raises(UnansweredError):
            await anext(follow(tmp_path / "none", "numbers"))
        with pytest.raises(UnansweredError):
            await anext(follow(tmp_path / "s", "numbers", n=0, wait=True, silence_s=0.01))

    _with_server(tmp_path / "s", work)


def test_a_frame_beyond_the_bound_is_no_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frames, "LARGEST_ANSWER_OCTETS", 16)

    async def work() -> None:
        with pytest.raises(UnansweredError):
            await anext(follow(tmp_path / "s", "numbers", n=1))

    _with_server(tmp_path / "s", work)
