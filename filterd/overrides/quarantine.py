# SPDX-License-Identifier: Apache-2.0
"""Files of the store that were set aside: kept under a name that says why, until moved away.

Nothing of SQLite is here: every command looks whether something was lost.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from filterd.errors import StoreError
from filterd.paths import SIDES, with_sides, write_atomically
from filterd.sentences import Sentence, refused, say

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEPT_ASIDE = 8
"""Damaged files that are kept, the newest."""

_ALTERED, _LOST = "-altered", "-lost"


def set_aside(path: Path, at: float, *, altered: bool = False, lost: bool = False) -> Path:
    """Rename a damaged file, with what SQLite left beside it; return what it is called now.

    The WAL goes first: one that stayed behind would be taken for that of the
    new file.

    Args:
        path: the file.
        at: Unix time.
        altered: see ``store_file.DamagedError``; its name says so from now on.
        lost: no copy of what was in it is left; its name says so, too.

    Raises:
        StoreError: the disk refused.
    """
    kept = _free_name(path, at, _ALTERED * altered + _LOST * lost)
    try:
        for suffix in SIDES:
            side = path.with_name(path.name + suffix)
            if os.path.lexists(side):
                side.replace(kept.with_name(kept.name + suffix))
        path.replace(kept)
        for old in sorted(files(path))[:-KEPT_ASIDE]:
            remove(old, *with_sides(old)[1:])
    except OSError as error:
        raise StoreError(
            say("{path}: cannot be set aside: {why}", path=path, why=refused(error))
        ) from error
    return kept


def note_lost(path: Path, at: float) -> Path:
    """Leave an empty file that tells of one that is gone, and return it.

    Raises:
        StoreError: the disk refused.
    """
    told = _free_name(path, at, _LOST)
    write_atomically(told, b"")
    return told


def files(path: Path) -> list[Path]:
    """Return the damaged files that were kept, the oldest first."""
    found = path.parent.glob(f"{path.name}.damaged-*")
    return sorted(one for one in found if not one.name.endswith(SIDES))


def is_altered(kept: Path) -> bool:
    """Tell whether a file was set aside because its rows are not those that were written."""
    return kept.name.removesuffix(_LOST).endswith(_ALTERED)


def lost(path: Path) -> Iterator[Sentence]:
    """Yield for each file that was lost, with all that it had set, what is to be done."""
    for kept in files(path):
        if kept.name.endswith(_LOST):
            yield told_of(kept)


def told_of(kept: Path) -> Sentence:
    """Say of a file that was set aside why, and what to do with it."""
    if kept.name.endswith(_LOST):
        return say(
            "{path}: what commands had set was lost, or a part of it: look at `filterd exceptions"
            " list`, set again what is missing, then move the file away",
            path=kept,
        )
    if is_altered(kept):
        return say(
            "{path}: this history was altered, and it was set aside; find out who did it, then"
            " move the file away",
            path=kept,
        )
    return say(
        "{path}: this history was damaged, and it was set aside; move the file away once"
        " nobody wants to look at it",
        path=kept,
    )


def remove(*paths: Path) -> None:
    """Remove files in which nothing is, as far as they are there.

    Raises:
        StoreError: the disk refused.
    """
    for path in paths:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(
                say("{path}: cannot be removed: {why}", path=path, why=refused(error))
            ) from error


def _free_name(path: Path, at: float, ending: str) -> Path:
    time = datetime.fromtimestamp(at, UTC).strftime("%Y%m%dT%H%M%SZ")
    for number in range(1, 1000):
        kept = path.with_name(f"{path.name}.damaged-{time}-{number:03}{ending}")
        if not os.path.lexists(kept):
            return kept
    raise StoreError(say("{path}: cannot be set aside: too many are there", path=path))
