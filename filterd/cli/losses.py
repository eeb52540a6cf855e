# SPDX-License-Identifier: Apache-2.0
"""What every command says while something that commands had set is lost.

The running daemon tells it with each answer. Where none runs, or is not asked, a file
in the state folder does, to those who may look there.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from rich.text import Text

from filterd import control, i18n
from filterd.overrides import quarantine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from filterd.i18n import Language
    from filterd.state_folder import StateFolder


@contextlib.contextmanager
def losses_told(state: StateFolder, language: Language, errors: Console) -> Iterator[None]:
    """Run a command, and print a line about each loss that is not dealt with yet."""
    control.notices.clear()
    try:
        yield
    finally:
        _tell_losses(state, language, errors)


def _tell_losses(state: StateFolder, language: Language, errors: Console) -> None:
    told = dict(control.notices)
    with contextlib.suppress(OSError):
        told |= dict.fromkeys(quarantine.lost(state.overrides))
    for one in told:
        line = f"filterd: {i18n.told(one, language)}"
        errors.print(Text(line, style="bold red"), soft_wrap=True)
