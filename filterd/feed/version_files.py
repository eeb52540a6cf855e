# SPDX-License-Identifier: Apache-2.0
"""Read the files of a version: as they are signed, and as a folder must have them.

A version of the feed is a folder. Each of its files ``P`` is published whole as
the target ``P.zst``, and as differences ``deltas/P/FROM-TO.zst`` from contents
that it had in the last versions; ``FROM`` and ``TO`` are the first digits of
their SHA-256. The ``custom`` field of a file's target (TUF specification, section
4.5) has what comes out of it::

    P.zst                  {"path": P, "length": octets, "sha256": hex}

A difference has none: its name has all, and what comes out of it is held to the
file's SHA-256. There are many, and all of them are fetched by all schools every night.

Signed is not the same as sensible: a publisher's program may be wrong, or its
key in other hands. So whatever is read here is held to bounds, and no path in
it leads out of the folder of its version.

On a disk ``manifest.json`` of the folder has the signed lengths and SHA-256, because a disk
flips octets all the same. Each check reads all files.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from filterd.base.errors import MetadataFormatError
from filterd.base.paths import open_plain, read_plain, write_atomically
from filterd.base.state_file import plain_version
from filterd.base.value_class import frozen
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from filterd.texts.i18n import Sentence


MAX_FILES = 1_000
"""Of one version: a list for each category and each order, and a few tables."""
MAX_DELTAS = 20_000
MAX_VERSION_OCTETS = 200_000_000
"""Of all files of one version, unpacked; five million names are half of it."""
MAX_PATH = 120
"""Characters; what is added for temporaries still fits every file system."""
PACKED_SUFFIX = ".zst"
DELTAS = "deltas"
MANIFEST = "manifest.json"
"""The one file of a version's folder that is not published: what the others must be."""
KEPT_DELTAS = 7
"""From how many versions before it a publication has differences."""

_DIGITS_IN_NAME = 16
_is_path = re.compile(r"(?:[a-z0-9_][a-z0-9_.-]*/){0,3}[a-z0-9_][a-z0-9_.-]*", re.ASCII).fullmatch
_are_contents = re.compile(
    rf"([0-9a-f]{{{_DIGITS_IN_NAME}}})-([0-9a-f]{{{_DIGITS_IN_NAME}}})"
    rf"{re.escape(PACKED_SUFFIX)}",
    re.ASCII,
).fullmatch
_is_sha256 = re.compile(r"[0-9a-f]{64}", re.ASCII).fullmatch

ONLINE = ("targets", "snapshot", "timestamp")
"""Roles whose keys the publishing machine holds."""
TARGETS, ORDERS, PROGRAM = "targets", "orders", "program"
DELEGATED = {ORDERS: ("orders/*", "orders.yaml.zst"), PROGRAM: ("program/*",)}
"""The names that only a delegated role signs: patterns of TUF, ``*`` within one folder."""
FLEET, FLEET_KEYS = "fleet", "fleet_keys"
"""The key that enrols gateways, and the field of the root that names it; it publishes nothing."""


@frozen
class PublishedFile:
    """One file of a version.

    Attributes:
        path: in the version's folder, with ``/`` between parts.
        length: octets of its content, unpacked.
        sha256: of its content, unpacked; hex.
        packed_octets: the length of its target.
    """

    path: str
    length: int
    sha256: str
    packed_octets: int

    @property
    def target(self) -> str:
        """The target that is the whole file."""
        return full_target(self.path)

    @property
    def custom(self) -> dict[str, Any]:
        """The signed data of the target."""
        return {"path": self.path, "length": self.length, "sha256": self.sha256}


@frozen
class PublishedDelta:
    """The difference between two contents of a file, named by their ``digits``."""

    path: str
    old: str
    new: str
    packed_octets: int

    @property
    def target(self) -> str:
        """The target that is this difference."""
        return f"{DELTAS}/{self.path}/{self.old}-{self.new}{PACKED_SUFFIX}"

    @property
    def custom(self) -> dict[str, Any]:
        """The signed data of the target."""
        return {}


@frozen
class Publication:
    """All files of one version, as they were signed.

    Attributes:
        version: its id, the name of its folder.
        files: sorted by path, each path once.
        deltas: those that lead to a content of ``files``.
        signers: the ids of the keys that signed it, by online role; empty if not verified.
    """

    version: str
    files: tuple[PublishedFile, ...]
    deltas: tuple[PublishedDelta, ...] = ()
    signers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def octets(self) -> int:
        """Octets of all files, unpacked."""
        return sum(file.length for file in self.files)


def full_target(path: str) -> str:
    """Return the name of the target that is a whole file."""
    return path + PACKED_SUFFIX


def digits(sha256: str) -> str:
    """Return the digits of a SHA-256 by which differences name a content."""
    return sha256[:_DIGITS_IN_NAME]


def is_file_path(path: object) -> bool:
    """Return whether a file of a version may have this path."""
    return (
        isinstance(path, str)
        and len(path) <= MAX_PATH
        and _is_path(path) is not None
        and path.split("/")[0] not in {DELTAS, MANIFEST}
    )


def is_sha256(value: object) -> bool:
    """Return whether a value is a SHA-256 in lower-case hex."""
    return isinstance(value, str) and _is_sha256(value) is not None


def read_publication(
    version: int, targets: Iterable[tuple[str, int, Mapping[str, Any] | None]]
) -> Publication:
    """Read the signed targets of all roles.

    Args:
        version: of the snapshot that they belong to.
        targets: of each its name, the signed length and its ``custom`` field.

    Raises:
        MetadataFormatError: they are signed, and still no version of a feed.
    """
    files, deltas = dict[str, PublishedFile](), list[PublishedDelta]()
    for name, octets, custom in targets:
        read = _read(name, octets, custom)
        if isinstance(read, PublishedDelta):
            deltas.append(read)
        elif read.path in files:
            raise _wrong(name, say("its file is published twice"))
        else:
            files[read.path] = read
        if len(files) > MAX_FILES or len(deltas) > MAX_DELTAS:
            raise _wrong(name, say("there are more targets than a feed may have"))
    _check_whole(files)
    useful = [delta for delta in deltas if _leads_to(delta, files)]
    return Publication(
        str(version),
        tuple(files[path] for path in sorted(files)),
        tuple(sorted(useful, key=lambda one: one.target)),
    )


def _read(
    name: str, octets: int, custom: Mapping[str, Any] | None
) -> PublishedFile | PublishedDelta:
    """Read one target; its name must be the one that its data gives."""
    if name.startswith(f"{DELTAS}/"):
        return _read_delta(name, octets)
    fields = dict(custom or {})
    path = fields.get("path")
    if not is_file_path(path):
        raise _wrong(name, say("it has no path, or one that leads elsewhere"))
    if fields.keys() != {"path", "length", "sha256"}:
        raise _wrong(name, say("it is neither a file nor a delta of two"))
    length, sha256 = fields["length"], fields["sha256"]
    if type(length) is not int or not 0 <= length <= MAX_VERSION_OCTETS:
        raise _wrong(name, say("its length is not allowed for a file of a feed"))
    if not is_sha256(sha256):
        raise _wrong(name, say("it has no SHA-256"))
    read = PublishedFile(str(path), length, sha256, octets)
    if read.target != name:
        raise _wrong(name, say("another file has this name"))
    return read


def _read_delta(name: str, octets: int) -> PublishedDelta:
    """Read the name of a difference."""
    path, _, contents = name.removeprefix(f"{DELTAS}/").rpartition("/")
    found = _are_contents(contents)
    if not is_file_path(path):
        raise _wrong(name, say("it has no path, or one that leads elsewhere"))
    if found is None:
        raise _wrong(name, say("it is neither a file nor a delta of two"))
    return PublishedDelta(path, found[1], found[2], octets)


def _check_whole(files: Mapping[str, PublishedFile]) -> None:
    """Refuse files that cannot be one folder, or are too large for a small disk."""
    folders = {path[:at] for path in files for at, sign in enumerate(path) if sign == "/"}
    for path in sorted(folders & files.keys()):
        raise _wrong(path, say("it is a file and a folder at once"))
    if sum(file.length for file in files.values()) > MAX_VERSION_OCTETS:
        raise _wrong("targets", say("all files together are larger than a feed may be"))


def _leads_to(delta: PublishedDelta, files: Mapping[str, PublishedFile]) -> bool:
    """Return whether a difference leads to a content that is published now."""
    file = files.get(delta.path)
    return file is not None and digits(file.sha256) == delta.new


def _wrong(name: str, why: Sentence) -> MetadataFormatError:
    shown = name[:MAX_PATH].encode("unicode_escape").decode("ascii")
    return MetadataFormatError(
        say(
            "target {name} of the feed: {why}; the last good version stays, tell the publisher",
            name=shown,
            why=why,
        )
    )


def role_of(name: str) -> str:
    """Return the one role that may sign a file of this name.

    Names in deeper folders count too.
    """
    for role, patterns in DELEGATED.items():
        if any(fnmatchcase(name, pattern) for pattern in patterns):
            return role
    return TARGETS


def is_ordered(name: str) -> bool:
    """Return whether the role ``orders`` signs a file of this name."""
    return role_of(name) == ORDERS


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
    files = _manifest_files(folder)
    return None if files is None else {path: (length, sha256) for path, length, sha256 in files}


def signers_of(folder: Path) -> dict[str, list[str]] | None:
    """Return the ids of the keys that signed a version, by role; None if unknown."""
    data = _manifest(folder)
    try:
        return {str(role): list(map(str, some)) for role, some in data["signers"].items()} or None
    except (KeyError, TypeError, AttributeError):
        return None


def verify(folder: Path) -> tuple[str, ...]:
    """Return the missing and damaged paths in a version's folder.

    Where the manifest cannot be read, it is the only path.
    """
    files = _manifest_files(folder)
    if files is None:
        return (MANIFEST,)
    return tuple(
        path for path, length, sha256 in files if sha256_of(folder / path, length) != sha256
    )


def is_of(folder: Path, publication: Publication) -> bool:
    """Return whether a folder is this very publication, whole."""
    wanted = [(file.path, file.length, file.sha256) for file in publication.files]
    return _manifest_files(folder) == wanted and not verify(folder)


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


def publication_of(folder: Path, version: str) -> Publication:
    """Describe the files of a folder that was made here as those of a version."""
    files = []
    for path in sorted(one for one in folder.rglob("*") if one.is_file()):
        name, length = path.relative_to(folder).as_posix(), path.stat().st_size
        files.append(PublishedFile(name, length, sha256_of(path) or "", length))
    return Publication(version, tuple(files))


def _manifest(folder: Path) -> Any:
    """Return a manifest; None where it cannot be read, or has lost an octet.

    One of release 0.1 has no digest. A damaged id of a key would hold the next version.
    """
    try:
        data = json.loads(read_plain(folder / MANIFEST, _MAX_MANIFEST_OCTETS))
    except (OSError, ValueError, RecursionError):
        return None
    if isinstance(data, dict) and (digest := data.pop(_DIGEST, None)) is not None:
        return data if digest == _digest_of(data) else None
    return data


def _digest_of(data: dict[str, Any]) -> str:
    return hashlib.sha256(_written(data)).hexdigest()


def _written(data: dict[str, Any]) -> bytes:
    return json.dumps(data, indent=0).encode("ascii")


def _manifest_files(folder: Path) -> list[tuple[str, int, str]] | None:
    data = _manifest(folder)
    try:
        files = [(path, length, sha256) for path, length, sha256 in data["files"]]
    except (KeyError, TypeError, ValueError):
        return None
    sound = all(
        is_file_path(path) and type(length) is int and is_sha256(sha256)
        for path, length, sha256 in files
    )
    return files if sound else None
