# SPDX-License-Identifier: Apache-2.0
"""Quarantine of damaged store files, under names that show the reason.

They stay until they are moved away. This module does without SQLite: every command
checks whether something was lost.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from filterd.base.errors import StoreError
from filterd.base.paths import SIDES, with_sides, write_atomically
from filterd.texts.i18n import Sentence, refused, say

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEPT_ASIDE = 8
"""The newest damaged files are kept, so many."""

_ALTERED, _LOST = "-altered", "-lost"


def set_aside(path: Path, at: float, *, altered: bool = False, lost: bool = False) -> Path:
    """Rename a damaged file and SQLite's files beside it; return the new name.

    The WAL goes first: one that stayed behind would be taken for that of the
    new file.

    Args:
        path: the file.
        at: Unix time.
        altered: see ``store_file.DamagedError``; its new name shows it.
        lost: no copy of its content is left; its new name shows it, too.

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
        for old in files(path)[:-KEPT_ASIDE]:
            remove(old, *with_sides(old)[1:])
    except OSError as error:
        raise StoreError(
            say("{path}: cannot be set aside: {why}", path=path, why=refused(error))
        ) from error
    return kept


def note_lost(path: Path, at: float) -> Path:
    """Create an empty file as a mark of one that is gone, and return it.

    Raises:
        StoreError: the disk refused.
    """
    mark = _free_name(path, at, _LOST)
    write_atomically(mark, b"")
    return mark


def files(path: Path) -> list[Path]:
    """Return the quarantined files, the oldest first."""
    found = path.parent.glob(f"{path.name}.damaged-*")
    return sorted(one for one in found if not one.name.endswith(SIDES))


def is_altered(kept: Path) -> bool:
    """Return whether a file was set aside because its rows were altered."""
    return kept.name.removesuffix(_LOST).endswith(_ALTERED)


def lost(path: Path) -> Iterator[Sentence]:
    """Yield the remedy for each file that was lost with all its content."""
    for kept in files(path):
        if kept.name.endswith(_LOST):
            yield remedy_for(kept)


def remedy_for(kept: Path) -> Sentence:
    """Return why a file was set aside, and the remedy."""
    if kept.name.endswith(_LOST):
        return say(
            "{path}: settings made by commands were lost in whole or in part: see `filterd"
            " exceptions list`, set again what is missing, then move the file away",
            path=kept,
        )
    if is_altered(kept):
        return say(
            "{path}: this history was altered and has been set aside; find out who did it, then"
            " move the file away",
            path=kept,
        )
    return say(
        "{path}: this history was damaged and has been set aside; move the file away once it is"
        " no longer needed",
        path=kept,
    )


def remove(*paths: Path) -> None:
    """Remove files, as far as they exist.

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
    raise StoreError(say("{path}: cannot be set aside: there are too many already", path=path))
