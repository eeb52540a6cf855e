# SPDX-License-Identifier: Apache-2.0
"""The process: a real manager's socket behind it, real HTTP before it."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from filterd.accounts.grant import NO_GRANT
from filterd.blockpage import blockpage_main
from filterd.blockpage.blockpage_main import serve_pages
from filterd.daemon.handlers.control_server import ControlServer
from filterd.daemon.handlers.review_commands import PupilPage, Reviews
from tests.support.clock import FakeClock
from tests.support.commands import ROOT, environment
from tests.support.daemon import free_port
from tests.support.pupils import PUPIL, PupilsManager, a_pupils_site, a_setting

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

HEAVY = ("jinja2", "starlette", "typer", "rich", "yaml", "pydantic", "cryptography", "sqlite3")


def _server(socket: Path, page: PupilPage) -> ControlServer:
    return ControlServer(socket, page.commands(), granting=lambda *_: NO_GRANT)


def test_a_browser_reads_what_the_manager_knows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager: Any = PupilsManager(a_pupils_site(tmp_path))
    port, socket = free_port(), tmp_path / "control.sock"
    check = manager.check

    async def as_pupil(*, address: str, **asked: Any) -> Any:
        assert address == "127.0.0.1"
        return await check(address=PUPIL, **asked)

    monkeypatch.setattr(manager, "check", as_pupil)

    async def whole() -> str:
        page = PupilPage(manager, Reviews(manager, a_setting(tmp_path)))
        server, ready = _server(socket, page), asyncio.Event()
        monkeypatch.setattr(blockpage_main, "notify", lambda _: ready.set())
        await server.start()
        serving = asyncio.ensure_future(serve_pages(socket, [("127.0.0.1", port)], FakeClock()))
        await ready.wait()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: social.example\r\n\r\n")
        reply = (await reader.read()).decode()
        writer.close()
        os.kill(os.getpid(), signal.SIGTERM)
        await serving
        await server.close()
        return reply

    reply = asyncio.run(whole())
    assert reply.startswith("HTTP/1.1 200 OK\r\n")
    assert "<h1>social.example chưa mở cho lớp 6A</h1>" in reply


def test_a_port_that_is_taken_is_one_line() -> None:
    command = [sys.executable, "-m", "filterd.blockpage.blockpage_main", "x", "en", "nowhere:80"]
    done = subprocess.run(
        command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr == (
        "filterd: --listen 'nowhere:80' is not an address with a port ([::]:80, for example)\n"
    )


def test_the_process_loads_nothing_heavy() -> None:
    program = "import sys, filterd.blockpage.blockpage_main\n"
    program += f"print(sorted({{*{HEAVY}}} & {{*sys.modules}}))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        check=True,
    )
    assert done.stdout == b"[]\n"
