# SPDX-License-Identifier: Apache-2.0
"""A second copy of the policy in force, and a second name of the index, for when one is lost.

Both can be made anew, but not at once, and ``site.yaml`` may be wrong by then; the index
before does not list what has been listed since. An index is replaced by renaming and never
changed in place, so a second name takes no room; it does not help against damage.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from typing import TYPE_CHECKING

from filterd.errors import StoreError
from filterd.paths import read_plain, write_atomically
from filterd.policy import policy_file
from filterd.state_file import MOST_OCTETS

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.daemon.shared_page import SharedPage
    from filterd.state_folder import StateFolder

_LOOK_EVERY_S = 2.0


def keep(state: StateFolder, page: SharedPage) -> None:
    """Make second copies of the active files, if they are sound. Never raises.

    The caller prevents reloads meanwhile.

    Args:
        state: the folder of the files.
        page: has the index that was verified.
    """
    with contextlib.suppress(OSError, StoreError):
        content = read_plain(state.policy, MOST_OCTETS)
        if not _holds(state.second_policy, content):
            policy_file.parse(content, str(state.policy))
            write_atomically(state.second_policy, content)
    with contextlib.suppress(OSError):  # a disk without links goes without
        if not page.is_verified(state.index.stat()):
            return
        temporary = state.second_index.with_name(f".{state.second_index.name}.tmp")
        temporary.unlink(missing_ok=True)
        os.link(state.index, temporary, follow_symlinks=False)
        temporary.replace(state.second_index)
        temporary.unlink(missing_ok=True)  # two names of one file: renaming did nothing


async def watch(state: StateFolder, turn: asyncio.Lock) -> None:
    """Put back what is gone, for ever; ``turn`` keeps reloads out meanwhile."""
    while True:
        async with turn:
            await asyncio.to_thread(restore, state)
        await asyncio.sleep(_LOOK_EVERY_S)


def restore(state: StateFolder) -> None:
    """Put back what is gone. Never raises."""
    if not os.path.lexists(state.policy):
        with contextlib.suppress(OSError, StoreError):
            write_atomically(state.policy, read_plain(state.second_policy, MOST_OCTETS))
    if not os.path.lexists(state.index):
        with contextlib.suppress(OSError):
            os.link(state.second_index, state.index, follow_symlinks=False)


def _holds(path: Path, content: bytes) -> bool:
    try:
        return read_plain(path, MOST_OCTETS) == content
    except OSError:
        return False
