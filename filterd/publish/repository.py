# SPDX-License-Identifier: Apache-2.0
"""Change the signed metadata of a publication; a reader finds one whole version.

A folder of static files: ``metadata/`` and ``targets/``. Only what ``timestamp.json``
names is published; all other files have their version or hash in the name and never
change once they are named. So a publication writes targets, then metadata, then
``timestamp.json``. A process killed before that has published nothing and can start again.

A **root** counts as soon as it exists. So when a key changes, the metadata is first
signed by both keys, and only then the root that replaces them is written: a reader with
either root finds metadata that it trusts.

Delegated roles (``orders``, ``program``) are signed on other machines and come as parcels. The key
of the role ``program`` must be named by the root too (``filterd.feed.signed.program_offer``). The
key ``fleet`` is named by the root alone: it enrols gateways, and publishes nothing.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tuf.api.exceptions import RepositoryError
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

from filterd.base.errors import FeedError
from filterd.base.paths import reading, write_atomically
from filterd.feed import held_versions
from filterd.feed.signed.program_offer import PROGRAM_KEYS, read_targets
from filterd.feed.signed.trust import named_keys
from filterd.feed.version_files import DELEGATED, FLEET, FLEET_KEYS, role_of
from filterd.publish.keys import PROGRAM, ROOT, ROOT_THRESHOLD, SNAPSHOT, TARGETS, TIMESTAMP
from filterd.publish.parcels import FIRST_VERSION, Parcel, make_parcel
from filterd.publish.publication import refuse_second
from filterd.publish.signing import (
    RELEASES,
    Identified,
    NewTarget,
    StoredTarget,
    check_signed,
    copy_target,
    delegations,
    describe,
    hashed_name,
    signed,
    until,
    verify_signed,
)
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from securesystemslib.signer import CryptoSigner, Key

    Signers = Mapping[str, Sequence[CryptoSigner]]
    """The signers of each role."""


class Repository:
    """One publication's folder; only one process at a time changes it.

    Args:
        folder: what the web server hands out.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._metadata, self._targets = folder / "metadata", folder / "targets"

    def create(self, signers: Signers, *, now: float) -> bytes:
        """Publish the first root and an empty version; return the root for sites to trust.

        Args:
            signers: every role's keys.
            now: Unix time.

        Raises:
            FeedError: the folder holds a publication already.
            StoreError: the disk refused.
        """
        refuse_second(self.folder)
        keys = {role: [one.public_key for one in signers[role]] for role in DELEGATED}
        fleet = [one.public_key for one in signers.get(FLEET, ())]
        named = _naming(PROGRAM_KEYS, keys[PROGRAM]) | _naming(FLEET_KEYS, fleet)
        root = Root(expires=until(ROOT, now), unrecognized_fields=named)
        for role in (ROOT, TARGETS, SNAPSHOT, TIMESTAMP):
            for signer in signers[role]:
                root.add_key(signer.public_key, role)
        root.roles[ROOT].threshold = ROOT_THRESHOLD
        content = signed(Metadata(root), signers[ROOT])
        self._write_metadata("1.root.json", content)
        parcels = [
            make_parcel(role, [], signers[role], version=FIRST_VERSION, now=now)
            for role in DELEGATED
        ]
        self._advance(_Published(delegations(keys)), signers, now, parcels=parcels)
        return content

    def publish(
        self,
        files: Iterable[NewTarget],
        signers: Signers,
        *,
        now: float,
        urgent: bool = False,
        parcels: Iterable[Parcel] = (),
    ) -> int:
        """Publish a new version; return its number, the snapshot's version.

        Args:
            files: all that the version consists of, without those of delegated roles.
            signers: for ``targets``, ``snapshot`` and ``timestamp``.
            now: Unix time.
            urgent: appliances take it at their next light check.
            parcels: what delegated roles have signed anew; the others stay as they are.

        Raises:
            FeedError: a name belongs to another role, a signature is missing.
            StoreError: the disk refused; nothing is published.
        """
        published, named = self._published(), dict[str, TargetFile]()
        for file in files:
            if (role := role_of(file.name)) != TARGETS:
                raise FeedError(
                    say(
                        "{name}: only the role {role} may name this file", name=file.name, role=role
                    )
                )
            named[file.name] = self._write_target(file)
        new = replace(published, named=named)
        return self._advance(new, signers, now, parcels=parcels, urgent=urgent)

    def renew(
        self,
        signers: Signers,
        *,
        now: float,
        urgent: bool = False,
        parcels: Iterable[Parcel] = (),
    ) -> int:
        """Sign the published version for another term; return the snapshot's version.

        ``parcels`` are what delegated roles have signed anew.
        """
        return self._advance(self._published(), signers, now, parcels=parcels, urgent=urgent)

    def prune(self, *, keep: int = 8) -> int:
        """Remove files that none of the last snapshots names; return how many.

        Roots stay for ever: sites follow them one by one. A reader that began before the
        last ``keep`` publications must start again.
        """
        newest = self._published().snapshot
        names, targets = {"timestamp.json", held_versions.FILE}, set[Path]()
        for number in range(max(1, newest - keep + 1), newest + 1):
            names.add(f"{number}.snapshot.json")
            snapshot = Metadata[Snapshot].from_bytes(self._read(f"{number}.snapshot.json")).signed
            for name, meta in snapshot.meta.items():
                names.add(f"{meta.version}.{name}")
                role = Metadata[Targets].from_bytes(self._read(f"{meta.version}.{name}")).signed
                for one in role.targets.values():
                    targets.add(self._targets / hashed_name(one.path, one.hashes["sha256"]))
        metadata = {path for path in self._metadata.glob("*.json") if path.name not in names}
        stale = {path for path in metadata if not path.name.endswith(".root.json")}
        stale |= {path for path in self._targets.rglob("*") if path.is_file()} - targets
        for path in stale:
            path.unlink(missing_ok=True)
        return len(stale)

    def rotate_key(
        self, role: str, old: Identified, new: CryptoSigner, signers: Signers, *, now: float
    ) -> bytes | None:
        """Exchange one key of a role; return the new root, or ``None`` if none is needed.

        Args:
            role: any but a delegated one, whose key ``rotate_delegated`` exchanges.
            old: the key to go; its private half need not be among the signers of a new root.
            new: the key to come.
            signers: the online roles' present keys; two root keys that stay or come. An
                online role whose key is lost has none: then schools take nothing until
                this is done.
            now: Unix time.

        Raises:
            FeedError: the key does not count for the role.
            StoreError: the disk refused.
        """
        root, content = self._root(), None
        present = signers.get(role, ())
        both = {**signers, role: [*present, new]}
        if new.public_key.keyid not in root.signed.roles[role].keyids:
            if old.public_key.keyid not in root.signed.roles[role].keyids:
                raise FeedError(say("this key does not count for the role {role}", role=role))
            if role != ROOT and present:
                self._advance(self._published(), both, now)
            root.signed.revoke_key(old.public_key.keyid, role)
            root.signed.add_key(new.public_key, role)
            content = self._follow(root, both[ROOT], now)
        if role != ROOT and not self._counts(role):  # the old key has not signed with the new one
            self._advance(self._published(), both, now)
        return content

    def release(
        self, release: held_versions.ReleasedHold, signers: Sequence[CryptoSigner], *, now: float
    ) -> None:
        """Release a held version for all schools; earlier releases stay.

        Args:
            release: what.
            signers: root keys, as many as a root needs.
            now: Unix time.

        Raises:
            FeedError: too few of the root's keys have signed.
            StoreError: the disk refused.
        """
        root, before, version = self._root().signed, tuple[held_versions.ReleasedHold, ...](), 0
        with contextlib.suppress(FileNotFoundError, RepositoryError, ValueError, KeyError):
            known = held_versions.verified((self._metadata / held_versions.FILE).read_bytes(), root)
            before, version = held_versions.releases_of(known), known.version
        metadata = held_versions.signable((*before, release), version + 1, until(RELEASES, now))
        content = signed(metadata, signers)
        check_signed(root, ROOT, content)
        self._write_metadata(held_versions.FILE, content)

    def rotate_delegated(self, parcel: Parcel, signers: Signers, *, now: float) -> int:
        """Exchange the key of a delegated role together with what the new key signed.

        A publication that has no such role gets it.

        Args:
            parcel: signed by the new key.
            signers: the online roles'; for ``program`` as many root keys as a root needs.
            now: Unix time.

        Raises:
            FeedError: the parcel is not signed by its key, or too few root keys have signed.
            StoreError: the disk refused.
        """
        published, role = self._published(), parcel.role
        before = published.delegations
        keys = {
            one: [before.keys[keyid] for keyid in delegated.keyids]
            for one, delegated in (before.roles or {}).items()
        }
        after = delegations({**keys, role: [parcel.public_key]})
        self._check_delegated(parcel, after, published.meta.get(f"{role}.json"))
        if role == PROGRAM:
            self._name_key(PROGRAM_KEYS, parcel.public_key, signers.get(ROOT, ()), now)
        changed = replace(published, delegations=after)
        return self._advance(changed, signers, now, parcels=[parcel])

    def name_fleet_key(self, key: Key, signers: Sequence[CryptoSigner], *, now: float) -> None:
        """Publish a root that names this key alone for enrolments of gateways.

        Enrolments that another key has signed end with it.

        Args:
            key: the public half.
            signers: as many root keys as a root needs.
            now: Unix time.

        Raises:
            FeedError: too few root keys have signed.
            StoreError: the disk refused.
        """
        self._name_key(FLEET_KEYS, key, signers, now)

    def _name_key(self, field_: str, key: Key, signers: Sequence[CryptoSigner], now: float) -> None:
        """Publish a root that names the key, before what the key has signed counts."""
        root = self._root()
        if named_keys(root.signed, field_) != [key]:
            root.signed.unrecognized_fields |= _naming(field_, [key])
            self._follow(root, signers, now)

    def _advance(
        self,
        published: _Published,
        signers: Signers,
        now: float,
        *,
        parcels: Iterable[Parcel] = (),
        urgent: bool = False,
    ) -> int:
        """Write the next version of targets, snapshot and, last, timestamp."""
        root, meta = self._root().signed, dict(published.meta)
        targets = Targets(
            version=meta["targets.json"].version + 1 if meta else 1,
            expires=until(TARGETS, now),
            targets=dict(published.named),
            delegations=published.delegations,
        )
        for parcel in parcels:
            name = f"{parcel.role}.json"
            version = self._check_delegated(parcel, published.delegations, meta.get(name))
            meta[name] = self._write_versioned(parcel.role, version, parcel.metadata)
        content = signed(Metadata(targets), signers[TARGETS])
        check_signed(root, TARGETS, content)
        meta["targets.json"] = self._write_versioned(TARGETS, targets.version, content)
        number = published.snapshot + 1
        snapshot = Snapshot(version=number, expires=until(SNAPSHOT, now), meta=meta)
        content = signed(Metadata(snapshot), signers[SNAPSHOT])
        check_signed(root, SNAPSHOT, content)
        timestamp = Timestamp(
            version=published.timestamp + 1,
            expires=until(TIMESTAMP, now),
            snapshot_meta=self._write_versioned(SNAPSHOT, number, content),
            unrecognized_fields={
                "urgent": number if urgent else published.urgent,
                "issued": int(now),
            },
        )
        content = signed(Metadata(timestamp), signers[TIMESTAMP])
        check_signed(root, TIMESTAMP, content)
        self._write_metadata("timestamp.json", content)
        return number

    def _check_delegated(self, parcel: Parcel, keys: Delegations, last: MetaFile | None) -> int:
        """Write the files of a parcel that may be published; return its version."""
        role = parcel.role
        try:
            metadata = Metadata[Targets].from_bytes(parcel.metadata)
            Targets(delegations=keys).verify_delegate(
                role, metadata.signed_bytes, metadata.signatures
            )
        except (RepositoryError, ValueError) as error:
            raise FeedError(
                say(
                    "the metadata of the role {role} is not signed by its key; if the key is new:"
                    " `filterd feed rotate-key REPO {role}`",
                    role=role,
                )
            ) from error
        for file in parcel.targets:
            self._write_target(file)
        if role == PROGRAM:  # what an appliance would not read must not be published
            read_targets(metadata.signed.targets)
        for target in metadata.signed.targets.values():
            if role_of(target.path) != role:
                raise FeedError(
                    say("{name}: the role {role} may not name it", name=target.path, role=role)
                )
            if not (self._targets / hashed_name(target.path, target.hashes["sha256"])).is_file():
                raise FeedError(say("{name}: the file is missing", name=target.path))
        version = metadata.signed.version
        if last is not None and version <= last.version:  # whose file is named, and stays as it is
            raise FeedError(
                say(
                    "the role {role} has signed version {version} before; sign again with"
                    " `--after {last}`",
                    role=role,
                    version=version,
                    last=last.version,
                )
            )
        return version

    def _write_versioned(self, role: str, version: int, content: bytes) -> MetaFile:
        self._write_metadata(f"{version}.{role}.json", content)
        return MetaFile(version, len(content), {"sha256": sha256(content).hexdigest()})

    def _write_metadata(self, name: str, content: bytes) -> None:
        write_atomically(self._metadata / name, content, mode=0o644)

    def _write_target(self, file: NewTarget | StoredTarget) -> TargetFile:
        target = describe(file)
        path = self._targets / hashed_name(file.name, target.hashes["sha256"])
        # Written whole or not at all, under the name of its content: it need not be written again.
        if not (path.is_file() and path.stat().st_size == target.length):
            copy_target(file, path)
        return target

    def _root(self) -> Metadata[Root]:
        version = 1
        while (self._metadata / f"{version + 1}.root.json").exists():
            version += 1
        return Metadata[Root].from_bytes(self._read(f"{version}.root.json"))

    def _follow(self, root: Metadata[Root], signers: Sequence[CryptoSigner], now: float) -> bytes:
        """Publish the root that comes after the newest, signed as both of them ask."""
        newest = self._root().signed
        root.signed.version = newest.version + 1
        root.signed.expires = until(ROOT, now)
        content = signed(root, signers)
        for judge in (newest, root.signed):
            verify_signed(judge, ROOT, root)
        self._write_metadata(f"{root.signed.version}.root.json", content)
        return content

    def _published(self) -> _Published:
        """Read the publication that ``timestamp.json`` names."""
        timestamp = Metadata[Timestamp].from_bytes(self._read("timestamp.json")).signed
        number = timestamp.snapshot_meta.version
        snapshot = Metadata[Snapshot].from_bytes(self._read(f"{number}.snapshot.json")).signed
        version = snapshot.meta["targets.json"].version
        targets = Metadata[Targets].from_bytes(self._read(f"{version}.targets.json")).signed
        assert targets.delegations is not None
        return _Published(
            targets.delegations,
            targets.targets,
            snapshot.meta,
            snapshot=number,
            timestamp=timestamp.version,
            urgent=int(timestamp.unrecognized_fields.get("urgent", 0)),
        )

    def _counts(self, role: str) -> bool:
        """Return whether the newest root trusts the last signature of an online role."""
        published = self._published()
        named = {
            TIMESTAMP: "timestamp.json",
            SNAPSHOT: f"{published.snapshot}.snapshot.json",
            TARGETS: f"{published.meta['targets.json'].version}.targets.json",
        }
        try:
            check_signed(self._root().signed, role, self._read(named[role]))
        except FeedError:
            return False
        return True

    def _read(self, name: str) -> bytes:
        with reading(self._metadata / name):
            return (self._metadata / name).read_bytes()


def _naming(field_: str, keys: Iterable[Key]) -> dict[str, Any]:
    """Return a field of a root that names keys."""
    return {field_: {key.keyid: key.to_dict() for key in keys}}


@dataclass(frozen=True, slots=True)
class _Published:
    """The present publication: files, keys of delegated roles, their versions."""

    delegations: Delegations
    named: Mapping[str, TargetFile] = field(default_factory=dict)
    meta: Mapping[str, MetaFile] = field(default_factory=dict)
    snapshot: int = 0
    timestamp: int = 0
    urgent: int = 0
