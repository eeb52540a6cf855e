# SPDX-License-Identifier: Apache-2.0
"""Which ``blocklists/`` folder the lists in force were compiled from.

The index says so itself. So the catalogue by which a policy is compiled can never
be of another version than the lists: whoever renames an index into place has
changed both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from filterd.errors import IndexFormatError
from filterd.lists.index import Index
from filterd.paths import shipped

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.paths import StateFolder


class Blocklists(NamedTuple):
    """A ``blocklists/`` folder; ``version`` of the feed, None for the one that ships."""

    folder: Path
    version: int | None = None


def blocklists_in_force(state: StateFolder) -> Blocklists:
    """Return the folder that the index in force is of, or the one before where that is damaged.

    It is the one that ships where there is no index, and where the folder is gone.

    Raises:
        StoreError: filterd is installed without it.
    """
    version = next((one for one in map(version_of, _indexes(state)) if one is not None), 0)
    folder = state.feed_version(version)
    if version and folder.is_dir():
        return Blocklists(folder, version)
    return Blocklists(shipped("blocklists"))


def version_of(index: Path) -> int | None:
    """Return the version of the feed that an index is of, 0 for none; None if it is no index."""
    try:
        version = Index.open(index).build.get("feed", 0)
    except (OSError, IndexFormatError):
        return None
    return version if type(version) is int else 0


def _indexes(state: StateFolder) -> tuple[Path, ...]:
    return (state.index, state.previous_index)
