# SPDX-License-Identifier: Apache-2.0
"""Change the signed metadata of a publication; a reader finds one whole version.

A folder of static files: ``metadata/`` and ``targets/``. Only what ``timestamp.json``
names is published; all other files have their version or hash in the name and never
change once they are named. So a publication writes targets, then metadata, then
``timestamp.json``. A process killed before that has published nothing and can start again.

Delegated roles (``orders``, ``program``) are signed on other machines and come as parcels. The key
of the role ``program`` must be named by the root too (``filterd.feed.signed.program_offer``). The
key ``fleet`` is named by the root alone: it enrols gateways, and publishes nothing.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

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
from filterd.feed import held_versions
from filterd.feed.signed.program_offer import PROGRAM_KEYS, read_targets
from filterd.feed.version_files import DELEGATED, FLEET, FLEET_KEYS, role_of
from filterd.publish.keys import PROGRAM, ROOT, ROOT_THRESHOLD, SNAPSHOT, TARGETS, TIMESTAMP
from filterd.publish.parcels import FIRST_VERSION, Parcel, make_parcel
from filterd.publish.publication import refuse_second
from filterd.publish.publication_folder import PublicationContent, PublicationFolder
from filterd.publish.signing import (
    NewTarget,
    check_signed,
    delegations,
    hashed_name,
    naming_keys,
    signed,
    until,
)
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from securesystemslib.signer import CryptoSigner

    Signers = Mapping[str, Sequence[CryptoSigner]]
    """The signers of each role."""


class Repository:
    """One publication's folder; only one process at a time changes it.

    Args:
        folder: what the web server hands out.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self._folder = folder, PublicationFolder(folder)

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
        named = naming_keys(PROGRAM_KEYS, keys[PROGRAM]) | naming_keys(FLEET_KEYS, fleet)
        root = Root(expires=until(ROOT, now), unrecognized_fields=named)
        for role in (ROOT, TARGETS, SNAPSHOT, TIMESTAMP):
            for signer in signers[role]:
                root.add_key(signer.public_key, role)
        root.roles[ROOT].threshold = ROOT_THRESHOLD
        content = signed(Metadata(root), signers[ROOT])
        self._folder.write_metadata("1.root.json", content)
        parcels = [
            make_parcel(role, [], signers[role], version=FIRST_VERSION, now=now)
            for role in DELEGATED
        ]
        self.advance(PublicationContent(delegations(keys)), signers, now, parcels=parcels)
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
        published, named = self._folder.published(), dict[str, TargetFile]()
        for file in files:
            if (role := role_of(file.name)) != TARGETS:
                raise FeedError(
                    say(
                        "{name}: only the role {role} may name this file", name=file.name, role=role
                    )
                )
            named[file.name] = self._folder.write_target(file)
        new = replace(published, named=named)
        return self.advance(new, signers, now, parcels=parcels, urgent=urgent)

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
        return self.advance(self._folder.published(), signers, now, parcels=parcels, urgent=urgent)

    def prune(self, *, keep: int = 8) -> int:
        """Remove files that none of the last snapshots names; return how many.

        Roots stay for ever: sites follow them one by one. A reader that began before the
        last ``keep`` publications must start again.
        """
        newest = self._folder.published().snapshot
        names, targets = {"timestamp.json", held_versions.FILE}, set[Path]()
        for number in range(max(1, newest - keep + 1), newest + 1):
            names.add(f"{number}.snapshot.json")
            snapshot = (
                Metadata[Snapshot].from_bytes(self._folder.read(f"{number}.snapshot.json")).signed
            )
            for name, meta in snapshot.meta.items():
                names.add(f"{meta.version}.{name}")
                role = (
                    Metadata[Targets].from_bytes(self._folder.read(f"{meta.version}.{name}")).signed
                )
                for target in role.targets.values():
                    targets.add(
                        self._folder.targets / hashed_name(target.path, target.hashes["sha256"])
                    )
        metadata = {path for path in self._folder.metadata.glob("*.json") if path.name not in names}
        stale = {path for path in metadata if not path.name.endswith(".root.json")}
        stale |= {path for path in self._folder.targets.rglob("*") if path.is_file()} - targets
        for path in stale:
            path.unlink(missing_ok=True)
        return len(stale)

    def advance(
        self,
        published: PublicationContent,
        signers: Signers,
        now: float,
        *,
        parcels: Iterable[Parcel] = (),
        urgent: bool = False,
    ) -> int:
        """Write the next version of targets, snapshot and, last, timestamp."""
        root, meta = self._folder.root().signed, dict(published.meta)
        targets = Targets(
            version=meta["targets.json"].version + 1 if meta else 1,
            expires=until(TARGETS, now),
            targets=dict(published.named),
            delegations=published.delegations,
        )
        for parcel in parcels:
            name = f"{parcel.role}.json"
            version = self.check_delegated(parcel, published.delegations, meta.get(name))
            meta[name] = self._folder.write_versioned(parcel.role, version, parcel.metadata)
        content = signed(Metadata(targets), signers[TARGETS])
        check_signed(root, TARGETS, content)
        meta["targets.json"] = self._folder.write_versioned(TARGETS, targets.version, content)
        number = published.snapshot + 1
        snapshot = Snapshot(version=number, expires=until(SNAPSHOT, now), meta=meta)
        content = signed(Metadata(snapshot), signers[SNAPSHOT])
        check_signed(root, SNAPSHOT, content)
        timestamp = Timestamp(
            version=published.timestamp + 1,
            expires=until(TIMESTAMP, now),
            snapshot_meta=self._folder.write_versioned(SNAPSHOT, number, content),
            unrecognized_fields={
                "urgent": number if urgent else published.urgent,
                "issued": int(now),
            },
        )
        content = signed(Metadata(timestamp), signers[TIMESTAMP])
        check_signed(root, TIMESTAMP, content)
        self._folder.write_metadata("timestamp.json", content)
        return number

    def check_delegated(self, parcel: Parcel, keys: Delegations, last: MetaFile | None) -> int:
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
            self._folder.write_target(file)
        if role == PROGRAM:  # what an appliance would not read must not be published
            read_targets(metadata.signed.targets)
        for target in metadata.signed.targets.values():
            if role_of(target.path) != role:
                raise FeedError(
                    say("{name}: the role {role} may not name it", name=target.path, role=role)
                )
            if not (
                self._folder.targets / hashed_name(target.path, target.hashes["sha256"])
            ).is_file():
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
