# SPDX-License-Identifier: Apache-2.0
"""Define how a version arrives, and let one arrive from a signed feed.

A ``VersionArrival`` brings what one source offers. A signed feed is one (``TufArrival``); public
lists that a site follows are another (``followed_arrival``). It is made anew for each run and
bounds that run. Every version has an id, its folder is kept among the ``versions``, and the
guard, the watch, the way back and the history treat all alike.

Of a feed ``tuf_refresh`` verifies a version and ``version_download`` fetches it. The light check
asks for one small file, often unchanged: ``timestamp.json`` names the last urgent version; it
counts only once its signature is verified, and only a run takes anything.

The ETag of a timestamp is kept with what that timestamp announced, so that most checks bring
no octet of it. A server could give every school another ETag and know it again; so it is kept
only until the next run that finds something new, a day as a rule, and never beyond the address
or the root that it came by.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from filterd.base.errors import StoreError
from filterd.base.state_file import FileFormat
from filterd.base.value_class import frozen
from filterd.feed.held_versions import content_digest, fetch_releases
from filterd.feed.signed.tuf_refresh import Announcement, look, refresh
from filterd.feed.signed.version_download import take
from filterd.feed.version_files import is_of
from filterd.texts.i18n import quoted, say

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from filterd.feed.guard import Judgement
    from filterd.feed.signed.version_download import Taken
    from filterd.feed.versions import Versions
    from filterd.texts.i18n import Sentence

    Progress = Callable[[int, int], None]
    from filterd.feed.signed.fetchers import Fetcher
    from filterd.feed.signed.trust import TrustFolder
    from filterd.feed.signed.tuf_refresh import Verified


@frozen
class Moment:
    """The time of a run.

    Attributes:
        now: Unix time, as the clock shows it.
        floor: what it must at least be, for all that the caller knows.
    """

    now: float
    floor: float = 0.0


class Offer(Protocol):
    """A version that is offered, verified and not yet taken."""

    @property
    def version(self) -> str:
        """Its id, of lower-case letters, digits and hyphens; no hyphen first, not "0"."""

    @property
    def urgent(self) -> int:
        """The number of the last version that must not wait; 0 for none."""

    @property
    def issued_at(self) -> float:
        """Unix time, when it was made; 0 where that is not known."""

    @property
    def expires_at(self) -> float:
        """Unix time until which it counts as fresh."""

    @property
    def clock_known(self) -> bool:
        """Whether the clock could be believed."""

    @property
    def in_rings(self) -> bool:
        """Whether appliances take it one after the other."""

    @property
    def remarks(self) -> tuple[Sentence, ...]:
        """How it came, for the history."""

    @property
    def retry_after_s(self) -> float:
        """Seconds after which what a busy server kept back may be asked for again.

        0 where nothing is lacking.
        """

    def is_in(self, folder: Path) -> bool:
        """Return whether a folder holds this very version, whole."""

    def take(self, versions: Versions, progress: Progress) -> Taken:
        """Make its folder; ``progress`` gets the octets fetched, and all that are to be.

        Raises:
            FeedError: something did not come or was wrong; nothing in force has changed.
            StoreError: the disk refused or has too little room; the same.
        """

    def release_of(self, judgement: Judgement, now: float | None) -> Sentence | None:
        """Return why its publisher has released this held version; None if not.

        Args:
            judgement: of this version.
            now: Unix time; None where the clock is not known.

        Raises:
            FeedError: it cannot be known.
        """


class VersionArrival(Protocol):
    """The offers of one source, for one run."""

    def refresh(self, moment: Moment) -> Offer:
        """Return what is offered now, verified.

        Raises:
            FetchError: nothing usable came.
            TrustError: what came must not be trusted.
            StoreError: the disk refused.
        """

    def urgent(self) -> int:
        """Return the number of the last urgent version, by a light check.

        Raises:
            FetchError: nothing usable came.
            TrustError: what came must not be trusted.
        """


@frozen
class _Seen:
    """The result of the last check, and the basis of its ETag."""

    basis: str
    version: int
    urgent: int
    etag: str


_FORMAT = FileFormat(_Seen, magic=b"filterd feed-check ", most_octets=1_000, legacy=json.loads)


class TufOffer:
    """The version that a feed has published; see ``arrival.Offer``."""

    in_rings, remarks, retry_after_s = True, (), 0.0

    def __init__(self, verified: Verified, trust: TrustFolder) -> None:
        self._verified, self._trust = verified, trust
        self.version, self.urgent = verified.publication.version, verified.urgent
        self.issued_at, self.expires_at = verified.issued_at, verified.expires_at
        self.clock_known = verified.clock_known

    def is_in(self, folder: Path) -> bool:
        """Return whether a folder is the signed version.

        The number of the folder does not prove it: it may be of another feed.
        """
        return is_of(folder, self._verified.publication)

    def take(self, versions: Versions, progress: Progress) -> Taken:
        """Make its folder of contents at hand and fetched ones."""
        return take(self._verified.publication, versions, self._verified.fetch, progress=progress)

    def release_of(self, judgement: Judgement, now: float | None) -> Sentence | None:
        """Return why the publisher's offline keys have released this held version."""
        releases = fetch_releases(self._verified.fetcher, self._trust.newest_root(), now)
        content = content_digest(self._verified.publication)
        reason = next(
            (release.reason for release in releases if release.covers(judgement, content)), None
        )
        if reason is None:
            return None
        return say("released by the publisher's offline keys: {why}", why=quoted(reason))


class TufArrival:
    """A feed for one run; see ``arrival.VersionArrival``.

    Args:
        trust: the site's.
        fetcher: where from; it bounds the run.
    """

    def __init__(self, trust: TrustFolder, fetcher: Fetcher) -> None:
        self._trust, self._fetcher = trust, fetcher

    def refresh(self, moment: Moment) -> TufOffer:
        """Return the published version, and keep its metadata."""
        return TufOffer(refresh(self._trust, self._fetcher, moment), self._trust)

    def urgent(self) -> int:
        """Return the number of the last urgent version, as a verified timestamp names it."""
        path, basis = self._trust.folder / "last-check.json", self._basis()
        seen = _FORMAT.read(path)
        if seen is not None and seen.basis != basis:
            seen = None
        announced = look(self._trust, self._fetcher, seen.etag if seen else "")
        if announced is None:
            assert seen is not None, "without an ETag the server sends the file"
            return seen.urgent
        if seen is None or announced != Announcement(seen.version, seen.urgent, seen.etag):
            new = _Seen(basis, announced.version, announced.urgent, announced.etag)
            with suppress(StoreError):  # it costs a few octets more the next time
                _FORMAT.save(path, new)
        return announced.urgent

    def _basis(self) -> str:
        """Return the basis of an ETag: address, root, and last run."""
        digest = hashlib.sha256(self._fetcher.base.encode())
        digest.update(hashlib.sha256(self._trust.given()).digest())
        with suppress(OSError):
            digest.update((self._trust.metadata / "timestamp.json").read_bytes())
        return digest.hexdigest()
