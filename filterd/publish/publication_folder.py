# SPDX-License-Identifier: Apache-2.0
"""Read and write the folder of a publication, ``metadata/`` and ``targets/``.

Each file is written whole or not at all, and all but ``timestamp.json`` under a name that has its
version or its hash: what is named once never changes.
"""

from __future__ import annotations

from dataclasses import field
from hashlib import sha256
from typing import TYPE_CHECKING

from tuf.api.metadata import (
    Delegations,
    Metadata,
    MetaFile,
    Root,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)

from filterd.base.paths import reading, write_atomically
from filterd.base.value_class import frozen
from filterd.publish.signing import (
    NewTarget,
    StoredTarget,
    copy_target,
    describe,
    hashed_name,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@frozen
class PublicationContent:
    """The present publication: files, keys of delegated roles, their versions."""

    delegations: Delegations
    named: Mapping[str, TargetFile] = field(default_factory=dict)
    meta: Mapping[str, MetaFile] = field(default_factory=dict)
    snapshot: int = 0
    timestamp: int = 0
    urgent: int = 0


class PublicationFolder:
    """The files of a publication.

    Args:
        folder: what the web server hands out.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.metadata, self.targets = folder / "metadata", folder / "targets"

    def root(self) -> Metadata[Root]:
        """Return the newest root."""
        version = 1
        while (self.metadata / f"{version + 1}.root.json").exists():
            version += 1
        return Metadata[Root].from_bytes(self.read(f"{version}.root.json"))

    def published(self) -> PublicationContent:
        """Read the publication that ``timestamp.json`` names."""
        timestamp = Metadata[Timestamp].from_bytes(self.read("timestamp.json")).signed
        number = timestamp.snapshot_meta.version
        snapshot = Metadata[Snapshot].from_bytes(self.read(f"{number}.snapshot.json")).signed
        version = snapshot.meta["targets.json"].version
        targets = Metadata[Targets].from_bytes(self.read(f"{version}.targets.json")).signed
        assert targets.delegations is not None
        return PublicationContent(
            targets.delegations,
            targets.targets,
            snapshot.meta,
            snapshot=number,
            timestamp=timestamp.version,
            urgent=int(timestamp.unrecognized_fields.get("urgent", 0)),
        )

    def read(self, name: str) -> bytes:
        """Return the content of a file of metadata."""
        with reading(self.metadata / name):
            return (self.metadata / name).read_bytes()

    def write_versioned(self, role: str, version: int, content: bytes) -> MetaFile:
        """Write the metadata of a role by its version; return what a snapshot has of it."""
        self.write_metadata(f"{version}.{role}.json", content)
        return MetaFile(version, len(content), {"sha256": sha256(content).hexdigest()})

    def write_metadata(self, name: str, content: bytes) -> None:
        """Write a file of metadata, whole or not at all."""
        write_atomically(self.metadata / name, content, mode=0o644)

    def write_target(self, file: NewTarget | StoredTarget) -> TargetFile:
        """Write a file under the hash of its content; return what a role has of it."""
        target = describe(file)
        path = self.targets / hashed_name(file.name, target.hashes["sha256"])
        # Written whole or not at all, under the name of its content: it need not be written again.
        if not (path.is_file() and path.stat().st_size == target.length):
            copy_target(file, path)
        return target
