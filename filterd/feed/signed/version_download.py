# SPDX-License-Identifier: Apache-2.0
"""Make the folder of a published version, and fetch as little as possible.

For each file the first of these: it is in the folder already, from an earlier attempt; another
version has the same content, and is linked; a difference to a content at hand is published and
smaller than the whole; or the whole. A content is used only after its SHA-256 was compared,
so a flipped octet of an old version means a larger download and nothing else.

The folder is made aside and gets its name last (``versions``). An attempt that is killed, or
finds the disk full, leaves the active version as it is, and its files for the next attempt.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

from filterd.base.errors import DigestError, FeedError, StoreError
from filterd.base.paths import make_folder, sync_folder, temporary_of, write_atomically, writing
from filterd.feed.signed.deltas import unpack, unpack_delta
from filterd.feed.version_files import (
    MANIFEST,
    PublishedDelta,
    digits,
    sha256_of,
    verify,
    write_manifest,
)
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from filterd.feed.signed.arrival import Progress
    from filterd.feed.version_files import Publication, PublishedFile
    from filterd.feed.versions import Candidate, Versions

SPARE_OCTETS = 100_000_000
"""That stay free beside thrice what is written: logs and databases share the disk."""
_TIMES_NEEDED = 3


class Fetch(Protocol):
    """Fetches targets."""

    def __call__(self, target: str) -> bytes:
        """Return the octets of a target of the publication, verified as they were signed.

        Raises:
            FeedError: they did not come, or are not the signed ones.
        """


@dataclass(slots=True)
class Taken:
    """How a version was taken: paths by where their contents came from.

    ``failed_deltas`` are targets that did not come or led to another content; the whole file
    was fetched instead.
    """

    candidate: Candidate
    fetched_octets: int = 0
    kept: list[str] = field(default_factory=list)
    linked: list[str] = field(default_factory=list)
    by_delta: list[str] = field(default_factory=list)
    in_full: list[str] = field(default_factory=list)
    failed_deltas: list[str] = field(default_factory=list)


class _Old(NamedTuple):
    """A content at hand of a file that is to change."""

    path: Path
    sha256: str


def take(
    publication: Publication,
    versions: Versions,
    fetch: Fetch,
    *,
    free: Callable[[Path], int] | None = None,
    progress: Progress | None = None,
) -> Taken:
    """Make the folder of a version.

    Args:
        publication: as it was signed.
        versions: those at hand; one process at a time takes another.
        fetch: brings what is not at hand.
        free: returns the free octets on the disk of a folder.
        progress: called with the octets fetched so far and all that are to be.

    Returns:
        The candidate, whole and verified, and how it was taken.

    Raises:
        FeedError: something did not come or was wrong; nothing active has changed.
        StoreError: the disk refused or has too little room; the same.
    """
    folder = versions.folder_of(publication.version)
    if not folder.is_dir():
        folder = versions.partial_of(publication.version)
    taking = _Taking(publication, folder, versions.folders(), fetch, progress)
    with writing(folder):
        make_folder(folder)
        missing = taking.use_what_is_at_hand()
        _check_room(folder, sum(file.length for file in missing), free or _free_octets)
        taking.fetch_all(missing)
        taking.remove_others()
        write_manifest(folder, publication)
        sync_all(folder, publication.files)
        if damaged := verify(folder):
            raise StoreError(
                say("{path}: the disk does not return what was written", path=folder / damaged[0])
            )
        candidate = versions.finish(publication.version)
    return taking.taken(candidate)


class _Taking:
    """One version on its way into one folder."""

    def __init__(
        self,
        publication: Publication,
        folder: Path,
        at_hand: Iterable[Path],
        fetch: Fetch,
        progress: Progress | None,
    ) -> None:
        self._publication, self._folder, self._fetch = publication, folder, fetch
        self._at_hand = [one for one in at_hand if one != folder]
        self._progress = progress or (lambda _done, _total: None)
        self._old = dict[str, list[_Old]]()
        self._deltas = dict[str, list[PublishedDelta]]()
        for delta in publication.deltas:
            self._deltas.setdefault(delta.path, []).append(delta)
        self._lists = {
            name: list[str]() for name in ("kept", "linked", "by_delta", "in_full", "failed_deltas")
        }
        self._fetched_octets = self._octets_to_fetch = 0

    def taken(self, candidate: Candidate) -> Taken:
        return Taken(candidate, self._fetched_octets, **self._lists)

    def use_what_is_at_hand(self) -> list[PublishedFile]:
        """Keep or link all contents that some folder has; return the missing files."""
        missing = []
        for file in self._publication.files:
            target = self._folder / file.path
            if sha256_of(target, file.length) == file.sha256:
                self._lists["kept"].append(file.path)
            elif (same := self._same_content(file)) is not None:
                link_or_copy(same, target)
                self._lists["linked"].append(file.path)
            else:
                missing.append(file)
        return missing

    def fetch_all(self, missing: list[PublishedFile]) -> None:
        """Fetch the files that are missing, each as cheaply as it can be had."""
        chosen = [(file, self._cheapest_delta(file)) for file in missing]
        self._octets_to_fetch = sum((found or (file,))[0].packed_octets for file, found in chosen)
        for file, found in chosen:
            content = None if found is None else self._by_delta(file, *found)
            if content is None:
                content = self._in_full(file)
            target = self._folder / file.path
            make_folder(target.parent)
            write_atomically(target, content)

    def remove_others(self) -> None:
        """Remove files of an earlier attempt that this version does not have."""
        wanted = {self._folder / file.path for file in self._publication.files}
        wanted.add(self._folder / MANIFEST)
        for path in sorted(self._folder.rglob("*"), reverse=True):
            if path.is_dir() and not path.is_symlink():
                with contextlib.suppress(OSError):  # what is not empty stays
                    path.rmdir()
            elif path not in wanted:
                path.unlink()

    def _same_content(self, file: PublishedFile) -> Path | None:
        """Find the content in another folder; else note the contents of the file there."""
        old = self._old.setdefault(file.path, [])
        for folder in self._at_hand:
            path = folder / file.path
            sha256 = sha256_of(path)
            if sha256 == file.sha256:
                return path
            if sha256 is not None:
                old.append(_Old(path, sha256))
        return None

    def _cheapest_delta(self, file: PublishedFile) -> tuple[PublishedDelta, Path] | None:
        old = {digits(one.sha256): one.path for one in reversed(self._old[file.path])}
        usable = [
            delta
            for delta in self._deltas.get(file.path, ())
            if delta.old in old and delta.packed_octets < file.packed_octets
        ]
        if not usable:
            return None
        cheapest = min(usable, key=lambda one: one.packed_octets)
        return cheapest, old[cheapest.old]

    def _by_delta(self, file: PublishedFile, delta: PublishedDelta, old: Path) -> bytes | None:
        """Return the content by a difference, None where the whole file must be fetched."""
        try:
            packed = self._fetched(delta.target)
            content = unpack_delta(packed, old.read_bytes(), file.length)
            _check(file, content)
        except FeedError:
            # The whole file is verified on its own; without a network it does not come either.
            self._lists["failed_deltas"].append(delta.target)
            self._octets_to_fetch += file.packed_octets
            return None
        self._lists["by_delta"].append(file.path)
        return content

    def _in_full(self, file: PublishedFile) -> bytes:
        content = unpack(self._fetched(file.target), file.length)
        _check(file, content)
        self._lists["in_full"].append(file.path)
        return content

    def _fetched(self, target: str) -> bytes:
        octets = self._fetch(target)
        self._fetched_octets += len(octets)
        self._progress(self._fetched_octets, self._octets_to_fetch)
        return octets


def _check(file: PublishedFile, content: bytes) -> None:
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise DigestError(
            say(
                "{path} of the feed: it unpacks to another content than the one that was signed "
                "for; the last good version stays",
                path=file.path,
            )
        )


def link_or_copy(same: Path, target: Path) -> None:
    """Put a content into a second folder without its octets on the disk twice."""
    make_folder(target.parent)
    temporary = temporary_of(target)
    temporary.unlink(missing_ok=True)
    try:
        temporary.hardlink_to(same)
        temporary.replace(target)
    except OSError:  # a file system without links
        with contextlib.suppress(OSError):
            temporary.unlink()
        write_atomically(target, same.read_bytes())


def _check_room(folder: Path, needed: int, free: Callable[[Path], int]) -> None:
    """Refuse a download that would fill the disk, which log and databases share."""
    if not needed:
        return
    wanted, there = _TIMES_NEEDED * needed + SPARE_OCTETS, free(folder)
    if there < wanted:
        raise StoreError(
            say(
                "{folder}: the new version of the feed needs {wanted} MB of free space, and"
                " {there} MB are free; make room; the last good version stays",
                folder=folder,
                wanted=_megabytes(wanted),
                there=_megabytes(there),
            )
        )


def _megabytes(octets: int) -> int:
    return octets // 1_000_000


def _free_octets(folder: Path) -> int:
    return shutil.disk_usage(folder).free


def sync_all(folder: Path, files: Iterable[PublishedFile]) -> None:
    """Have every entry of every folder on the disk, links included."""
    for one in sorted({(folder / file.path).parent for file in files} | {folder}):
        sync_folder(one)
