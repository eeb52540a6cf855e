# SPDX-License-Identifier: Apache-2.0
"""Index files on the disk: one replaces another, and which ones have been verified.

Replacing is one rename; the previous index is kept.

An index is checked in two ways. Its digest shows whether every octet is the one
that was written; that is checked whenever a file is opened to be served, because
an SD card may have lost some since. Whether the content contradicts itself
depends only on the compiler, and for the same octets the result stays the same.
That check takes ten times as long, so it is done once and its result is kept
here by digest, from one process to the next.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from filterd.errors import StoreError
from filterd.i18n import refused, say
from filterd.paths import install, is_plain, move_away, read_plain, write_atomically
from filterd.version import __version__

if TYPE_CHECKING:
    from pathlib import Path

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


_HEAD = f"filterd checked indexes 1, as filterd {__version__} checks"
_MOST_OCTETS = 4096
_KEPT = 4
"""The index in force, the one before it, and those that are being made."""


def checked_digests(record: Path) -> tuple[bytes, ...]:
    """Return the digests of indexes known to be sound; none where the record is of no use."""
    try:
        head, *lines = read_plain(record, _MOST_OCTETS).decode("ascii").splitlines()
        return tuple(map(bytes.fromhex, lines)) if head == _HEAD else ()
    except (OSError, ValueError):
        return ()


def note_checked(record: Path, digest: bytes) -> None:
    """Remember that the index with this digest was checked through and through.

    Raises:
        StoreError: the disk refused; it will be checked again.
    """
    others = [one for one in checked_digests(record) if one != digest]
    lines = [one.hex() for one in (digest, *others[: _KEPT - 1])]
    write_atomically(record, "\n".join((_HEAD, *lines, "")).encode("ascii"))
