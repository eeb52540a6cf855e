# SPDX-License-Identifier: Apache-2.0
"""Watching ends after its time, or when a user stops it."""

from __future__ import annotations

import os
import pty
from typing import TYPE_CHECKING

from filterd.cli import polling

if TYPE_CHECKING:
    import pytest


def test_it_looks_until_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    paused: list[float] = []

    def pause(seconds: float) -> bool:
        paused.append(seconds)
        return False

    monkeypatch.setattr(polling, "pause", pause)
    looked: list[None] = []
    polling.watch(lambda: looked.append(None), 5.0)
    assert (paused, len(looked)) == ([2.0, 2.0, 1.0], 4)


def test_enter_ends_it_and_it_looks_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polling, "pause", lambda _: True)
    looked: list[None] = []
    polling.watch(lambda: looked.append(None), 500.0)
    assert len(looked) == 2


def test_enter_is_heard_at_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(theirs) as terminal, os.fdopen(ours, "wb", buffering=0) as keyboard:
        monkeypatch.setattr("sys.stdin", terminal)
        assert not polling.pause(0.0)
        keyboard.write(b"\n")
        assert polling.pause(5.0)
    with open(os.devnull) as nobody:  # noqa: PTH123 -- a device
        monkeypatch.setattr("sys.stdin", nobody)
        assert not polling.pause(0.0)
