# SPDX-License-Identifier: Apache-2.0
"""Read a publication's folder, and verify one as a new appliance does.

``Published`` is the publisher's own folder, so nothing in it is verified as a school verifies
it; only the name and length of a file are checked. ``verify`` begins with the first root.
"""

from __future__ import annotations

import contextlib
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, Root, Snapshot, TargetFile, Targets, Timestamp

from filterd.base.errors import DigestError, FeedError, StoreError
from filterd.base.paths import make_folder, reading, write_atomically
from filterd.base.value_class import frozen
from filterd.feed.signed.deltas import unpack
from filterd.feed.signed.program_offer import ProgramTarget, read_targets, refresh_program
from filterd.feed.signed.trust import TrustFolder
from filterd.feed.signed.tuf_refresh import orders_keys, refresh
from filterd.feed.version_files import Publication, PublishedFile, read_publication
from filterd.publish.keys import ORDERS, PROGRAM, ROOT, SNAPSHOT, TARGETS, TIMESTAMP
from filterd.publish.signing import hashed_name
from filterd.texts.i18n import quoted, refused, say

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from filterd.feed.signed.arrival import Moment
    from filterd.feed.signed.fetchers import Fetcher
    from filterd.feed.signed.program_offer import ProgramTarget
    from filterd.feed.signed.tuf_refresh import Verified


DAY_S = 86_400.0
EARLY_S = {
    ROOT: 90 * DAY_S,
    ORDERS: 60 * DAY_S,
    PROGRAM: 60 * DAY_S,
    TARGETS: 45 * DAY_S,
    SNAPSHOT: 14 * DAY_S,
    TIMESTAMP: 7 * DAY_S,
}
"""The warning time before a role's metadata expires; renewing the first three needs other people.

If one role has expired, schools count the whole feed as expired; of the role ``program``, the
packages alone.
"""
_LISTS = {f"{TARGETS}.json", f"{ORDERS}.json"}
"""Metadata that names lists."""


@frozen
class Published:
    """A publication's folder.

    Args:
        folder: what the web server hands out.
    """

    folder: Path

    @property
    def version(self) -> int:
        """The version that is published, the snapshot's.

        Raises:
            StoreError: there is none, or it cannot be read.
        """
        timestamp: Timestamp = self._signed("timestamp.json")
        return timestamp.snapshot_meta.version

    def targets(self, version: int) -> Mapping[str, TargetFile]:
        """Return the files of a version by their names, without packages of the program.

        Raises:
            StoreError: this version is not at hand any more.
        """
        snapshot: Snapshot = self._signed(f"{version}.snapshot.json")
        found = dict[str, TargetFile]()
        for name in _LISTS & snapshot.meta.keys():
            role: Targets = self._signed(f"{snapshot.meta[name].version}.{name}")
            found |= role.targets
        return found

    def publication(self, version: int) -> Publication:
        """Return a version as an appliance sees it.

        Raises:
            StoreError: this version is not at hand any more.
            MetadataFormatError: it is no version of a feed.
        """
        named = self.targets(version)
        return read_publication(
            version, ((name, one.length, one.custom) for name, one in named.items())
        )

    def versions(self) -> tuple[int, ...]:
        """Return the published versions at hand, the latest first."""
        newest = self.version
        found = (path.name.partition(".")[0] for path in self._metadata.glob("*.snapshot.json"))
        numbers = {int(number) for number in found if number.isdecimal()}
        return tuple(sorted((one for one in numbers if one <= newest), reverse=True))

    def unpack(self, version: int, target: Path, known: dict[str, Path] | None = None) -> Path:
        """Unpack a version into a folder; return the folder.

        Args:
            version: one of ``versions``.
            target: the folder to make.
            known: contents that are unpacked already, by their SHA-256, to be linked;
                those of this version are added.

        Raises:
            StoreError: something is not at hand, or the disk refused.
            FeedError: something is not what was signed.
        """
        named = self.targets(version)
        known = {} if known is None else known
        for file in self.publication(version).files:
            self._unpack(file, named[file.target], target / file.path, known)
        return target

    def metadata_octets(self, version: int) -> int:
        """Return how many octets of metadata a version's first reader fetches.

        Roots are not counted.
        """
        snapshot: Snapshot = self._signed(f"{version}.snapshot.json")
        names = [f"{snapshot.meta[name].version}.{name}" for name in _LISTS & snapshot.meta.keys()]
        names += ["timestamp.json", f"{version}.snapshot.json"]
        return sum((self._metadata / name).stat().st_size for name in names)

    def newest_root(self) -> tuple[Root, bytes]:
        """Return the root that counts now, and its file.

        Raises:
            StoreError: there is none.
        """
        number = 1
        while (self._metadata / f"{number + 1}.root.json").exists():
            number += 1
        root: Root = self._signed(f"{number}.root.json")
        return root, self._read(f"{number}.root.json")

    def orders_keys(self, version: int) -> tuple[str, ...]:
        """Return the ids of the keys that may sign orders in a version.

        Raises:
            StoreError: this version is not at hand any more.
        """
        snapshot: Snapshot = self._signed(f"{version}.snapshot.json")
        return orders_keys(self._signed(f"{snapshot.meta['targets.json'].version}.targets.json"))

    def packages(self) -> tuple[ProgramTarget, ...]:
        """Return the packages of the program that are published; none without the role.

        Raises:
            StoreError: what is published cannot be read.
        """
        snapshot: Snapshot = self._signed(f"{self.version}.snapshot.json")
        if (meta := snapshot.meta.get(f"{PROGRAM}.json")) is None:
            return ()
        return read_targets(self._signed(f"{meta.version}.{PROGRAM}.json").targets)

    def expiries(self) -> dict[str, float]:
        """Return of each role until when its word holds, Unix time."""
        snapshot: Snapshot = self._signed(f"{self.version}.snapshot.json")
        names = {TIMESTAMP: "timestamp.json", SNAPSHOT: f"{self.version}.snapshot.json"}
        names |= {
            name.removesuffix(".json"): f"{meta.version}.{name}"
            for name, meta in snapshot.meta.items()
        }
        delegated = {role: self._signed(name).expires.timestamp() for role, name in names.items()}
        return {ROOT: self.newest_root()[0].expires.timestamp(), **delegated}

    @property
    def _metadata(self) -> Path:
        return self.folder / "metadata"

    def _unpack(
        self, file: PublishedFile, signed: TargetFile, path: Path, known: dict[str, Path]
    ) -> None:
        packed = self.folder / "targets" / hashed_name(signed.path, signed.hashes["sha256"])
        try:
            make_folder(path.parent)
            if (same := known.get(file.sha256)) is not None:
                with contextlib.suppress(FileExistsError):
                    path.hardlink_to(same)
                return
            path.write_bytes(unpacked(packed.read_bytes(), file, packed))
        except OSError as error:
            raise StoreError(
                say("{path}: cannot be unpacked: {why}", path=packed, why=refused(error))
            ) from error
        known[file.sha256] = path

    def _signed(self, name: str) -> Any:
        try:
            return Metadata[Any].from_bytes(self._read(name)).signed
        except (RepositoryError, ValueError, KeyError) as error:
            raise StoreError(
                say(
                    "{path}: cannot be read: {why}",
                    path=self._metadata / name,
                    why=quoted(str(error)),
                )
            ) from error

    def _read(self, name: str) -> bytes:
        with reading(self._metadata / name):
            return (self._metadata / name).read_bytes()


def unpacked(packed: bytes, file: PublishedFile, shown: object) -> bytes:
    """Return the content of a packed file, the signed one.

    ``shown`` is its path for people.

    Raises:
        TooLargeError: it is larger than is allowed; nothing was unpacked.
        DigestError: it is another content.
    """
    content = unpack(packed, file.length)
    if sha256(content).hexdigest() != file.sha256:
        raise DigestError(
            say("{path}: the unpacked content is not the one that was signed", path=shown)
        )
    return content


def refuse_second(folder: Path) -> None:
    """See that a folder has no publication yet.

    Raises:
        FeedError: it has one.
    """
    if (folder / "metadata" / "timestamp.json").exists():
        raise FeedError(
            say(
                "{folder}: there already is a publication; publish into it, or choose another"
                " folder",
                folder=folder,
            )
        )


def soon_expired(expiries: Mapping[str, float], now: float) -> dict[str, float]:
    """Return the roles that must be signed anew soon, and in how many seconds.

    Those that must have been signed already are among them.
    """
    left = {role: until - now for role, until in expiries.items()}
    return {role: one for role, one in left.items() if one < EARLY_S.get(role, 0.0)}


@frozen
class Examined:
    """A verified publication.

    Attributes:
        verified: the publication.
        octets: so much was fetched of its files, differences and packages.
        expiries: until when the word of each role holds, Unix time.
        contents: how many octets its files have, unpacked, by their paths.
        packages: of the program.
    """

    verified: Verified
    octets: int
    expiries: Mapping[str, float]
    contents: Mapping[str, int]
    packages: tuple[ProgramTarget, ...]


def verify(
    root: bytes,
    fetcher: Fetcher,
    moment: Moment,
    progress: Callable[[int, int], object] = lambda _done, _all: None,
    into: Path | None = None,
) -> Examined:
    """Fetch and verify everything that is published, and unpack every file.

    Args:
        root: what sites are given to trust.
        fetcher: where from.
        moment: the time, by which expiry is judged.
        progress: called with the targets that are done and all of them.
        into: a folder to write the files to, else they are only looked at.

    Raises:
        FetchError: something did not come.
        TrustError: something is not as it was signed, or not signed.
        StoreError: the disk refused.
    """
    octets, contents = 0, dict[str, int]()
    with TemporaryDirectory(prefix="filterd-verify-") as folder:
        trust, program = TrustFolder(Path(folder, "lists")), TrustFolder(Path(folder, "program"))
        trust.establish(root)
        program.establish(root)
        verified = refresh(trust, fetcher, moment)
        offer = refresh_program(program, fetcher, moment)
        total = len(verified.signed) + len(offer.targets)
        files = {file.target: file for file in verified.publication.files}
        for number, target in enumerate(sorted(verified.signed), 1):
            packed = verified.fetch(target)
            octets += len(packed)
            if (file := files.get(target)) is not None:
                content = unpacked(packed, file, file.path)
                contents[file.path] = len(content)
                if into is not None:
                    write_atomically(into / file.path, content)
            progress(number, total)
        for number, package in enumerate(offer.targets, len(verified.signed) + 1):
            offer.fetch(package, Path(folder, "package"))
            octets += package.octets
            progress(number, total)
        expiries = {**_expiries(program), **_expiries(trust)}
    return Examined(verified, octets, expiries, contents, offer.targets)


def _expiries(trust: TrustFolder) -> dict[str, float]:
    """Return the expiry of each verified role."""
    roles = {
        path.stem: Metadata[Any].from_bytes(path.read_bytes()).signed.expires.timestamp()
        for path in trust.metadata.glob("*.json")
    }
    return {**roles, ROOT: trust.newest_root().expires.timestamp()}
