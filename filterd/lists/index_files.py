# SPDX-License-Identifier: Apache-2.0
"""An index takes the place of another: by one renaming, and the one before is kept."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from filterd.errors import StoreError
from filterd.paths import install, is_plain, move_away
from filterd.sentences import refused, say

if TYPE_CHECKING:
    from filterd.state_folder import StateFolder


def install_index(state: StateFolder) -> None:
    """Put ``state.fresh_index`` in force, with what was not taken into it; it was checked before.

    The caller holds ``state.build_lock``. Killed at any point, the old index or the
    new one is in force.

    Raises:
        StoreError: the disk refused; what was in force stays.
    """
    try:
        if not os.path.lexists(state.index):
            pass  # the first one
        elif not is_plain(state.index):
            move_away(state.index)
        else:
            kept = state.previous_index.with_suffix(".tmp")
            kept.unlink(missing_ok=True)
            os.link(state.index, kept)
            install(kept, state.previous_index)
            kept.unlink(missing_ok=True)  # two names of one file: renaming did nothing
        if os.path.lexists(state.fresh_problems):
            install(state.fresh_problems, state.problems)
        install(state.fresh_index, state.index)
    except OSError as error:
        raise StoreError(
            say("{index}: cannot be replaced: {why}", index=state.index, why=refused(error))
        ) from error
