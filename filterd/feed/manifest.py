# SPDX-License-Identifier: Apache-2.0
"""Write and check the manifest of a version's folder.

Lengths and SHA-256 were signed; a disk flips octets all the same. Each check reads all files.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from filterd.feed.targets import (
    MANIFEST,
    MAX_FILES,
    MAX_PATH,
    MAX_VERSION_OCTETS,
    is_file_path,
    is_sha256,
)
from filterd.paths import open_plain, write_atomically
from filterd.state_file import plain_version

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.feed.targets import Publication

_MAX_MANIFEST_OCTETS = MAX_FILES * (MAX_PATH + 200)
_CHUNK_OCTETS = 1 << 20
_DIGEST = "digest"
"""Of all else in a manifest, as it is written."""


def write_manifest(folder: Path, publication: Publication) -> None:
    """Write what the files of a folder must be, and which keys have signed them.

    Raises:
        StoreError: the disk refused.
    """
    files = [[file.path, file.length, file.sha256] for file in publication.files]
    data = {
        "version": plain_version(publication.version),
        "signers": publication.signers,
        "files": files,
    }
    text = _written({**data, _DIGEST: _digest_of(data)})
    write_atomically(folder / MANIFEST, text)


def files_of(folder: Path) -> dict[str, tuple[int, str]] | None:
    """Return length and SHA-256 of the files of a version; None if unknown."""
    files = _read_manifest(folder)
    return None if files is None else {path: (length, sha256) for path, length, sha256 in files}


def signers_of(folder: Path) -> dict[str, list[str]] | None:
    """Return the ids of the keys that signed a version, by role; None if unknown."""
    data = _read(folder)
    try:
        return {str(role): list(map(str, some)) for role, some in data["signers"].items()} or None
    except (KeyError, TypeError, AttributeError):
        return None


def verify(folder: Path) -> tuple[str, ...]:
    """Return the missing and damaged paths in a version's folder.

    Where the manifest cannot be read, it is the only path.
    """
    files = _read_manifest(folder)
    if files is None:
        return (MANIFEST,)
    return tuple(
        path for path, length, sha256 in files if sha256_of(folder / path, length) != sha256
    )


def is_of(folder: Path, publication: Publication) -> bool:
    """Return whether a folder is this very publication, whole."""
    wanted = [(file.path, file.length, file.sha256) for file in publication.files]
    return _read_manifest(folder) == wanted and not verify(folder)


def sha256_of(path: Path, length: int | None = None) -> str | None:
    """Return the SHA-256 of a file, hex; None if unreadable or of another length.

    Args:
        path: a plain file.
        length: octets that it must have; None for any that a feed's file may have.
    """
    digest, octets = hashlib.sha256(), 0
    try:
        with open_plain(path) as file:
            while chunk := file.read(_CHUNK_OCTETS):
                octets += len(chunk)
                if octets > (MAX_VERSION_OCTETS if length is None else length):
                    return None
                digest.update(chunk)
    except OSError:
        return None
    return digest.hexdigest() if length is None or octets == length else None


def read_json(path: Path, most: int) -> Any:
    """Return the content of a file of ours, None where it cannot be read."""
    try:
        with open_plain(path) as file:
            return json.loads(file.read(most + 1)[:most])
    except (OSError, ValueError, RecursionError):
        return None


def _read(folder: Path) -> Any:
    """Return a manifest; None where it cannot be read, or has lost an octet.

    One of release 0.1 has no digest. A damaged id of a key would hold the next version.
    """
    data = read_json(folder / MANIFEST, _MAX_MANIFEST_OCTETS)
    if isinstance(data, dict) and (digest := data.pop(_DIGEST, None)) is not None:
        return data if digest == _digest_of(data) else None
    return data


def _digest_of(data: dict[str, Any]) -> str:
    return hashlib.sha256(_written(data)).hexdigest()


def _written(data: dict[str, Any]) -> bytes:
    return json.dumps(data, indent=0).encode("ascii")


def _read_manifest(folder: Path) -> list[tuple[str, int, str]] | None:
    data = _read(folder)
    try:
        files = [(path, length, sha256) for path, length, sha256 in data["files"]]
    except (KeyError, TypeError, ValueError):
        return None
    sound = all(
        is_file_path(path) and type(length) is int and is_sha256(sha256)
        for path, length, sha256 in files
    )
    return files if sound else None
