# SPDX-License-Identifier: Apache-2.0
"""A trial starts the dashboard as a process of its own, or says why not."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filterd.daemon import trial_dashboard
from filterd.state_folder import StateFolder

if TYPE_CHECKING:
    import pytest


def test_it_becomes_filterd_web_with_no_signal_blocked(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[tuple[list[str], dict[str, Any]]] = []
    monkeypatch.setattr(os, "posix_spawn", lambda _, words, __, **how: started.append((words, how)))
    trial_dashboard.start(Path("/c"), StateFolder(Path("/s")), "vi")
    words = ["-m", "filterd", "web", "--try", "--config", "/c", "--state", "/s", "--lang", "vi"]
    assert started == [([sys.executable, *words], {"setsigmask": ()})]


def test_without_memory_for_it_there_is_a_line(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr(os, "posix_spawn", refuse)
    trial_dashboard.start(Path("/c"), StateFolder(Path("/s")), "vi")
    assert "the dashboard cannot be started: Cannot allocate memory" in caplog.text
