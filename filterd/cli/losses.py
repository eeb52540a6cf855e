# SPDX-License-Identifier: Apache-2.0
"""What every command says while something that commands had set is lost.

The running daemon tells it with each answer. Where none runs, or is not asked, a file
in the state folder does, to those who may look there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from filterd import control, sentences

if TYPE_CHECKING:
    from rich.console import Console

    from filterd.paths import StateFolder
    from filterd.texts import Language


def say_what_was_lost(state: StateFolder, language: Language, errors: Console) -> None:
    """Print a line about each loss that is not dealt with yet, on standard error."""
    told = dict(control.notices)
    try:
        is_lost = any(state.folder.glob(f"{state.overrides.name}.damaged-*-lost"))
    except OSError:
        is_lost = False
    if is_lost:
        from filterd.overrides import database  # noqa: PLC0415 -- with SQLite, hardly ever

        told |= dict.fromkeys(database.lost(state.overrides))
    for one in told:
        line = f"filterd: {sentences.told(one, language)}"
        errors.print(Text(line, style="bold red"), soft_wrap=True)
