# SPDX-License-Identifier: Apache-2.0
"""Pack the targets of a version: each file whole, and as differences.

A school that was offline for a week also takes a difference: there is one from each
content that a file had in the last versions, unless the whole file is smaller. The same
folders give the same octets, so an interrupted run can start again.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from filterd.errors import FeedError
from filterd.feed.deltas import pack, pack_delta
from filterd.feed.targets import (
    KEPT_DELTAS,
    MANIFEST,
    PublishedDelta,
    PublishedFile,
    digits,
    is_file_path,
    is_ordered,
    read_publication,
)
from filterd.i18n import say
from filterd.paths import open_plain, reading
from filterd.publish.signing import NewTarget

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from filterd.feed.arrival import Progress


_PRIVATE = b"PRIVATE KEY-----"
"""Of a key as PEM, whatever its kind and whether it has a passphrase."""


def targets_of(
    folder: Path, earlier: Sequence[Path] = (), *, progress: Progress | None = None
) -> list[NewTarget]:
    """Return all targets of a version.

    Another role signs those of ``feed.targets.is_ordered``.

    Args:
        folder: the version, as ``version_build`` makes it.
        earlier: versions that were published before, the latest first; more than
            ``KEPT_DELTAS`` of them are not looked at.
        progress: called with how many octets are packed, and how many there are.

    Raises:
        FeedError: a file of it cannot be published, or all of it is too large.
        StoreError: a file cannot be read.
    """
    paths = _paths(folder)
    total = sum((folder / path).stat().st_size for path in paths)
    targets, done = list[NewTarget](), 0
    for path in paths:
        content = _read(folder / path)
        if _PRIVATE in content:
            raise FeedError(
                say("{path}: it has a private key; it must never be published", path=path)
            )
        old = {_sha256(one): one for one in _contents(path, earlier)}
        targets += _targets(path, content, old)
        done += len(content)
        if progress is not None:
            progress(done, total)
    # What an appliance would not read must not be signed.
    read_publication(1, [(name, len(octets), custom) for name, octets, custom in targets])
    return targets


def _paths(folder: Path) -> list[str]:
    """Return the paths of all files of a version."""
    found = sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()
    )
    paths = [path for path in found if path != MANIFEST]
    for path in paths:
        if not is_file_path(path):
            raise FeedError(
                say("{path}: a feed has no file of this name; rename or remove it", path=path)
            )
    if not paths:
        raise FeedError(say("{folder}: there is nothing to publish", folder=folder))
    return paths


def _targets(path: str, content: bytes, old: Mapping[str, bytes]) -> Iterator[NewTarget]:
    """Yield the targets of a file: whole, and the differences that are smaller.

    What the law orders has none: its lists are short, and signed by another key.
    """
    packed, sha256 = pack(content), _sha256(content)
    file = PublishedFile(path, len(content), sha256, len(packed))
    yield NewTarget(file.target, packed, file.custom)
    if is_ordered(file.target):
        return
    for old_sha256, old_content in sorted(old.items()):
        if old_sha256 == sha256:
            continue
        difference = pack_delta(old_content, content)
        delta = PublishedDelta(path, digits(old_sha256), digits(sha256), len(difference))
        if delta.packed_octets < file.packed_octets:
            yield NewTarget(delta.target, difference, delta.custom)


def _contents(path: str, earlier: Sequence[Path]) -> Iterator[bytes]:
    for folder in earlier[:KEPT_DELTAS]:
        if (folder / path).is_file():
            yield _read(folder / path)


def _read(path: Path) -> bytes:
    with reading(path), open_plain(path) as file:
        return file.read()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
