# SPDX-License-Identifier: Apache-2.0
"""A progress bar is shown at a terminal only."""

from __future__ import annotations

import io
from pathlib import Path

from rich.console import Console

from filterd.cli.context import Context
from filterd.cli.progress_bar import bar
from filterd.i18n import Texts
from filterd.state_folder import StateFolder


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


def test_at_a_terminal_it_says_what_is_done_and_how_far_it_is() -> None:
    out, err = _shown(terminal=True)
    assert out == ""
    assert "Đang nén" in err
    assert "3/3" in err


def test_a_log_has_nothing_of_it() -> None:
    assert _shown(terminal=False) == ("", "")


def test_it_can_be_left_out() -> None:
    assert _shown(terminal=True, visible=False) == ("", "")
