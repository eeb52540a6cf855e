# SPDX-License-Identifier: Apache-2.0
"""Change what root keys decide: whose keys count, which holds are released.

A **root** counts as soon as it exists. So when a key changes, the metadata is first
signed by both keys, and only then the root that replaces them is written: a reader with
either root finds metadata that it trusts.
"""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

from tuf.api.exceptions import RepositoryError

from filterd.base.errors import FeedError
from filterd.feed import held_versions
from filterd.feed.signed.program_offer import PROGRAM_KEYS
from filterd.feed.signed.trust import named_keys
from filterd.feed.version_files import FLEET_KEYS
from filterd.publish.keys import PROGRAM, ROOT, SNAPSHOT, TARGETS, TIMESTAMP
from filterd.publish.publication_folder import PublicationFolder
from filterd.publish.repository import Repository
from filterd.publish.signing import (
    RELEASES,
    Identified,
    check_signed,
    delegations,
    naming_keys,
    signed,
    until,
    verify_signed,
)
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from securesystemslib.signer import CryptoSigner, Key
    from tuf.api.metadata import (
        Metadata,
        Root,
    )

    from filterd.publish.parcels import Parcel
    from filterd.publish.repository import Signers


class RootChanges:
    """Changes of one publication by its root keys; one process at a time makes them.

    Args:
        folder: what the web server hands out.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._repository = PublicationFolder(folder), Repository(folder)

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
        root, content = self._folder.root(), None
        present = signers.get(role, ())
        both = {**signers, role: [*present, new]}
        if new.public_key.keyid not in root.signed.roles[role].keyids:
            if old.public_key.keyid not in root.signed.roles[role].keyids:
                raise FeedError(say("this key does not count for the role {role}", role=role))
            if role != ROOT and present:
                self._repository.advance(self._folder.published(), both, now)
            root.signed.revoke_key(old.public_key.keyid, role)
            root.signed.add_key(new.public_key, role)
            content = self.follow(root, both[ROOT], now)
        if role != ROOT and not self._counts(role):  # the old key has not signed with the new one
            self._repository.advance(self._folder.published(), both, now)
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
        root, before, version = (
            self._folder.root().signed,
            tuple[held_versions.ReleasedHold, ...](),
            0,
        )
        with contextlib.suppress(FileNotFoundError, RepositoryError, ValueError, KeyError):
            known = held_versions.verified(
                (self._folder.metadata / held_versions.FILE).read_bytes(), root
            )
            before, version = held_versions.releases_of(known), known.version
        metadata = held_versions.signable((*before, release), version + 1, until(RELEASES, now))
        content = signed(metadata, signers)
        check_signed(root, ROOT, content)
        self._folder.write_metadata(held_versions.FILE, content)

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
        published, role = self._folder.published(), parcel.role
        before = published.delegations
        keys = {
            one: [before.keys[keyid] for keyid in delegated.keyids]
            for one, delegated in (before.roles or {}).items()
        }
        after = delegations({**keys, role: [parcel.public_key]})
        self._repository.check_delegated(parcel, after, published.meta.get(f"{role}.json"))
        if role == PROGRAM:
            self._name_key(PROGRAM_KEYS, parcel.public_key, signers.get(ROOT, ()), now)
        changed = replace(published, delegations=after)
        return self._repository.advance(changed, signers, now, parcels=[parcel])

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
        root = self._folder.root()
        if named_keys(root.signed, field_) != [key]:
            root.signed.unrecognized_fields |= naming_keys(field_, [key])
            self.follow(root, signers, now)

    def follow(self, root: Metadata[Root], signers: Sequence[CryptoSigner], now: float) -> bytes:
        """Publish the root that comes after the newest, signed as both of them ask."""
        newest = self._folder.root().signed
        root.signed.version = newest.version + 1
        root.signed.expires = until(ROOT, now)
        content = signed(root, signers)
        for judge in (newest, root.signed):
            verify_signed(judge, ROOT, root)
        self._folder.write_metadata(f"{root.signed.version}.root.json", content)
        return content

    def _counts(self, role: str) -> bool:
        """Return whether the newest root trusts the last signature of an online role."""
        published = self._folder.published()
        named = {
            TIMESTAMP: "timestamp.json",
            SNAPSHOT: f"{published.snapshot}.snapshot.json",
            TARGETS: f"{published.meta['targets.json'].version}.targets.json",
        }
        try:
            check_signed(self._folder.root().signed, role, self._folder.read(named[role]))
        except FeedError:
            return False
        return True
