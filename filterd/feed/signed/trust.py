# SPDX-License-Identifier: Apache-2.0
"""Keep the root that a site was given, and the metadata verified since.

``root.json``                    given once, at set-up; all trust begins here
``metadata/root_history/N.root.json``  the roots that followed, each signed by the one before
``metadata/timestamp.json`` ...  what was verified last: nothing older is taken again

A run works on a copy, so whatever is refused has changed nothing here: not even a valid
timestamp is kept whose snapshot never came (tough, CVE-2025-2888). The one exception is a new
root that its predecessor signed: it may have withdrawn a stolen key. Each file is replaced as
a whole, timestamp last; after a power cut some may be newer than others, all of them verified.
"""

from __future__ import annotations

import contextlib
import shutil
from functools import lru_cache
from typing import TYPE_CHECKING

from securesystemslib.signer import Key
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, Root

from filterd.base.errors import MetadataFormatError, NoTrustError
from filterd.base.paths import open_plain, reading, write_atomically, writing
from filterd.base.privileges import own_rights
from filterd.base.value_class import frozen
from filterd.feed.version_files import ONLINE, signers_of
from filterd.texts.counted import fingerprint
from filterd.texts.i18n import refused, say

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

ROOT_OCTETS = 512_000
"""No root is longer: python-tuf's own limit."""

_LAST = ("snapshot.json", "timestamp.json")
"""Written in this order after all others."""


@frozen
class TrustFolder:
    """A site's trust, below the feed's folder; one process at a time uses it."""

    folder: Path

    @property
    def root(self) -> Path:
        """The root that the site was given."""
        return self.folder / "root.json"

    @property
    def metadata(self) -> Path:
        """The metadata that was verified last."""
        return self.folder / "metadata"

    def is_given(self) -> bool:
        """Return whether the site was given a root.

        Raises:
            OSError: the disk refused.
        """
        try:
            self.root.stat()
        except FileNotFoundError:
            return False
        return True

    def establish(self, content: bytes, *, replace: bool = False) -> str:
        """Trust a root from now on; return its fingerprint, to be compared by telephone.

        Args:
            content: the publisher's ``root.json``.
            replace: forget another trusted root, with all that it led to.

        Raises:
            MetadataFormatError: it is no root, or has not signed itself.
            NoTrustError: the site trusts another one.
            StoreError: the disk refused; trust is as it was.
        """
        read_root(content)
        if self.root.exists():
            if self.given() == content:
                self._write_given(content)
                return fingerprint(content)
            if not replace:
                raise NoTrustError(
                    say(
                        "{path}: the site trusts another root already (to trust this one instead,"
                        " compare its fingerprint, then: filterd feed trust ROOT.json --replace)",
                        path=self.root,
                    )
                )
        # Without its metadata a root is merely new; metadata of another one would be of no use.
        with writing(self.metadata):
            if self.metadata.exists():
                shutil.rmtree(self.metadata)
        write_atomically(self.root, content)
        return fingerprint(content)

    def given(self) -> bytes:
        """Return the root that the site was given, or a copy where it is damaged.

        Raises:
            NoTrustError: none was given.
        """
        try:
            with open_plain(self.root) as file:
                content = file.read(ROOT_OCTETS)
            return content if _is_root(content) else self._copy_of_given() or content
        except OSError as error:
            raise NoTrustError(
                say(
                    "{path}: the site has no root to trust: {why} (filterd feed trust ROOT.json)",
                    path=self.root,
                    why=refused(error),
                )
            ) from error

    def _copy_of_given(self) -> bytes | None:
        """Return the first of the kept roots: every run puts the given root there."""
        kept = (self.metadata / "root_history").glob("[!.]*.root.json")
        for path in sorted(kept, key=lambda path: (len(path.name), path.name))[:1]:
            with contextlib.suppress(OSError), open_plain(path) as file:
                content = file.read(ROOT_OCTETS)
                return content if _is_root(content) else None
        return None

    def _write_given(self, content: bytes) -> None:
        """Write the given root again, if that on the disk is damaged."""
        with writing(self.root):
            sound = self.root.read_bytes() == content
        if not sound:
            write_atomically(self.root, content)

    def newest_root(self) -> Root:
        """Return the last root of the chain that begins with the given one.

        Raises:
            NoTrustError: none was given, or it is damaged.
        """
        root, history = self.first_root(), self.metadata / "root_history"
        while (path := history / f"{root.version + 1}.root.json").is_file():
            try:
                following = Metadata[Root].from_bytes(path.read_bytes())
                for judge in (root, following.signed):
                    judge.verify_delegate("root", following.signed_bytes, following.signatures)
            except (OSError, ValueError, RepositoryError):
                break  # damaged: the next run fetches it again
            if following.signed.version != root.version + 1:
                break
            root = following.signed
        return root

    def first_root(self) -> Root:
        """Return the given root.

        Raises:
            NoTrustError: none was given, or it is damaged.
        """
        try:
            return read_root(self.given())
        except MetadataFormatError as error:
            raise NoTrustError(
                say("{path}: the root is damaged (filterd feed trust ROOT.json)", path=self.root)
            ) from error

    def trusts(self, signers: Mapping[str, Collection[str]] | None) -> bool:
        """Return whether the keys that signed a version still count, by the newest root.

        Args:
            signers: ids of keys by online role; None for a version of an older filterd: then no
                key may have been exchanged since the first root.
        """
        try:
            first, newest = self.first_root(), self.newest_root()
        except NoTrustError:
            return True  # no key has been withdrawn
        if signers is None:
            return all(first.roles[one].keyids == newest.roles[one].keyids for one in ONLINE)
        return all(
            len(set(newest.roles[one].keyids).intersection(signers.get(one, ())))
            >= newest.roles[one].threshold
            for one in ONLINE
        )

    def trusts_version(self, folder: Path) -> bool:
        """Return whether the keys that have signed the version in a folder still count."""
        return self.trusts(signers_of(folder))

    @contextlib.contextmanager
    def working_copy(self) -> Iterator[Path]:
        """Yield a copy of the metadata to work on, and remove it afterwards.

        New roots in it are kept, however the work ends; the rest by ``keep`` alone.

        Raises:
            StoreError: the disk refused.
        """
        copy = self.folder / "metadata.candidate"
        with writing(copy):
            self._remove(copy)  # of a killed process
            (copy / "root_history").mkdir(parents=True)
            for path in self._files(self.metadata):
                shutil.copyfile(path, copy / path.relative_to(self.metadata))
        try:
            yield copy
        finally:
            self._keep_roots(copy)
            with contextlib.suppress(OSError):
                self._remove(copy)

    def keep(self, copy: Path) -> None:
        """Keep all that was verified in a working copy.

        Raises:
            StoreError: the disk refused; what is not kept is verified again by the next run.
        """
        self._write_given(self.given())
        self._keep_roots(copy)
        paths = [path for path in self._files(copy) if path.parent == copy]
        for path in sorted(paths, key=lambda path: (path.name in _LAST, path.name)):
            self._adopt(path, self.metadata / path.name)

    def _keep_roots(self, copy: Path) -> None:
        roots = [path for path in self._files(copy) if path.parent != copy]
        for path in sorted(roots, key=lambda path: (len(path.name), path.name)):
            self._adopt(path, self.metadata / "root_history" / path.name)

    @staticmethod
    def _adopt(new: Path, path: Path) -> None:
        with writing(path):
            content = new.read_bytes()
            known = path.is_file() and path.read_bytes() == content
        if not known:
            write_atomically(path, content)

    @staticmethod
    def _files(folder: Path) -> list[Path]:
        """Return metadata and roots, without links and leftovers of a killed writer."""
        paths = [*folder.glob("[!.]*.json"), *folder.glob("root_history/[!.]*.root.json")]
        return [path for path in paths if path.is_file() and not path.is_symlink()]

    @staticmethod
    def _remove(copy: Path) -> None:
        if copy.exists():
            shutil.rmtree(copy)


def named_keys(root: Root, field: str) -> list[Key]:
    """Return the keys that a root names beside its roles.

    A field that is malformed names none.

    Args:
        root: verified.
        field: of the root, such as ``program_keys``: public keys by their ids.
    """
    try:
        named = root.unrecognized_fields.get(field, {})
        return [Key.from_dict(keyid, dict(fields)) for keyid, fields in named.items()]
    except (KeyError, TypeError, ValueError, AttributeError):
        return []


@lru_cache(maxsize=4)
def read_root(content: bytes) -> Root:
    """Return a root that has signed itself; the same octets are verified once.

    Raises:
        MetadataFormatError: it is none.
    """
    try:
        metadata = Metadata[Root].from_bytes(content)
        root = metadata.signed
        if not isinstance(root, Root):
            raise MetadataFormatError(say("this is not a feed's root"))
        root.verify_delegate("root", metadata.signed_bytes, metadata.signatures)
    except (RepositoryError, ValueError) as error:
        raise MetadataFormatError(say("this is not a feed's root, signed by itself")) from error
    return root


def load_root(path: Path) -> bytes:
    """Return the root in a file that a person names.

    Raises:
        StoreError: it cannot be read.
        MetadataFormatError: it is none.
    """
    try:
        with reading(path), own_rights(), open_plain(path) as file:
            content = file.read(ROOT_OCTETS)
        read_root(content)
    except MetadataFormatError as error:
        raise MetadataFormatError(say("{path}: {why}", path=path, why=error.sentence)) from error
    return content


def _is_root(content: bytes) -> bool:
    try:
        read_root(content)
    except MetadataFormatError:
        return False
    return True
