# SPDX-License-Identifier: Apache-2.0
"""Index files on the disk: replacement, and which indexes have been verified.

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
    """Activate ``state.fresh_index``, with its file of problems.

    It was verified before, and the caller holds ``state.build_lock``. Killed at any
    point, the old index or the new one is active.

    Raises:
        StoreError: the disk refused; the active index stays.
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
            kept.unlink(missing_ok=True)  # it is left where both were names of one file
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
"""The active index, the previous one, and those that are being made."""


def checked_digests(record: Path) -> tuple[bytes, ...]:
    """Return the digests of verified indexes; none where the record cannot be used."""
    try:
        head, *lines = read_plain(record, _MOST_OCTETS).decode("ascii").splitlines()
        return tuple(map(bytes.fromhex, lines)) if head == _HEAD else ()
    except (OSError, ValueError):
        return ()


def note_checked(record: Path, digest: bytes) -> None:
    """Record that the index with this digest was verified.

    Raises:
        StoreError: the disk refused; it will be verified again.
    """
    others = [one for one in checked_digests(record) if one != digest]
    lines = [one.hex() for one in (digest, *others[: _KEPT - 1])]
    write_atomically(record, "\n".join((_HEAD, *lines, "")).encode("ascii"))
