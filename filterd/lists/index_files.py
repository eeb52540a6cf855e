# SPDX-License-Identifier: Apache-2.0
"""Replace and verify index files on the disk.

The folder that they are compiled from (``Blocklists``) is here too.

Replacing is one rename; the previous index is kept. An index has the version of its lists,
so the catalogue by which a policy is compiled is never of another version: renaming an index
into place changes both. The tables of a version decide at which age a category opens; they
are compared with the signed digests before use.

The digest of an index shows whether every octet is the written one; that is checked whenever
a file is opened to be served, because an SD card may have lost some. Whether the content
contradicts itself depends on the compiler only. That check takes ten times as long, so it is
done once for the same octets, and its result is kept by digest.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from typing import TYPE_CHECKING, Any, NamedTuple

from filterd.base.errors import IndexFormatError, StoreError
from filterd.base.paths import (
    install,
    is_plain,
    move_away,
    open_plain,
    read_plain,
    shipped,
    write_atomically,
)
from filterd.base.state_folder import SHIPPED, StateFolder
from filterd.lists.index import Contents, named_in_errors
from filterd.lists.index_format import HEADER_OCTETS, IndexHeader
from filterd.texts.i18n import refused, say
from filterd.version import __version__

if TYPE_CHECKING:
    from pathlib import Path

_HEAD = f"filterd checked indexes 1, as filterd {__version__} checks"
_MOST_OCTETS = 4096
_KEPT = 4
"""The active index, the previous one, and those that are being made."""

_MANIFEST = "manifest.json"
"""Has the digest of each file of a version, as written by ``filterd.feed.version_files``."""
_MOST_MANIFEST_OCTETS = 1 << 24


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


class Blocklists(NamedTuple):
    """A ``blocklists/`` folder to compile.

    Attributes:
        folder: of the tables and lists.
        version: of the feed; None for the shipped one.
        beside: public lists that stand beside them.
    """

    folder: Path
    version: str | None = None
    beside: Blocklists | None = None


def blocklists_in_force(state: StateFolder) -> Blocklists:
    """Return the folder of the active index, or of the previous one if damaged.

    It is the shipped one where there is no index, and where the folder is gone. A
    folder that the disk refuses is not gone: its tables are refused when they are read
    (``check_tables``), and the last good policy stays.

    Raises:
        StoreError: filterd is installed without it.
    """
    versions = map(version_of, (state.index, state.previous_index))
    version = next((one for one in versions if one is not None), SHIPPED)
    folder = state.feed_version(version)
    if version != SHIPPED and not _is_gone(folder):
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
        version, files = str(manifest["version"]), manifest["files"]
        damaged = next((path for path, _, sha256 in files if _is_damaged(folder, path, sha256)), "")
    except FileNotFoundError:
        return
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        version, damaged = folder.name, _MANIFEST
    if damaged:
        raise StoreError(
            say(
                "version {version} of the feed: {path} is missing or damaged on this disk;"
                " repair it with `filterd sync`",
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
        return file.read(_MOST_MANIFEST_OCTETS)


class IndexFacts(NamedTuple):
    """What an index is, without its names.

    Attributes:
        digest: as ``Index.digest``.
        names: how many it lists.
        build: as ``Contents.build``.
    """

    digest: bytes
    names: int
    build: dict[str, Any]


def facts_of(index: Path) -> IndexFacts:
    """Return what an index is; only its header and contents are read.

    Raises:
        IndexFormatError: it is not an index that this filterd reads.
        OSError: it cannot be read.
    """
    with open_plain(index) as file, named_in_errors(index):
        head = file.read(HEADER_OCTETS)
        header = IndexHeader.parse(head, os.fstat(file.fileno()).st_size)
        offset, length = header.spans["contents"]
        file.seek(offset)
        contents = Contents.load(file.read(length), header.set_count)
    return IndexFacts(hashlib.sha256(head).digest(), header.name_count, contents.build)


def version_of(index: Path, key: str = StateFolder.noted_as) -> str | None:
    """Return the version of the lists in an index; None if the file is no index."""
    try:
        return str(facts_of(index).build.get(key, SHIPPED))
    except (OSError, IndexFormatError):
        return None
