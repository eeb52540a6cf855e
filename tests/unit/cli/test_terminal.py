# SPDX-License-Identifier: Apache-2.0
"""Progress, waiting for Enter, and secrets, at the terminal."""

from __future__ import annotations

import io
import os
import pty
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from filterd.base.state_folder import StateFolder
from filterd.cli import terminal
from filterd.cli.context import Context
from filterd.cli.terminal import bar
from filterd.texts.i18n import Texts
from tests.test_docs import COMMANDS

if TYPE_CHECKING:
    import pytest


def _shown(*, terminal: bool, visible: bool = True) -> tuple[str, str]:
    """Return what stands on both outputs after some work."""
    out, err = io.StringIO(), io.StringIO()
    errors = Console(file=err, force_terminal=terminal, width=80, color_system=None)
    state = StateFolder(Path("state"))
    here = Context(Path("site"), state, Texts("vi"), Console(file=out), errors)
    with bar(here, "Đang nén", visible=visible) as progress:
        for done in range(4):
            progress(done, 3)
    return out.getvalue(), err.getvalue()


def test_at_a_terminal_it_shows_the_step_and_its_progress() -> None:
    out, err = _shown(terminal=True)
    assert out == ""
    assert "Đang nén" in err
    assert "3/3" in err


def test_a_log_has_nothing_of_it() -> None:
    assert _shown(terminal=False) == ("", "")


def test_it_can_be_left_out() -> None:
    assert _shown(terminal=True, visible=False) == ("", "")


def test_it_looks_until_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    paused: list[float] = []

    def pause(seconds: float) -> bool:
        paused.append(seconds)
        return False

    monkeypatch.setattr(terminal, "pause", pause)
    looked: list[None] = []
    terminal.watch(lambda: looked.append(None), 5.0)
    assert (paused, len(looked)) == ([2.0, 2.0, 1.0], 4)


def test_enter_ends_it_and_it_looks_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "pause", lambda _: True)
    looked: list[None] = []
    terminal.watch(lambda: looked.append(None), 500.0)
    assert len(looked) == 2


def test_enter_is_heard_at_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(theirs) as screen, os.fdopen(ours, "wb", buffering=0) as keyboard:
        monkeypatch.setattr("sys.stdin", screen)
        assert not terminal.pause(0.0)
        keyboard.write(b"\n")
        assert terminal.pause(5.0)
        keyboard.write(b"\n")
        assert not terminal.pause(0.0, to_the_end=True)
    with open(os.devnull) as nobody:  # noqa: PTH123 -- a device
        monkeypatch.setattr("sys.stdin", nobody)
        assert not terminal.pause(0.0)


_SECRETS = {"password", "pin", "secret", "token"}


def test_no_command_of_accounts_takes_a_secret_as_an_argument() -> None:
    found = {
        name
        for name, command in COMMANDS.items()
        if name.startswith("account ")
        for one in command.params
        if one.name in _SECRETS
    }
    assert found == set()
