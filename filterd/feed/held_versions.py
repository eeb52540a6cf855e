# SPDX-License-Identifier: Apache-2.0
"""Take from held versions what must not wait: legal orders, and released holds.

**Orders** travel in the same version as the lists. Where the guard holds or refuses a version,
another is made of the lists in force and the orders of that version, and judged as any other.
Its id is that of the held one with a minus before it. No publisher's id begins with a minus, so
nothing mistakes it for the whole.

TUF lets the role ``targets`` name the key of the role ``orders``. A thief of the online keys
could name another one, and order by law what no list may close. So a key that differs from
that of the version in force waits, until an administrator or the root keys agree.

**Releases**: the guard of each school holds what changes too much, and a thief of the online
keys must not be able to prevent that. So a release stands beside the metadata as
``releases.json``, in the form of TUF's targets, signed by two of three root keys that no machine
on the Internet has. It names a version, the digest of its files, and the findings. It holds for
that content, and for later versions in which the guard finds nothing else.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tuf.api.exceptions import DownloadHTTPError
from tuf.api.metadata import Metadata, Root, Targets

from filterd.base.errors import ExpiredError, MetadataFormatError
from filterd.base.paths import shipped, write_atomically, writing
from filterd.base.value_class import frozen
from filterd.feed.guard.judgement import Severity, found
from filterd.feed.signed.tuf_refresh import explained
from filterd.feed.signed.version_download import link_or_copy, sync_all
from filterd.feed.version_files import (
    Publication,
    files_of,
    full_target,
    is_ordered,
    publication_of,
    signers_of,
    verify,
    write_manifest,
)
from filterd.feed.versions import ahead_of, number_of
from filterd.lists.catalogs.catalog import load_categories
from filterd.lists.catalogs.catalog_tables import CANARIES_FILE, canaries_yaml
from filterd.lists.rules import MADE_CANARY
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from filterd.feed.guard.judgement import Finding
    from filterd.feed.versions import Candidate, Versions

    Files = dict[str, tuple[int, str]]
    from collections.abc import Mapping

    from filterd.feed.guard import Judgement
    from filterd.feed.signed.fetchers import Fetcher


ROLE = "orders"
KIND = "orders-key"
"""The kind of finding for an unknown ordering key."""

_NOT_PUBLISHED = (
    *("README.md", "addresses.yaml", "popular.yaml", "help.yaml"),
    *("vn/README.md", "vn/evidence.yaml"),
    *("schools/LICENSE", "schools/names.txt.gz"),
)


def with_orders_of(version: str, versions: Versions) -> Candidate | None:
    """Make a version of the lists in force and the orders of another version.

    Args:
        version: the other one, at hand and whole.
        versions: those at hand.

    Returns:
        The new one; None where the orders in force are the same, or the other is not whole.

    Raises:
        FilterdError: the disk refused, or what ships is damaged.
    """
    source, coming = versions.folder_of(version), ahead_of(version)
    current = versions.current()
    base = shipped("blocklists") if current is None else current.folder
    ahead, kept = _files(source), _files(base)
    if ahead is None or kept is None or any(map(verify, filter(_is_signed, (source, base)))):
        return None  # a whole version mends what is damaged
    orders = {path: file for path, file in ahead.items() if is_ordered(full_target(path))}
    if orders == {path: file for path, file in kept.items() if is_ordered(full_target(path))}:
        return None
    folder = versions.partial_of(coming)
    with writing(folder):
        if folder.exists():
            shutil.rmtree(folder)
        for path in kept:
            if not is_ordered(full_target(path)):
                link_or_copy(base / path, folder / path)
        for path in orders:
            link_or_copy(source / path, folder / path)
        if current is None:
            _write_canaries(folder)
        publication = _publication(coming, folder, source if current is None else base, source)
        write_manifest(folder, publication)
        sync_all(folder, publication.files)
        return versions.finish(coming)


def _files(folder: Path) -> Files | None:
    """Return the files of a folder; of the shipped one, without a manifest, all."""
    if _is_signed(folder):
        return files_of(folder)
    paths = (path for path in folder.rglob("*") if path.is_file())
    names = (path.relative_to(folder).as_posix() for path in paths)
    return {name: (0, "") for name in names if name not in _NOT_PUBLISHED}


def _is_signed(folder: Path) -> bool:
    return folder != shipped("blocklists")


def _publication(version: str, folder: Path, *sources: Path) -> Publication:
    """Describe a folder; its keys are those that have signed all that it was made of."""
    first, *others = (signers_of(source) or {} for source in sources)
    signers = {
        role: tuple(key for key in keys if all(key in one.get(role, ()) for one in others))
        for role, keys in first.items()
    }
    return replace(publication_of(folder, version), signers=signers)


def _write_canaries(folder: Path) -> None:
    """Write canaries as a publisher does: each shipped list has one made name."""
    listed = b"\n".join(path.read_bytes() for path in folder.rglob("*.txt"))
    made = {category.id: category.id + MADE_CANARY for category in load_categories(folder)}
    canaries = {one: [name] for one, name in made.items() if name.encode() in listed}
    write_atomically(folder / CANARIES_FILE, canaries_yaml(canaries))


def other_key(new: Collection[str] | None, known: Collection[str] | None) -> Iterator[Finding]:
    """Find whether an unknown key signs legal orders.

    Args:
        new: ids of the keys of the role in a version; None where they are not known.
        known: the same of the version in force.
    """
    if not known or new is None or set(new) == set(known):
        return
    sentence = say("legal orders would be signed by another key than now")
    yield found(KIND, Severity.HELD, sentence, (), [f"+{ROLE} {one}" for one in sorted(new)])


FILE = "releases.json"
"""Its name in ``metadata/``."""
MOST_OCTETS = 512_000
MOST_RELEASES = 20
"""The latest ones; the others are of versions that all schools have behind them."""

_FIELD = "releases"


@frozen
class ReleasedHold:
    """A released version.

    Attributes:
        version: it holds for none before.
        content: the digest of its files, see ``content_digest``.
        findings: subjects by the kind of finding.
        reason: for people.
    """

    version: int
    content: str
    findings: Mapping[str, frozenset[str]]
    reason: str

    def covers(self, judgement: Judgement, content: str) -> bool:
        """Return whether all findings on a held version are released."""
        held = [finding for finding in judgement.findings if finding.severity is Severity.HELD]
        return number_of(judgement.version) >= self.version and all(
            one.kind in self.findings
            and (
                content == self.content
                or (bool(one.subjects) and self.findings[one.kind].issuperset(one.subjects))
            )
            for one in held
        )

    def to_plain(self) -> dict[str, Any]:
        """Return it as it is signed."""
        findings = {kind: sorted(subjects) for kind, subjects in sorted(self.findings.items())}
        return {
            "version": self.version,
            "content": self.content,
            "findings": findings,
            "reason": self.reason,
        }


def content_digest(publication: Publication) -> str:
    """Return the SHA-256 of the files of a version, whatever its number; hex."""
    files = [[file.path, file.length, file.sha256] for file in publication.files]
    return hashlib.sha256(json.dumps(files).encode("ascii")).hexdigest()


def fetch_releases(fetcher: Fetcher, root: Root, now: float | None) -> tuple[ReleasedHold, ...]:
    """Return the releases; empty where the publisher has none.

    Args:
        fetcher: the feed.
        root: the newest that the site trusts.
        now: Unix time, None where the clock is not known.

    Raises:
        FetchError: it did not come.
        TrustError: too few of the root's keys have signed it, or it has expired.
    """
    with explained():
        try:
            content = fetcher.download_bytes(f"{fetcher.base}metadata/{FILE}", MOST_OCTETS)
        except DownloadHTTPError:
            return ()
        signed = verified(content, root)
        if now is not None and signed.expires.timestamp() <= now:
            raise ExpiredError(say("{file} has expired", file=FILE))
        return releases_of(signed)


def verified(content: bytes, root: Root) -> Targets:
    """Return the signed releases, if the keys of a root have signed them.

    Raises:
        RepositoryError: too few of them have; see ``tuf_refresh.explained``.
    """
    metadata = Metadata[Targets].from_bytes(content)
    if not isinstance(metadata.signed, Targets):
        raise MetadataFormatError(say("{file} belongs to another role", file=FILE))
    root.verify_delegate(Root.type, metadata.signed_bytes, metadata.signatures)
    return metadata.signed


def releases_of(signed: Targets) -> tuple[ReleasedHold, ...]:
    """Read the releases that were signed.

    Raises:
        ValueError, KeyError, TypeError, AttributeError: they are malformed.
    """
    return tuple(_release(one) for one in signed.unrecognized_fields[_FIELD][-MOST_RELEASES:])


def signable(releases: tuple[ReleasedHold, ...], version: int, expires: Any) -> Metadata[Targets]:
    """Return unsigned metadata of releases."""
    plain = {_FIELD: [release.to_plain() for release in releases[-MOST_RELEASES:]]}
    targets = Targets(version=version, expires=expires, targets={}, unrecognized_fields=plain)
    return Metadata(targets)


def _release(data: Any) -> ReleasedHold:
    findings = {str(kind): frozenset(map(str, some)) for kind, some in data["findings"].items()}
    return ReleasedHold(int(data["version"]), str(data["content"]), findings, str(data["reason"]))
