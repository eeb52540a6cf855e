# SPDX-License-Identifier: Apache-2.0
"""Carry what a delegated role has signed to the publisher, as a folder.

A delegated role has a key of its own on a machine of its own: ``orders`` at the ordering
authority, ``program`` at the makers of the program. A **parcel** is carried to the publisher,
where it cannot be changed::

    ROLE.json         which files are signed, by the key of the role
    ROLE-key.json     the public half of that key, for when it is replaced
    targets/          the files
"""

from __future__ import annotations

import json
import os
from pathlib import Path  # noqa: TC003 -- a field
from typing import TYPE_CHECKING, Any

from securesystemslib.signer import Key
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, Targets

from filterd.base.errors import FeedError
from filterd.base.paths import open_plain, reading, write_atomically, writing
from filterd.base.value_class import frozen
from filterd.publish.signing import NewTarget, StoredTarget, copy_target, sign_role
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from securesystemslib.signer import CryptoSigner

TARGETS = "targets"
FIRST_VERSION = 1
"""That ``Repository.create`` signs: it names no file."""

_MOST_OCTETS = 5_000_000
"""Of metadata: python-tuf's own limit for roles of targets."""


@frozen
class Parcel:
    """What a delegated role has signed.

    Attributes:
        role: ``orders`` or ``program``.
        metadata: signed by the role; its signature is checked when it is published.
        targets: the files that it names.
        public_key: the key of the signer, for a replacement of keys.
    """

    role: str
    metadata: bytes
    targets: tuple[NewTarget | StoredTarget, ...]
    public_key: Key

    @property
    def version(self) -> int:
        """The version of the metadata."""
        return Metadata[Targets].from_bytes(self.metadata).signed.version


def make_parcel(
    role: str,
    files: Iterable[NewTarget | StoredTarget],
    signers: Sequence[CryptoSigner],
    *,
    version: int,
    now: float,
    **fields: Any,
) -> Parcel:
    """Sign the files of a delegated role, on the machine of its key.

    Args:
        role: ``orders`` or ``program``.
        files: all that the role names from now on.
        signers: the role's own keys.
        version: one more than the last.
        now: Unix time.
        fields: signed with the role's files.
    """
    files = tuple(files)
    metadata = sign_role(role, files, signers, version=version, now=now, **fields)
    return Parcel(role, metadata, files, signers[0].public_key)


def write_parcel(parcel: Parcel, folder: Path) -> None:
    """Write a parcel into a folder, in the place of the last one.

    Raises:
        StoreError: the disk refused.
    """
    for target in parcel.targets:
        copy_target(target, folder / TARGETS / target.name)
    key = parcel.public_key
    public = {"keyid": key.keyid, **key.to_dict()}
    content = json.dumps(public, indent=1).encode()
    write_atomically(folder / public_key_name(parcel.role), content, mode=0o644)
    write_atomically(folder / metadata_name(parcel.role), parcel.metadata, mode=0o644)
    named = {folder / TARGETS / target.name for target in parcel.targets}
    for path in (folder / TARGETS).rglob("*"):
        if path.is_file() and path not in named:
            with writing(path):
                path.unlink()


def read_parcel(folder: Path, role: str) -> Parcel:
    """Read a parcel of a role.

    Raises:
        StoreError: a file is missing.
        FeedError: it is no parcel, or a file in it has another length than the signed one.
    """
    metadata = _read(folder / metadata_name(role))
    try:
        signed = Metadata[Targets].from_bytes(metadata).signed
        key_data = json.loads(_read(folder / public_key_name(role)))
        public_key = Key.from_dict(key_data.pop("keyid"), key_data)
        targets = tuple(
            StoredTarget(name, folder / TARGETS / name, one.custom or {})
            for name, one in signed.targets.items()
            if ".." not in name.split("/") and not name.startswith("/")
        )
        lengths = [signed.targets[one.name].length for one in targets]
    except (RepositoryError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _damaged(folder, role) from error
    for target, length in zip(targets, lengths, strict=True):
        with reading(target.path), open_plain(target.path) as file:
            if os.fstat(file.fileno()).st_size != length:
                raise _damaged(folder, role)
    return Parcel(role, metadata, targets, public_key)


def next_version(folder: Path, role: str, after: int) -> int:
    """Return the version of the next parcel.

    Args:
        folder: of the last parcel, if there is one.
        role: that signs.
        after: the version that was published last.

    Raises:
        FeedError: what is there is no parcel.
    """
    is_there = (folder / metadata_name(role)).exists()
    last = read_parcel(folder, role).version if is_there else 0
    return max(after, FIRST_VERSION, last) + 1


def metadata_name(role: str) -> str:
    """Return the name of the signed metadata in a parcel."""
    return f"{role}.json"


def public_key_name(role: str) -> str:
    """Return the name of the signer's public key in a parcel."""
    return f"{role}-key.json"


def _read(path: Path) -> bytes:
    with reading(path), open_plain(path) as file:
        return file.read(_MOST_OCTETS)


def _damaged(folder: Path, role: str) -> FeedError:
    return FeedError(
        say(
            "{folder}: this is not a whole parcel of the role {role}; copy the folder again",
            folder=folder,
            role=role,
        )
    )
