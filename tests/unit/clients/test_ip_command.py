# SPDX-License-Identifier: Apache-2.0
"""Asking ``ip``, which may be missing, slow, or mad."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
import uvloop

from filterd.clients import ip_command
from filterd.clients.ip_command import IpCommand

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def runner(request: pytest.FixtureRequest) -> Any:
    with asyncio.Runner(loop_factory=request.param) as opened:
        yield opened


def _program(folder: Path, script: str) -> str:
    path = folder / "ip"
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def test_the_real_one_tells_of_loopback(runner: asyncio.Runner) -> None:
    links = runner.run(IpCommand().ask("address", "show"))
    assert links
    assert "lo" in [link["ifname"] for link in links]


def test_the_real_one_knows_the_questions_that_are_asked(runner: asyncio.Runner) -> None:
    for family in ("-4", "-6"):
        ask = IpCommand().ask(family, "route", "show", "default", "table", "all")
        assert runner.run(ask) is not None
    assert runner.run(IpCommand().ask("neigh", "show")) is not None


def test_nothing_printed_is_an_empty_list(tmp_path: Path, runner: asyncio.Runner) -> None:
    assert runner.run(IpCommand(_program(tmp_path, ":")).ask("x")) == []


def test_empty_objects_are_left_out(tmp_path: Path, runner: asyncio.Runner) -> None:
    program = _program(tmp_path, """echo '[{},{"a":1},7]'""")
    assert runner.run(IpCommand(program).ask("x")) == [{"a": 1}]


@pytest.mark.parametrize(
    "script",
    [
        "exit 1",
        "echo '[{'",
        "head -c 100000 /dev/zero | tr '\\0' '['",
        "exec sleep 600",
        "exec cat /dev/zero",
        "kill -9 $$",
    ],
)
def test_whatever_goes_wrong_is_one_warning(
    tmp_path: Path,
    script: str,
    runner: asyncio.Runner,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ip_command, "_WITHIN_S", 0.5)
    ip = IpCommand(_program(tmp_path, script))
    for _ in range(2):
        assert runner.run(ip.ask("neigh", "show")) is None
    (warning,) = caplog.records
    assert "install iproute2" in warning.getMessage()
    assert "\n" not in warning.getMessage()


def test_a_missing_program_is_one_warning(
    runner: asyncio.Runner, caplog: pytest.LogCaptureFixture
) -> None:
    ip = IpCommand("/nowhere/ip")
    for _ in range(2):
        assert runner.run(ip.ask("neigh", "show")) is None
    assert len(caplog.records) == 1


def test_after_a_good_answer_the_next_trouble_is_told_again(
    tmp_path: Path, runner: asyncio.Runner, caplog: pytest.LogCaptureFixture
) -> None:
    ip = IpCommand(_program(tmp_path, "exit $1"))
    for argument in ("1", "0", "1"):
        _program(tmp_path, f"exit {argument}")
        runner.run(ip.ask())
    assert len(caplog.records) == 2
