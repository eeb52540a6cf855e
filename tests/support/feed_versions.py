# SPDX-License-Identifier: Apache-2.0
"""A publisher of versions in memory, and the invariants of its clients."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from filterd.base.errors import MissingFileError
from filterd.feed.signed.deltas import pack, pack_delta
from filterd.feed.version_files import Publication, PublishedDelta, PublishedFile, digits, verify
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from filterd.feed.versions import Versions

Contents = dict[str, bytes]


class Publisher:
    """Publishes versions and hands out their targets.

    Attributes:
        targets: by their names.
        asked: the names of the targets that were fetched, in order.
    """

    def __init__(self) -> None:
        self.targets = dict[str, bytes]()
        self.asked = list[str]()
        self._before = dict[str, list[bytes]]()

    def publish(self, version: int, contents: Mapping[str, bytes]) -> Publication:
        """Publish a version, with differences from all earlier contents of its files."""
        files, deltas = [], []
        for path, content in sorted(contents.items()):
            packed = pack(content)
            file = PublishedFile(path, len(content), sha256(content), len(packed))
            files.append(file)
            self.targets[file.target] = packed
            for old in self._before.setdefault(path, []):
                octets = pack_delta(old, content)
                delta = PublishedDelta(path, digits(sha256(old)), digits(file.sha256), len(octets))
                deltas.append(delta)
                self.targets[delta.target] = octets
            if content not in self._before[path]:
                self._before[path].append(content)
        return Publication(str(version), tuple(files), tuple(deltas))

    def __call__(self, target: str) -> bytes:
        """Fetch a target."""
        self.asked.append(target)
        if target not in self.targets:
            raise MissingFileError(say("{target} is not here", target=target))
        return self.targets[target]


def sha256(content: bytes) -> str:
    """Return the SHA-256 of a content as the feed writes it."""
    return hashlib.sha256(content).hexdigest()


def a_list(names: range) -> bytes:
    """Return a list whose lines share nothing, so that its length counts when it is packed."""
    return b"".join(b"%s.example\n" % sha256(b"%d" % name).encode()[:24] for name in names)


def contents_of(versions: Versions) -> Contents:
    """Return the contents of the version in force, which must be whole."""
    current = versions.current()
    assert current is not None
    assert verify(current.folder) == ()
    return {
        path.relative_to(current.folder).as_posix(): path.read_bytes()
        for path in current.folder.rglob("*")
        if path.is_file() and path.name != "manifest.json"
    }
