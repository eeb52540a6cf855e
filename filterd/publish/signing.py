# SPDX-License-Identifier: Apache-2.0
"""Sign roles, and the targets of a version: each file whole, and as differences.

A school that was offline for a week also takes a difference: there is one from each
content that a file had in the last versions, unless the whole file is smaller. The same
folders give the same octets, so an interrupted run can start again.
"""

from __future__ import annotations

import hashlib
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import DelegatedRole, Delegations, Metadata, TargetFile, Targets

from filterd.base.errors import FeedError
from filterd.base.paths import open_plain, reading, streaming, write_atomically
from filterd.feed.signed.deltas import pack, pack_delta
from filterd.feed.version_files import (
    DELEGATED,
    KEPT_DELTAS,
    MANIFEST,
    PublishedDelta,
    PublishedFile,
    digits,
    is_file_path,
    is_ordered,
    read_publication,
)
from filterd.publish.keys import ORDERS, PROGRAM, ROOT, SNAPSHOT, TARGETS, TIMESTAMP
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from securesystemslib.signer import CryptoSigner, Key
    from tuf.api.metadata import Root

    from filterd.feed.signed.arrival import Progress


RELEASES = "releases"
"""No role: what the root's keys sign of versions that are held."""
NO_PROGRAM = "no-program"
"""The role ``program`` while it names no package: it needs no new signature."""
LIVES = {
    ROOT: timedelta(days=730),
    TARGETS: timedelta(days=365),
    ORDERS: timedelta(days=365),
    PROGRAM: timedelta(days=365),
    SNAPSHOT: timedelta(days=90),
    TIMESTAMP: timedelta(days=30),
    NO_PROGRAM: timedelta(days=3_650),
    RELEASES: timedelta(days=180),
}
"""For how long what a role signs is to be used."""


class NewTarget(NamedTuple):
    """A file to publish.

    Attributes:
        name: its path below ``targets/``, without the hash.
        content: its octets.
        custom: signed data about it; see ``filterd.feed.version_files``.
    """

    name: str
    content: bytes
    custom: Mapping[str, Any]


class StoredTarget(NamedTuple):
    """A file to publish whose octets are on the disk.

    Attributes:
        name: its path below ``targets/``, without the hash.
        path: the file.
        custom: signed data about it.
    """

    name: str
    path: Path
    custom: Mapping[str, Any]


def sign_role(
    role: str,
    files: Iterable[NewTarget | StoredTarget],
    signers: Iterable[CryptoSigner],
    *,
    version: int,
    now: float,
    **fields: Any,
) -> bytes:
    """Return the signed metadata of a delegated role: all that it names from now on."""
    named = {file.name: describe(file) for file in files}
    expires = until(NO_PROGRAM if role == PROGRAM and not named else role, now)
    targets = Targets(
        version=version, expires=expires, targets=named, unrecognized_fields=fields or None
    )
    return signed(Metadata(targets), signers)


def content_of(file: NewTarget | StoredTarget) -> bytes:
    """Return the octets of a file.

    Raises:
        StoreError: it cannot be read.
    """
    if isinstance(file, NewTarget):
        return file.content
    with reading(file.path), open_plain(file.path) as stored:
        return stored.read()


def copy_target(file: NewTarget | StoredTarget, path: Path) -> None:
    """Write the octets of a file to a path, whole or not at all.

    Raises:
        StoreError: the file cannot be read, or the disk refused.
    """
    if isinstance(file, NewTarget):
        write_atomically(path, file.content, mode=0o644)
        return
    with (
        reading(file.path),
        open_plain(file.path) as source,
        streaming(path, mode=0o644) as target,
    ):
        shutil.copyfileobj(source, target)


def describe(file: NewTarget | StoredTarget) -> TargetFile:
    """Return the signed data of a file.

    Raises:
        FeedError: its name leaves the folder.
        StoreError: it cannot be read.
    """
    path = PurePosixPath(file.name)
    if path.is_absolute() or ".." in path.parts or str(path) != file.name or path.name == "":
        raise FeedError(say("{name}: this is not a name for a file of the feed", name=file.name))
    if isinstance(file, NewTarget):
        target = TargetFile.from_data(file.name, file.content, ["sha256"])
    else:
        with reading(file.path):
            target = TargetFile.from_file(file.name, str(file.path), ["sha256"])
    if file.custom:
        target.unrecognized_fields["custom"] = dict(file.custom)
    return target


def hashed_name(name: str, digest: str) -> str:
    """Return the name of a target's file below ``targets/``.

    The target's hash stands before the last part.
    """
    path = PurePosixPath(name)
    return str(path.with_name(f"{digest}.{path.name}"))


def until(role: str, now: float) -> datetime:
    """Return the expiry of metadata that a role signs now."""
    return datetime.fromtimestamp(int(now), UTC) + LIVES[role]


def signed(metadata: Metadata[Any], signers: Iterable[CryptoSigner]) -> bytes:
    """Return metadata in its published form, signed by these keys only."""
    metadata.signatures.clear()
    for signer in signers:
        metadata.sign(signer, append=True)
    return metadata.to_bytes()


class Identified(Protocol):
    """A key of which the public half is enough: a lost one, or another holder's."""

    @property
    def public_key(self) -> Key:
        """The public half."""


def delegations(keys: Mapping[str, Sequence[Key]]) -> Delegations:
    """Return the delegations to roles: the keys of each, and the paths they may sign."""
    roles = {
        role: DelegatedRole(
            role,
            [key.keyid for key in of_role],
            threshold=1,
            terminating=True,
            paths=list(DELEGATED[role]),
        )
        for role, of_role in keys.items()
    }
    return Delegations({key.keyid: key for of_role in keys.values() for key in of_role}, roles)


def check_signed(root: Root, role: str, content: bytes) -> None:
    """Check that metadata is signed as a root requires.

    Raises:
        FeedError: too few of the keys of the role have signed.
    """
    verify_signed(root, role, Metadata[Any].from_bytes(content))


def verify_signed(judge: Root, role: str, metadata: Metadata[Any]) -> None:
    """Check the same for parsed metadata.

    Raises:
        FeedError: too few keys of the role have signed it.
    """
    try:
        judge.verify_delegate(role, metadata.signed_bytes, metadata.signatures)
    except RepositoryError as error:
        raise FeedError(
            say("too few of the keys of the role {role} have signed", role=role)
        ) from error


_PRIVATE = b"PRIVATE KEY-----"
"""Of a key as PEM, whatever its kind and whether it has a passphrase."""


def targets_of(
    folder: Path, earlier: Sequence[Path] = (), *, progress: Progress | None = None
) -> list[NewTarget]:
    """Return all targets of a version.

    Another role signs those of ``feed.version_files.is_ordered``.

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


def naming_keys(field_: str, keys: Iterable[Key]) -> dict[str, Any]:
    """Return a field of a root that names keys."""
    return {field_: {key.keyid: key.to_dict() for key in keys}}
