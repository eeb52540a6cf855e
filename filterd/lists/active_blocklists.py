# SPDX-License-Identifier: Apache-2.0
"""The ``blocklists/`` folder from which the active lists were compiled.

The index itself has its version. So the catalogue by which a policy is compiled is never
of another version than the lists: renaming an index into place changes both.

A version's tables decide at which age a category opens, so they are compared with the
signed digests before use: an octet that an SD card has lost must not open anything.
"""

from __future__ import annotations

import hashlib
import json
import stat
from typing import TYPE_CHECKING, NamedTuple

from filterd.errors import IndexFormatError, StoreError
from filterd.i18n import say
from filterd.lists.index import Index
from filterd.paths import open_plain, shipped

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.state_folder import StateFolder


_MANIFEST = "manifest.json"
"""Has the digest of each file of a version, as written by ``filterd.feed.manifest``."""
_MOST_OCTETS = 1 << 24


class Blocklists(NamedTuple):
    """A ``blocklists/`` folder; ``version`` of the feed, None for the shipped one."""

    folder: Path
    version: int | None = None


def blocklists_in_force(state: StateFolder) -> Blocklists:
    """Return the folder of the active index, or of the previous one if damaged.

    It is the shipped one where there is no index, and where the folder is gone. A
    folder that the disk refuses is not gone: its tables are refused when they are read
    (``check_tables``), and the last good policy stays.

    Raises:
        StoreError: filterd is installed without it.
    """
    version = next((one for one in map(version_of, _indexes(state)) if one is not None), 0)
    folder = state.feed_version(version)
    if version and not _is_gone(folder):
        return Blocklists(folder, version)
    return Blocklists(shipped("blocklists"))


def blocklists_to_compile_by(state: StateFolder) -> Blocklists:
    """Return the folder to compile a policy by where there is none to fall back on.

    It is the shipped one where tables of the active one are damaged: older, and
    better than no filter.

    Raises:
        StoreError: filterd is installed without it.
    """
    blocklists = blocklists_in_force(state)
    try:
        check_tables(blocklists.folder)
    except StoreError:
        return Blocklists(shipped("blocklists"))
    return blocklists


def check_tables(folder: Path) -> None:
    """Check that the tables of a version are the signed ones.

    The shipped folder has no manifest and is not checked.

    Raises:
        StoreError: one is not.
    """
    try:
        manifest = json.loads(_read(folder / _MANIFEST))
        version, files = int(manifest["version"]), manifest["files"]
        damaged = next((path for path, _, sha256 in files if _is_damaged(folder, path, sha256)), "")
    except FileNotFoundError:
        return
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        version, damaged = int(folder.name) if folder.name.isdecimal() else 0, _MANIFEST
    if damaged:
        raise StoreError(
            say(
                "version {version} of the feed: {path} is missing or damaged on this disk; "
                "`filterd sync` mends it",
                version=version,
                path=damaged,
            )
        )


def _is_gone(folder: Path) -> bool:
    try:
        return not stat.S_ISDIR(folder.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False


def _is_damaged(folder: Path, path: str, sha256: str) -> bool:
    if not path.endswith(".yaml"):
        return False
    try:
        return hashlib.sha256(_read(folder / path)).hexdigest() != sha256
    except OSError:
        return True


def _read(path: Path) -> bytes:
    with open_plain(path) as file:
        return file.read(_MOST_OCTETS)


def version_of(index: Path) -> int | None:
    """Return the version of the feed from which an index was compiled.

    0 for none; None if the file is no index.
    """
    try:
        version = Index.open(index).build.get("feed", 0)
    except (OSError, IndexFormatError):
        return None
    return version if type(version) is int else 0


def _indexes(state: StateFolder) -> tuple[Path, ...]:
    return (state.index, state.previous_index)
