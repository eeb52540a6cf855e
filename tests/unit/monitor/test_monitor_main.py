# SPDX-License-Identifier: Apache-2.0
"""The monitor gives metrics and health, and each observation to its watchers."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import pytest

from filterd import control
from filterd.base.errors import ControlError
from filterd.http.http_service import Handler, HttpRequest, Reply
from filterd.monitor import monitor_main
from filterd.monitor.monitor_main import handler_of, watch
from filterd.monitor.status_source import Observation, StatusSource
from filterd.texts.i18n import say
from tests.support.clock import FakeClock
from tests.support.fake_daemon import STATUS

if TYPE_CHECKING:
    from pathlib import Path


def _source(monkeypatch: pytest.MonkeyPatch, folder: Path, status: Any) -> StatusSource:
    def ask(*_: Any, **__: Any) -> Any:
        if status is None:
            raise ControlError(say("it does not run"))
        return status

    monkeypatch.setattr(control, "ask", ask)
    return StatusSource(folder / "control.sock", FakeClock())


async def _replied(handle: Handler, request: HttpRequest) -> Reply:
    return await handle(request)


@pytest.mark.parametrize(
    ("status", "health", "up"),
    [
        ({**STATUS, "workers": 1}, HTTPStatus.OK, b"filterd_up 1.0\n"),
        ({**STATUS, "workers": 0}, HTTPStatus.SERVICE_UNAVAILABLE, b"filterd_up 1.0\n"),
        (None, HTTPStatus.SERVICE_UNAVAILABLE, b"filterd_up 0.0\n"),
    ],
)
def test_health_is_that_workers_answer(
    status: Any, health: HTTPStatus, up: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    handle = handler_of(_source(monkeypatch, tmp_path, status))

    def reply(path: str, method: str = "GET") -> Reply:
        async def ask() -> Reply:
            return await handle(HttpRequest(method, path, {}, b"", "127.0.0.1", "127.0.0.1"))

        return asyncio.run(ask())

    assert reply("/healthz?x=1") == Reply(health)
    assert up in reply("/metrics").content
    assert reply("/metrics", "POST").status is HTTPStatus.METHOD_NOT_ALLOWED
    assert reply("/etc/passwd").status is HTTPStatus.NOT_FOUND


@pytest.mark.parametrize(
    ("host", "is_served"),
    [
        ("127.0.0.1:9153", True),
        ("localhost:9153", True),
        ("LOCALHOST", True),
        ("[::1]:9153", True),
        ("127.0.0.1.attacker.example:9153", False),
        ("attacker.example", False),
        ("192.168.1.10:9153", False),
        ("localhost.attacker.example", False),
        ("attacker.example@127.0.0.1.x", False),
        ("[::1", False),
        ("", False),
    ],
)
def test_a_name_that_was_led_to_loopback_reads_nothing(
    host: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, is_served: bool
) -> None:
    handle = handler_of(_source(monkeypatch, tmp_path, {**STATUS, "workers": 1}))
    for path in ("/metrics", "/healthz", "/"):
        request = HttpRequest("GET", path, {"host": host}, b"", "127.0.0.1", "127.0.0.1")
        reply: Reply = asyncio.run(_replied(handle, request))
        assert (reply.status is not HTTPStatus.MISDIRECTED_REQUEST) is is_served
        assert is_served or not reply.content


def test_an_error_of_one_watcher_stops_no_other(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(monitor_main, "WATCH_EVERY_S", 0)
    seen: list[Observation] = []

    async def broken(_: Observation) -> None:
        raise ValueError("a bug")

    async def running() -> None:
        came = asyncio.Event()

        async def watcher(observation: Observation) -> None:
            seen.append(observation)
            if len(seen) > 1:
                came.set()

        source = _source(monkeypatch, tmp_path, STATUS)
        task = asyncio.create_task(watch(source, (broken, watcher)))  # noqa: TID251
        await asyncio.wait_for(came.wait(), 10)
        task.cancel()

    asyncio.run(running())
    assert seen[0].status == STATUS
