# SPDX-License-Identifier: Apache-2.0
"""Verify packages of the program that a feed offers; mirror one for a reader.

The role ``program`` signs packages; its key is kept offline by the makers of the program.
``targets`` delegates the names ``program/*`` to it, and that role's key is online, so the
delegation alone proves nothing: the offline **root** names the key too, in ``program_keys``,
and a package counts only with a signature of a key in both places. A stolen publisher can
withhold a program, and can sign none.

The target of a package, and its signed ``custom`` field::

    program/filterd-VERSION-debianNN-ARCHITECTURE.deb
    {"program": {"version": "1.2.0", "debian": "13", "architecture": "arm64",
                 "released_at": Unix time, "urgent": false}}

Lists and programs of one feed have one chain of metadata, but a site keeps the trust of
each apart, because another user updates the program.
"""

from __future__ import annotations

import hashlib
import re
from contextlib import suppress
from dataclasses import field
from typing import TYPE_CHECKING, Any

from securesystemslib.exceptions import UnverifiedSignatureError
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, Snapshot, Targets, Timestamp

from filterd.base.errors import DigestError, MetadataFormatError, SignatureError
from filterd.base.paths import check_room, make_folder, streaming, write_atomically, writing
from filterd.base.value_class import frozen
from filterd.feed.signed.trust import named_keys
from filterd.feed.signed.tuf_refresh import check_names, explained, refreshed, target_url
from filterd.feed.version_files import PROGRAM, is_sha256, sha256_of
from filterd.http.http_download import DownloadLimits
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from securesystemslib.signer import Key
    from tuf.api.metadata import Root, TargetFile

    from filterd.feed.signed.arrival import Moment
    from filterd.feed.signed.fetchers import Fetcher
    from filterd.feed.signed.trust import TrustFolder
    from filterd.feed.signed.tuf_refresh import Refreshed

LIMITS = DownloadLimits(total_s=4 * 3_600.0)
"""For a package of 30 MB on a school's line that is busy at night too."""
PROGRAM_KEYS = "program_keys"
"""The field of the root: public keys by their ids, as the field ``keys`` has them."""
MOST_OCTETS, MOST_PACKAGES = 100_000_000, 16

_is_version = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,6}){1,3}", re.ASCII).fullmatch
_is_debian = re.compile(r"[1-9][0-9]", re.ASCII).fullmatch
_is_architecture = re.compile(r"[a-z0-9]{3,10}", re.ASCII).fullmatch
_MODE = 0o644


@frozen
class ProgramTarget:
    """One package.

    Attributes:
        version: of the program, such as ``1.2.0``.
        debian: the release of Debian that it is for, such as ``13``.
        architecture: as Debian names it.
        released_at: Unix time of its signature.
        target: its name in the publication.
        octets: its length.
        sha256: of the package; hex.
        urgent: every appliance takes it in its next window, without rings.
    """

    version: str
    debian: str
    architecture: str
    released_at: int
    target: str
    octets: int
    sha256: str
    urgent: bool = False

    @property
    def custom(self) -> dict[str, Any]:
        """The signed data of the target."""
        described = {
            "version": self.version,
            "debian": self.debian,
            "architecture": self.architecture,
            "released_at": self.released_at,
            "urgent": self.urgent,
        }
        return {PROGRAM: described}


@frozen
class ProgramOffer:
    """The packages that a feed offers, with all metadata verified.

    Attributes:
        targets: the packages; none where the feed has no role ``program``.
        issued_at: Unix time of the publication; 0 where it is not stated.
        expires_at: Unix time until which all of it counts as fresh.
        clock_known: whether expiry was checked at all.
        fetcher: the source.
        metadata: the verified metadata, by its names in a publication.
    """

    targets: tuple[ProgramTarget, ...]
    issued_at: float
    expires_at: float
    clock_known: bool
    fetcher: Fetcher = field(repr=False)
    metadata: Mapping[str, bytes] = field(repr=False)

    def newest(self, debian: str, architecture: str) -> ProgramTarget | None:
        """Return the package of the highest version for a system; None for none."""
        fitting = [
            target
            for target in self.targets
            if (target.debian, target.architecture) == (debian, architecture)
        ]
        return max(fitting, key=lambda one: version_key(one.version), default=None)

    def fetch(self, target: ProgramTarget, path: Path) -> None:
        """Write a package to ``path``, once its length and hash are verified.

        Raises:
            FetchError: nothing usable came.
            DigestError: it is not what was signed.
            StoreError: the disk refused, or has too little room.
        """
        url = target_url(self.fetcher, target.target, target.sha256)
        digest, octets = hashlib.sha256(), 0
        with writing(path):
            make_folder(path.parent, mode=0o755)
        check_room(path.parent, target.octets)
        with explained(), streaming(path, mode=_MODE) as file:

            def take(chunk: bytes) -> None:
                nonlocal octets
                octets += len(chunk)
                digest.update(chunk)
                file.write(chunk)

            self.fetcher.download_into(url, target.octets, take)
            if (octets, digest.hexdigest()) != (target.octets, target.sha256):
                raise DigestError(
                    say(
                        "{name}: this package is not the one that was signed; the program in"
                        " service stays; try again",
                        name=target.target,
                    )
                )


def refresh_program(trust: TrustFolder, fetcher: Fetcher, moment: Moment) -> ProgramOffer:
    """Return the packages that a feed offers, and keep its metadata.

    Args:
        trust: of programs alone; changed only when all is verified, but for new roots.
        fetcher: made for this run, which it bounds; see ``LIMITS``.
        moment: the time.

    Raises:
        FetchError: nothing usable came.
        TrustError: what came must not be trusted, or the site has no root.
        StoreError: the disk refused.
    """
    with refreshed(trust, fetcher, moment, PROGRAM) as fresh:
        packages, expires_at = tuple[ProgramTarget, ...](), fresh.timestamp.expires.timestamp()
        metadata = fresh.delegated(PROGRAM)
        if metadata is not None:
            _check_key(fresh.root, metadata)
            packages = read_targets(metadata.signed.targets)
            expires_at = min(expires_at, metadata.signed.expires.timestamp())
        return ProgramOffer(
            packages,
            issued_at=fresh.issued_at,
            expires_at=expires_at,
            clock_known=fresh.clock_known,
            fetcher=fetcher,
            metadata=dict(_published_form(fresh, with_program=metadata is not None)),
        )


def mirror(offer: ProgramOffer, folder: Path, target: ProgramTarget | None) -> None:
    """Copy the metadata of an offer and one package into a folder, as a publication.

    ``timestamp.json`` is written last, and what it named before stays until the next call: a
    reader finds one whole offer at any moment.

    Args:
        offer: what ``refresh_program`` gave.
        folder: gets ``metadata/`` and ``targets/``; made if it is missing.
        target: the package; None for the metadata alone.

    Raises:
        FetchError: the package did not come.
        DigestError: it is not what was signed.
        StoreError: the disk refused.
    """
    metadata, packages = folder / "metadata", folder / "targets" / PROGRAM
    _remove_unnamed(metadata, packages)
    if target is not None:
        path = packages / f"{target.sha256}.{target.target.rpartition('/')[2]}"
        if path.is_symlink() or sha256_of(path, target.octets) != target.sha256:
            offer.fetch(target, path)
    for name, content in offer.metadata.items():  # timestamp.json comes last
        write_atomically(metadata / name, content, mode=_MODE)


def read_targets(named: Mapping[str, TargetFile]) -> tuple[ProgramTarget, ...]:
    """Read the signed packages.

    Raises:
        SignatureError: the role ``program`` may not sign one of the names.
        MetadataFormatError: they are signed, and still no packages of this program.
    """
    check_names(PROGRAM, named)
    if len(named) > MOST_PACKAGES:
        raise MetadataFormatError(
            say("the role program names more than {most} packages", most=MOST_PACKAGES)
        )
    return tuple(_read(name, file) for name, file in sorted(named.items()))


def target_name(version: str, debian: str, architecture: str) -> str:
    """Return the name of a package; without ``+``, which some servers read as a space."""
    return f"{PROGRAM}/filterd-{version}-debian{debian}-{architecture}.deb"


def is_program_version(version: object) -> bool:
    """Return whether a version of the program may be published: two to four numbers."""
    return isinstance(version, str) and _is_version(version) is not None


def version_key(version: str) -> tuple[int, ...]:
    """Return what orders versions of the program: ``1.10`` is after ``1.9``.

    Raises:
        ValueError: it is no version of a published program.
    """
    if not is_program_version(version):
        raise ValueError(version)
    numbers = [int(one) for one in version.split(".")]
    return (*numbers, *[0] * (4 - len(numbers)))


def program_keys(root: Root) -> Sequence[Key]:
    """Return the keys that a root names for the role ``program``."""
    return named_keys(root, PROGRAM_KEYS)


def _check_key(root: Root, metadata: Metadata[Any]) -> None:
    """Check that a key has signed which the offline root names for programs."""
    for key in program_keys(root):
        signature = metadata.signatures.get(key.keyid)
        if signature is not None:
            with suppress(UnverifiedSignatureError):
                key.verify_signature(signature, metadata.signed_bytes)
                return
    raise SignatureError(
        say(
            "the packages of the program are signed by a key that the root does not name; the"
            " program in service stays; tell the publisher"
        )
    )


def _read(name: str, file: TargetFile) -> ProgramTarget:
    custom = file.custom if isinstance(file.custom, dict) else {}
    described = custom.get(PROGRAM)
    described = described if isinstance(described, dict) else {}
    version, debian = described.get("version"), described.get("debian")
    architecture, released_at = described.get("architecture"), described.get("released_at")
    urgent = described.get("urgent", False)
    if not (
        is_program_version(version)
        and isinstance(debian, str)
        and _is_debian(debian)
        and isinstance(architecture, str)
        and _is_architecture(architecture)
        and type(released_at) is int
        and released_at >= 0
        and isinstance(urgent, bool)
        and name == target_name(str(version), debian, architecture)
        and 0 < file.length <= MOST_OCTETS
        and is_sha256(file.hashes["sha256"])
    ):
        raise MetadataFormatError(
            say("{name}: the signed data of this package is malformed", name=ascii(name)[:80])
        )
    return ProgramTarget(
        str(version),
        debian,
        architecture,
        released_at,
        name,
        file.length,
        file.hashes["sha256"],
        urgent,
    )


def _published_form(fresh: Refreshed, *, with_program: bool) -> Iterator[tuple[str, bytes]]:
    """Yield the verified metadata by its published names, the timestamp last."""
    for path in sorted((fresh.folder / "root_history").glob("[!.]*.root.json")):
        yield path.name, path.read_bytes()
    content = fresh.read("snapshot.json")
    snapshot = Metadata[Snapshot].from_bytes(content).signed
    for name in ("targets.json", f"{PROGRAM}.json")[: 1 + with_program]:
        yield f"{snapshot.meta[name].version}.{name}", fresh.read(name)
    yield f"{snapshot.version}.snapshot.json", content
    yield "timestamp.json", fresh.read("timestamp.json")


def _remove_unnamed(metadata: Path, packages: Path) -> None:
    """Remove all files of a mirror that its timestamp does not lead to.

    A damaged mirror is emptied: no reader would trust it.
    """
    named = set[str]()
    with suppress(OSError, RepositoryError, ValueError, KeyError):
        number = _signed(metadata, "timestamp.json", Timestamp).snapshot_meta.version
        snapshot = _signed(metadata, f"{number}.snapshot.json", Snapshot)
        versions = {name: f"{meta.version}.{name}" for name, meta in snapshot.meta.items()}
        named = {"timestamp.json", f"{number}.snapshot.json", *versions.values()}
        if f"{PROGRAM}.json" in versions:
            program = _signed(metadata, versions[f"{PROGRAM}.json"], Targets)
            for target in read_targets(program.targets):
                named.add(f"{target.sha256}.{target.target.rpartition('/')[2]}")
    for path in (*metadata.glob("*"), *packages.glob("*")):
        if path.name not in named and not path.name.endswith(".root.json"):
            with writing(path):
                path.unlink(missing_ok=True)


def _signed(metadata: Path, name: str, kind: type[Any]) -> Any:
    signed = Metadata[Any].from_bytes((metadata / name).read_bytes()).signed
    if not isinstance(signed, kind):
        raise ValueError(name)  # noqa: TRY004 -- a content that is malformed
    return signed
