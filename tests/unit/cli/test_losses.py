# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io
from typing import TYPE_CHECKING

from rich.console import Console

from filterd import control
from filterd.cli.losses import losses_told
from filterd.overrides import quarantine
from filterd.state_folder import StateFolder

if TYPE_CHECKING:
    from pathlib import Path


def told(state: StateFolder) -> str:
    shown = io.StringIO()
    with losses_told(state, "en", Console(file=shown, width=500)):
        pass
    return shown.getvalue()


def test_a_loss_is_told_until_its_file_is_moved_away(tmp_path: Path) -> None:
    state = StateFolder(tmp_path)
    assert told(state) == ""
    kept = quarantine.note_lost(state.overrides, 0.0)
    assert told(state).startswith(f"filterd: {kept}: what commands had set was lost")
    kept.unlink()
    assert told(state) == ""


def test_what_a_daemon_told_before_is_not_told_again(tmp_path: Path) -> None:
    control.notices.clear()
    assert told(StateFolder(tmp_path / "none")) == ""
