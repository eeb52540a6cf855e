# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import asyncio
import json
import os
import socket
from contextlib import ExitStack, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from filterd.accounts.grant import Grant
from filterd.base.errors import ControlError
from filterd.daemon.handlers import control_followers as module
from filterd.daemon.handlers.control_caller import A_USER, Caller
from filterd.daemon.handlers.control_followers import (
    MOST,
    MOST_OF_A_USER,
    MOST_OF_OTHERS,
    MOST_OF_WEB,
    Followers,
)
from filterd.daemon.handlers.control_server import ControlServer
from filterd.texts.i18n import say
from tests.support.unix_sockets import connect, open_streams

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

ROOT, OWN, TEACHER = 0, 990, 1001


class _Source:
    """A command that streams numbers; ``running``: how many clients follow it."""

    def __init__(self) -> None:
        self.running, self.begun, self.size = 0, 0, 1
        self.more = asyncio.Event()

    def commands(self) -> dict[str, Any]:
        """Return the commands of the server."""

        async def numbers(request: dict[str, Any], _: Caller) -> AsyncIterator[Any]:
            self.running, self.begun = self.running + 1, self.begun + 1
            try:
                for number in range(request.get("n", 1 << 60)):
                    if number == request.get("refuse_at"):
                        raise ControlError(say("not today"))
                    if number == request.get("wait_at"):
                        await self.more.wait()
                    yield [number, "x" * self.size]
                    await asyncio.sleep(0)
            finally:
                self.running -= 1

        async def ping(_: dict[str, Any], __: Caller) -> str:
            return "pong"

        return {"numbers": numbers, "ping": ping}


def _with_server(path: Path, work: Callable[[_Source, ControlServer], Awaitable[None]]) -> None:
    async def whole() -> None:
        source = _Source()
        server = ControlServer(path, source.commands())
        await server.start()
        try:
            async with asyncio.timeout(30):
                await work(source, server)
        finally:
            await server.close()

    asyncio.run(whole())


async def _follow(
    path: Path, ask: str = "numbers", **arguments: Any
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await open_streams(path)
    frame = {"version": 1, "id": 7, "stream": 0, "act_for": "", "ask": ask, "arguments": arguments}
    writer.write(json.dumps(frame).encode() + b"\n")
    return reader, writer


async def _next(reader: asyncio.StreamReader) -> Any:
    return json.loads(await reader.readline())


async def _until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.001)


def test_each_value_is_a_frame_and_the_end_one_more(tmp_path: Path) -> None:
    async def work(source: _Source, _: ControlServer) -> None:
        reader, writer = await _follow(tmp_path / "s", n=3)
        values = [await _next(reader) for _ in range(4)]
        assert [value["result"] and value["result"][0] for value in values] == [0, 1, 2, None]
        assert [value["end"] for value in values] == [False, False, False, True]
        assert await reader.read() == b""
        await _until(lambda: not source.running)
        writer.close()

    _with_server(tmp_path / "s", work)


def test_an_error_is_the_last_frame(tmp_path: Path) -> None:
    async def work(_: _Source, __: ControlServer) -> None:
        reader, writer = await _follow(tmp_path / "s", refuse_at=1)
        await _next(reader)
        values = await _next(reader)
        assert (values["ok"], values["end"], values["error"], values["id"]) == (
            False,
            True,
            "not today",
            7,
        )
        assert await reader.read() == b""
        writer.close()

    _with_server(tmp_path / "s", work)


def test_a_follower_without_news_hears_that_the_daemon_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "HEARTBEAT_S", 0.01)

    async def work(source: _Source, _: ControlServer) -> None:
        reader, writer = await _follow(tmp_path / "s", wait_at=0)
        for _attempt in range(2):
            values = await _next(reader)
            assert (values["ok"], values["heartbeat"], values["end"]) == (True, True, False)
        source.more.set()
        while (values := await _next(reader)).get("heartbeat"):
            pass
        assert values["result"][0] == 0  # no value is lost to a heartbeat
        writer.close()

    _with_server(tmp_path / "s", work)


@pytest.mark.parametrize("wait_at", [None, 1], ids=["busy", "idle"])
def test_a_follower_that_leaves_ends_the_generator(tmp_path: Path, wait_at: int | None) -> None:
    async def work(source: _Source, _: ControlServer) -> None:
        reader, writer = await _follow(tmp_path / "s", wait_at=wait_at)
        await _next(reader)
        writer.transport.abort()
        await _until(lambda: not source.running)

    _with_server(tmp_path / "s", work)


def test_a_follower_that_does_not_read_is_dropped_and_holds_one_frame(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TAKEN_WITHIN_S", 0.05)

    async def work(source: _Source, _: ControlServer) -> None:
        source.size = 50_000
        with socket.socket(socket.AF_UNIX) as silent:
            connect(silent, tmp_path / "s")
            silent.sendall(b'{"version":1,"id":1,"stream":0,"act_for":"","ask":"numbers",')
            silent.sendall(b'"arguments":{}}\n')
            await _until(lambda: bool(source.begun) and not source.running)

    _with_server(tmp_path / "s", work)


def test_closing_the_server_ends_all_of_them(tmp_path: Path) -> None:
    async def work(source: _Source, server: ControlServer) -> None:
        streams = [await _follow(tmp_path / "s", wait_at=1) for _ in range(5)]
        await _until(lambda: source.running == 5)
        await server.close()
        assert not source.running
        for reader, writer in streams:
            await reader.read()
            writer.close()

    _with_server(tmp_path / "s", work)


def test_followers_take_neither_connections_nor_commands_of_others(tmp_path: Path) -> None:
    async def work(source: _Source, server: ControlServer) -> None:
        streams = [await _follow(tmp_path / "s", wait_at=0) for _ in range(MOST)]
        await _until(lambda: source.running == MOST)
        for _attempt in range(2 * A_USER.connections):
            reader, writer = await _follow(tmp_path / "s", "ping")
            assert (await _next(reader))["result"] == "pong"
            writer.close()
        reader, writer = await _follow(tmp_path / "s")
        assert "too many commands follow" in (await _next(reader))["error"]
        for _reader, one in (*streams, (reader, writer)):
            one.close()
        await _until(lambda: not server._connections)
        reader, writer = await _follow(tmp_path / "s", n=1)
        assert (await _next(reader))["result"][0] == 0
        writer.close()

    _with_server(tmp_path / "s", work)


def _user(uid: int) -> Caller:
    return Caller(uid, str(uid), frozenset())


def _person(name: str) -> Caller:
    return replace(_user(OWN), grant=Grant(name, frozenset()))


def _held(followers: Followers, *uids: int) -> list[int]:
    """Take places, one after the other, and return the users that got one."""
    with ExitStack() as stack:
        got = []
        for uid in uids:
            with suppress(ControlError):
                stack.enter_context(followers.place(_user(uid)))
                got.append(uid)
        return got


def test_a_user_has_few_places_and_root_always_finds_one() -> None:
    followers = Followers(OWN)
    assert _held(followers, *[TEACHER] * 9) == [TEACHER] * MOST_OF_A_USER
    crowd = [*range(2000, 2100)]
    assert _held(followers, *crowd, ROOT, OWN) == [*crowd[:MOST_OF_OTHERS], ROOT, OWN]
    assert _held(followers, *[ROOT] * 99) == [ROOT] * MOST
    assert not followers._places  # all were given back


def test_control_without_that_reserve_a_crowd_leaves_root_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MOST_OF_OTHERS", MOST)
    assert ROOT not in _held(Followers(os.geteuid()), *range(2000, 2100), ROOT)


def test_people_by_the_web_have_places_of_their_own_a_few_each() -> None:
    followers = Followers(OWN)
    people = [f"person{number // 4}" for number in range(40)]

    def held(name: str) -> bool:
        with suppress(ControlError):
            stack.enter_context(followers.place(_person(name)))
            return True
        return False

    with ExitStack() as stack:
        assert sum(map(held, people)) == MOST_OF_WEB
        assert sum(map(held, ["person0"] * 4)) == 0
        assert _held(followers, *[ROOT] * 99) == [ROOT] * MOST
    with ExitStack() as stack:
        assert sum(map(held, ["lan"] * 9)) == MOST_OF_A_USER
