# SPDX-License-Identifier: Apache-2.0
"""The daemon as the feed sees it: reloads, counters, or no daemon."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from filterd import control
from filterd.base.errors import ControlError
from filterd.daemon.feed_port import ControlDaemon
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def socket(tmp_path: Path) -> Path:
    path = tmp_path / "control.sock"
    path.write_bytes(b"")
    return path


def _answer(
    monkeypatch: pytest.MonkeyPatch, answer: Callable[[str], Any], *, running: bool = True
) -> list[tuple[str, dict[str, Any]]]:
    asked: list[tuple[str, dict[str, Any]]] = []

    def ask(_: Path, command: str, **arguments: Any) -> Any:
        asked.append((command, arguments))
        return answer(command)

    monkeypatch.setattr(control, "ask", ask)
    monkeypatch.setattr(control, "is_running", lambda _: running)
    return asked


def _refuse(_: str) -> Any:
    raise ControlError(say("it is not met"))


def test_without_a_socket_no_daemon_is_notified(tmp_path: Path) -> None:
    nobody = ControlDaemon(tmp_path / "none.sock")
    assert not nobody.tell()
    assert not nobody.is_running
    assert nobody.status() == {}


def test_a_socket_left_by_a_dead_daemon_counts_as_no_daemon(
    socket: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _answer(monkeypatch, _refuse, running=False)
    assert not ControlDaemon(socket).tell()
    assert ControlDaemon(socket).status() == {}


def test_a_daemon_that_refuses_is_an_error(socket: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _answer(monkeypatch, _refuse)
    with pytest.raises(ControlError, match="it is not met"):
        ControlDaemon(socket).reload()


def test_a_daemon_that_reloads_was_notified(socket: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = _answer(monkeypatch, lambda _: {"policy": "x"})
    assert ControlDaemon(socket).tell()
    ControlDaemon(socket).reload()
    assert asked == [("reload", {"lists_only": False}), ("reload", {"lists_only": True})]


@pytest.mark.parametrize(
    ("action", "blocked"),
    [("nxdomain", True), ("sinkhole", True), ("pass", False), ("rewrite", False)],
)
def test_a_name_is_asked_as_the_most_strictly_filtered_client(
    socket: Path, monkeypatch: pytest.MonkeyPatch, action: str, blocked: bool
) -> None:
    asked = _answer(monkeypatch, lambda _: {"action": action})
    assert ControlDaemon(socket).is_blocked("bet.example") is blocked
    (command, arguments), *_ = asked
    assert command == "check"
    assert arguments["qname"] == b"\x03bet\x07example\x00".hex()
    assert (arguments["grade"], arguments["client"]) == (None, None)


def test_usual_is_the_day_with_most_blocks(socket: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def row(date: str, action: str, n: int) -> dict[str, Any]:
        return {"date": date, "action": action, "n": n}

    rows = [
        row("2026-11-25", "pass", 90),
        row("2026-11-25", "blocked", 10),
        row("2026-11-26", "pass", 60),
        row("2026-11-26", "blocked", 30),
        row("2026-11-26", "blocked", 10),
        row("2026-11-27", "pass", 5),
        row("2026-11-27", "rewritten", 2),
    ]
    asked = _answer(monkeypatch, lambda _: rows)
    assert ControlDaemon(socket).usual_blocks() == 0.4
    assert asked == [("log totals", {"days": 7})]
    passed = {"2026-11-25": 90, "2026-11-26": 60, "2026-11-27": 7}
    assert ControlDaemon(socket).passed() == passed
    _answer(monkeypatch, lambda _: [])
    assert ControlDaemon(socket).usual_blocks() == 0.0
