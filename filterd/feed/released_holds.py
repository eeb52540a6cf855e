# SPDX-License-Identifier: Apache-2.0
"""Read holds that the publisher's offline root keys have released.

The guard of each school holds what changes too much, and a thief of the online keys must not
be able to prevent that. So a release stands beside the metadata as ``releases.json``, in the
form of TUF's targets, signed by two of three root keys that no machine on the Internet has. It
names a version, the digest of its files, and the findings. It holds for that content, and for
later versions in which the guard finds nothing else.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tuf.api.exceptions import DownloadHTTPError
from tuf.api.metadata import Metadata, Root, Targets

from filterd.errors import ExpiredError, MetadataFormatError
from filterd.feed.guard.judgement import Severity
from filterd.feed.tuf_refresh import explained
from filterd.feed.versions import number_of
from filterd.i18n import say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from filterd.feed.fetchers import Fetcher
    from filterd.feed.guard import Judgement
    from filterd.feed.targets import Publication

FILE = "releases.json"
"""Its name in ``metadata/``."""
MOST_OCTETS = 512_000
MOST_RELEASES = 20
"""The latest ones; the others are of versions that all schools have behind them."""

_FIELD = "releases"


@dataclass(frozen=True, slots=True)
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
        held = [one for one in judgement.findings if one.severity is Severity.HELD]
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
        told = {"version": self.version, "content": self.content}
        return {**told, "findings": findings, "reason": self.reason}


def content_digest(publication: Publication) -> str:
    """Return the SHA-256 of the files of a version, whatever its number; hex."""
    files = [[one.path, one.length, one.sha256] for one in publication.files]
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
    plain = {_FIELD: [one.to_plain() for one in releases[-MOST_RELEASES:]]}
    targets = Targets(version=version, expires=expires, targets={}, unrecognized_fields=plain)
    return Metadata(targets)


def _release(data: Any) -> ReleasedHold:
    findings = {str(kind): frozenset(map(str, some)) for kind, some in data["findings"].items()}
    return ReleasedHold(int(data["version"]), str(data["content"]), findings, str(data["reason"]))
