# SPDX-License-Identifier: Apache-2.0
"""Offer what sources that change all day have got since the night.

Only sources of the catalogue with ``between_nights`` are asked, by the rules of a night, and a text
that is not new costs a conditional request. What is new comes as a version of its own, that of the
night with small lists beside (``fresh_names``), through the same guard and watch. Its id is that of
the night and six digits, so that the way back has one version of each night (``versions``). Whether
the lists are fresh goes by the nights: of a few sources that answer nothing follows for the others.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from filterd.feed.appliance_files import FollowFile
from filterd.feed.followed.followed_arrival import make_version
from filterd.feed.followed.source_limits import BETWEEN_NIGHTS
from filterd.feed.followed.sources import SourceFolder, SourceOutcome, fetch_sources
from filterd.feed.followed.version_content import ContentRequest
from filterd.feed.version_files import verify
from filterd.feed.versions import base_of, is_followed
from filterd.lists.catalogs.catalog import load_sources

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from filterd.base.clock import Clock
    from filterd.feed.followed.source_limits import FetchRules
    from filterd.feed.followed.sources import SourceReport
    from filterd.feed.guard import Judgement
    from filterd.feed.signed.arrival import Progress
    from filterd.feed.signed.version_download import Taken
    from filterd.feed.versions import Candidate, Versions
    from filterd.lists.catalogs.catalog import PublicSource
    from filterd.lists.list_merge import Exclusions
    from filterd.texts.i18n import Sentence

_DIGITS = 6


class FreshOffer:
    """The version of the night with what is new; see ``arrival.Offer``."""

    urgent, issued_at, expires_at, retry_after_s = 0, 0.0, 0.0, 0.0
    clock_known, in_rings, remarks = False, False, ()

    def __init__(
        self,
        night: Candidate,
        sources: Sequence[PublicSource],
        reports: Sequence[SourceReport],
        folder: SourceFolder,
        left_out: Exclusions,
    ) -> None:
        self._night, self._sources, self._reports = night, sources, reports
        self._folder, self._left_out = folder, left_out
        text = " ".join(f"{report.id} {report.sha256}" for report in reports)
        digits = hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]
        self.version = f"{base_of(night.version)}-{digits}"

    def is_in(self, folder: Path) -> bool:
        """Return whether a folder, which has this id, is whole."""
        return not verify(folder)

    def take(self, versions: Versions, progress: Progress) -> Taken:
        """Make its folder of the version in force and of the texts at hand."""
        texts = {
            report.id: self._folder.text(report.id) for report in self._reports if report.sha256
        }
        wanted = ContentRequest(self._sources, texts, self._left_out, night=self._night.folder)
        return make_version(self.version, wanted, self._reports, versions, progress)

    def release_of(self, judgement: Judgement, now: float | None) -> Sentence | None:
        """Return that no person wants it all the same: the next night makes all anew."""
        del judgement, now
        return None


class FreshArrival:
    """The sources that change all day, for one run.

    Args:
        sources: the followed ones.
        folder: the feed's state folder.
        versions: those at hand.
        clock: times the answers.
        rules: how sources are asked.
    """

    def __init__(
        self,
        sources: Sequence[PublicSource],
        folder: Path,
        versions: Versions,
        clock: Clock,
        *,
        rules: FetchRules = BETWEEN_NIGHTS,
    ) -> None:
        self._sources, self._versions, self._clock, self._rules = sources, versions, clock, rules
        self._file, self._folder = FollowFile(folder), SourceFolder(folder / "sources")

    def refresh(self) -> FreshOffer | None:
        """Return what is new; None where nothing is, or there is no night to add it to.

        Raises:
            FilterdError: the version in force cannot be read.
        """
        night = self._versions.current()
        if night is None or not is_followed(night.version):
            return None
        known = {source.id for source in load_sources(night.folder)}
        sources = [
            source for source in self._sources if source.between_nights and source.id in known
        ]
        if not sources:
            return None
        reports = fetch_sources(sources, self._folder, self._clock, rules=self._rules)
        if all(report.outcome is not SourceOutcome.TAKEN for report in reports):
            return None
        left_out = self._file.read().exclusions(sources, self._clock.wall())
        return FreshOffer(night, sources, reports, self._folder, left_out)
