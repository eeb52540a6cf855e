# SPDX-License-Identifier: Apache-2.0
"""The process serves until it is stopped, or is idle on a socket of the service manager."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import uvicorn

from filterd.appliance.setup.web_certificate import make
from filterd.base.clock import SystemClock
from filterd.base.errors import ConfigError
from filterd.base.state_folder import StateFolder
from filterd.web import web_main
from filterd.web.application import Web
from filterd.web.certificate_files import Certificate
from filterd.web.web_main import IDLE_AFTER_S, IdleExit, names_of, run
from tests.support.clock import FakeClock
from tests.support.commands import environment
from tests.support.unix_sockets import bind
from tests.support.web_school import UNVERIFIED

if TYPE_CHECKING:
    from pathlib import Path

WITHIN_S = 20.0
PROGRAM = """
import os, sys
os.environ["LISTEN_PID"] = str(os.getpid())
from filterd.web import web_main
web_main.main(*sys.argv[1:])
"""


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    files = Certificate(tmp_path / "certificate.pem", tmp_path / "key.pem")
    make(*files, ["Filterd.example"], ["192.0.2.1"], SystemClock().wall())
    return files


def test_it_knows_the_names_of_its_certificate(certificate: Certificate, tmp_path: Path) -> None:
    assert names_of(certificate.chain) == {"filterd.example"}
    assert names_of(tmp_path / "none") == frozenset()


def test_a_certificate_that_cannot_be_used_is_reported_in_one_line(
    certificate: Certificate, tmp_path: Path
) -> None:
    certificate.key.write_text("x")
    with pytest.raises(ConfigError, match=r"certificate.pem: the certificate cannot be used"):
        run(StateFolder(tmp_path), [], certificate)


def test_it_ends_where_it_is_idle(certificate: Certificate, tmp_path: Path) -> None:
    clock = FakeClock()

    async def application(*_: Any) -> None:
        pass

    async def whole() -> None:
        web = Web(StateFolder(tmp_path).control_socket)
        idle = IdleExit(application, clock)
        for given, ends in ((idle, True), (None, False)):
            server = web_main._WebServer(
                uvicorn.Config(application, log_config=None), [], certificate, web, given
            )
            assert not await server.on_tick(1)
            clock.advance(web_main.IDLE_AFTER_S)
            assert await server.on_tick(1) is ends

    asyncio.run(whole())


def test_once_a_minute_it_gives_back_what_a_crowd_took(
    certificate: Certificate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_back = list[int]()

    async def application(*_: Any) -> None:
        pass

    async def whole() -> None:
        web = Web(StateFolder(tmp_path).control_socket)
        config = uvicorn.Config(application, log_config=None)
        server = web_main._WebServer(config, [], certificate, web, None)
        for tick in range(1201):
            monkeypatch.setattr(web_main, "give_back", partial(given_back.append, tick))
            await server.on_tick(tick)

    asyncio.run(whole())
    assert given_back == [599, 1199]


def test_on_a_passed_socket_it_answers_and_ends_when_it_is_stopped(
    certificate: Certificate, tmp_path: Path
) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd,
    ):
        bind(systemd, tmp_path / "notify")
        systemd.settimeout(WITHIN_S)
        words = [str(tmp_path), "-", *map(str, certificate), "en", "no"]
        actions = [(os.POSIX_SPAWN_DUP2, listening.fileno(), 3)]
        pid = os.posix_spawn(
            sys.executable,
            [sys.executable, "-c", PROGRAM, *words],
            environment(LISTEN_FDS="1", NOTIFY_SOCKET=str(tmp_path / "notify")),
            file_actions=actions,
        )
        try:
            assert systemd.recv(100) == b"READY=1"
            with (
                socket.create_connection(listening.getsockname(), WITHIN_S) as plain,
                UNVERIFIED.wrap_socket(plain) as connection,
            ):
                connection.sendall(b"GET /login HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
                assert connection.recv(100).startswith(b"HTTP/1.1 503 ")  # no daemon answers
        finally:
            os.kill(pid, signal.SIGTERM)
            _, status = os.waitpid(pid, 0)
        assert systemd.recv(100) == b"STOPPING=1"
    assert status == 0


def test_it_needs_no_library_of_other_processes() -> None:
    """What it does not import takes no memory of a small board."""
    code = "import sys, filterd.web.web_main; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True
    )
    heavy = {"typer", "rich", "pydantic", "yaml", "cryptography", "requests", "tuf", "segno"}
    assert heavy.isdisjoint(done.stdout.split())


def test_a_port_that_is_taken_is_reported_in_one_line(
    certificate: Certificate, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        chain, key = map(str, certificate)
        with pytest.raises(SystemExit) as end:
            web_main.main(str(tmp_path), listen, chain, key, "en", "no")
    assert end.value.code == 2
    assert capsys.readouterr().err.startswith("filterd: cannot listen on 127.0.0.1 port")


def test_it_is_due_ten_minutes_after_the_last_request() -> None:
    clock = FakeClock()
    during: list[bool] = []

    async def application(*_: Any) -> None:
        clock.advance(IDLE_AFTER_S)
        during.append(idle.is_due)

    idle = IdleExit(application, clock)
    clock.advance(IDLE_AFTER_S - 1)
    assert not idle.is_due
    asyncio.run(idle({}, None, None))  # type: ignore[arg-type]
    assert during == [False]
    assert not idle.is_due
    clock.advance(IDLE_AFTER_S)
    assert idle.is_due


def test_a_request_that_fails_has_ended_too() -> None:
    clock = FakeClock()

    async def application(*_: Any) -> None:
        raise ValueError

    idle = IdleExit(application, clock)
    asyncio.run(_run(idle))
    clock.advance(IDLE_AFTER_S)
    assert idle.is_due


async def _run(idle: IdleExit) -> None:
    await asyncio.gather(idle({}, None, None), return_exceptions=True)  # type: ignore[arg-type]
