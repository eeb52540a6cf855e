# SPDX-License-Identifier: Apache-2.0
"""Arrivals of versions made here, of the public lists that a site follows.

A night fetches their texts (``sources``), and a version is made of what ships and of the good
texts at hand (``version_content``). Its id follows from what it is made of, so a night without a
change makes nothing. HTTPS is its only proof: all else is the guard's, with the names, pins
and protections of this program, and the hosts that the lists come from are pinned.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from filterd.base.errors import FetchError, FilterdError
from filterd.base.paths import shipped, writing
from filterd.base.value_class import frozen
from filterd.feed.appliance_files import FollowFile
from filterd.feed.feed_config import wanted_of
from filterd.feed.followed.night_memory import TEXT_OCTETS_A_NAME, check_size, night_octets
from filterd.feed.followed.source_limits import NIGHTLY
from filterd.feed.followed.sources import (
    SourceFolder,
    SourceOutcome,
    counted,
    days_of,
    fetch_sources,
    kept_reports,
)
from filterd.feed.followed.version_content import TABLES_FILES, ContentRequest, make_in_child
from filterd.feed.guard.judgement import Severity
from filterd.feed.guard.limits import GROWTH
from filterd.feed.guard.tables import TABLES
from filterd.feed.signed.version_download import Taken, sync_all
from filterd.feed.version_files import publication_of, verify, write_manifest
from filterd.feed.versions import FOLLOWED, is_followed
from filterd.lists.catalogs.catalog import fillable_categories, load_sources
from filterd.lists.catalogs.table_additions import ADDITIONS_FILE
from filterd.texts.i18n import UNSAID, say
from filterd.version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from filterd.base.clock import Clock
    from filterd.feed.followed.source_limits import FetchRules
    from filterd.feed.followed.sources import SourceReport
    from filterd.feed.guard import Judgement
    from filterd.feed.signed.arrival import Moment, Progress
    from filterd.feed.versions import Candidate, Versions
    from filterd.lists.catalogs.catalog import PublicSource
    from filterd.lists.list_merge import Exclusions
    from filterd.texts.i18n import Sentence

FRESH_S = 7 * 86_400.0
"""A version counts as fresh for so long: a week of nights without an answer is a worry."""

_RELEASABLE = "canaries"
_ID_LENGTH = 12


@frozen
class Ingredients:
    """What a version is made of.

    Attributes:
        sources: the followed ones; beside a feed those that its categories take.
        reports: on each of them.
        left_out: entries.
        feed: the folder of a version of a feed, beside which the lists stand alone, by its
            tables; None where they stand with what ships.
    """

    sources: tuple[PublicSource, ...]
    reports: tuple[SourceReport, ...]
    left_out: Exclusions
    feed: Path | None = None

    @property
    def version(self) -> str:
        """The id: the same ingredients and the same program make the same version."""
        texts = {report.id: report.sha256 for report in self.reports}
        made_of = [
            _program() if self.feed is None else _tables(self.feed),
            [
                [
                    source.id,
                    source.category,
                    source.format,
                    source.subtrees,
                    source.addresses,
                    texts[source.id],
                ]
                for source in self.sources
            ],
            [
                [one, sorted(key.hex() for key in keys)]
                for one, keys in sorted(self.left_out.items())
            ],
        ]
        text = json.dumps(made_of, separators=(",", ":"))
        return FOLLOWED + hashlib.sha256(text.encode()).hexdigest()[:_ID_LENGTH]


class FollowedOffer:
    """The version that the texts at hand make; see ``arrival.Offer``."""

    urgent, issued_at, clock_known, in_rings = 0, 0.0, False, False

    def __init__(
        self, ingredients: Ingredients, folder: SourceFolder, now: float, before: set[str] | None
    ) -> None:
        self._made_of, self._folder, self._before = ingredients, folder, before
        self.version, self.expires_at = ingredients.version, now + FRESH_S

    @property
    def remarks(self) -> tuple[Sentence, ...]:
        """How each source that has not come as usual came, and the sum of all."""
        reports = self._made_of.reports
        remarks = [_remark(report) for report in reports]
        taken = counted(reports)
        failed = taken[SourceOutcome.KEPT] + taken[SourceOutcome.MISSING]
        total = say(
            "lists: {taken} new, {unchanged} unchanged, {failed} not taken",
            taken=taken[SourceOutcome.TAKEN],
            unchanged=taken[SourceOutcome.UNCHANGED],
            failed=failed,
        )
        return (*(remark for remark in remarks if remark), total)

    @property
    def retry_after_s(self) -> float:
        """The longest pause that a server asked for whose list was not taken."""
        return max((report.retry_after_s for report in self._made_of.reports), default=0.0)

    def is_in(self, folder: Path) -> bool:
        """Return whether a folder, which has this id, is whole."""
        return not verify(folder)

    def take(self, versions: Versions, progress: Progress) -> Taken:
        """Make its folder of what ships and of the texts at hand."""
        made_of = self._made_of
        texts = {
            report.id: self._folder.text(report.id) for report in made_of.reports if report.sha256
        }
        dates = days_of(made_of.reports)
        wanted = ContentRequest(made_of.sources, texts, made_of.left_out, made_of.feed, dates)
        return make_version(self.version, wanted, made_of.reports, versions, progress)

    def release_of(self, judgement: Judgement, now: float | None) -> Sentence | None:
        """Return why a held version is wanted all the same.

        The reason is that a person has changed what is followed.

        The tables of the version are those of the program, whatever the version before had.
        """
        del now
        held = {finding.kind for finding in judgement.findings if finding.severity is Severity.HELD}
        # A version names the sources that it has a text of; others may never come.
        here = {report.id for report in self._made_of.reports if report.sha256}
        wanted = {TABLES} if here == self._before else {TABLES, GROWTH, _RELEASABLE}
        return say("the choice of followed lists has changed") if held <= wanted else None


def make_version(
    version: str,
    wanted: ContentRequest,
    reports: Sequence[SourceReport],
    versions: Versions,
    progress: Progress,
) -> Taken:
    """Make the folder of a version of texts at hand.

    Args:
        version: its id.
        wanted: its content.
        reports: on the sources of the texts.
        versions: those at hand; one of this id is replaced.
        progress: called with the octets that came, and all of them.

    Raises:
        FilterdError: it cannot be made, or the disk refused.
    """
    made = versions.partial_of(version)
    octets = sum(report.octets for report in reports if report.outcome is SourceOutcome.TAKEN)
    progress(octets, octets)
    make_in_child(wanted, made, memory_octets=night_octets())
    with writing(made):
        shutil.rmtree(versions.folder_of(version), ignore_errors=True)
        publication = publication_of(made, version)
        write_manifest(made, publication)
        sync_all(made, publication.files)
        return Taken(versions.finish(version), octets)


class FollowedArrival:
    """The lists that a site follows, for one run; see ``arrival.VersionArrival``.

    Args:
        sources: the followed ones.
        folder: the feed's state folder.
        versions: those at hand.
        clock: times the answers.
        rules: how sources are asked; None to make the version of the texts at hand.
        feed: as in ``Ingredients``.
        progress: called with how many sources are done, and how many there are.
    """

    def __init__(
        self,
        sources: tuple[PublicSource, ...],
        folder: Path,
        versions: Versions,
        clock: Clock,
        *,
        rules: FetchRules | None = NIGHTLY,
        progress: Progress | None = None,
        feed: Path | None = None,
    ) -> None:
        self._sources, self._versions, self._clock = sources, versions, clock
        self._rules, self._progress, self._feed = rules, progress, feed
        self._file, self._folder = FollowFile(folder), SourceFolder(folder / "sources")

    def refresh(self, moment: Moment) -> FollowedOffer:
        """Return what the followed lists make now.

        Raises:
            FetchError: none of them came.
            TooLargeError: this machine cannot take so many names.
        """
        state = self._file.read()
        if (last := wanted_of(self._sources)) != state.last:
            self._file.write(replace(state, last=last))
        sources = self._fillable()
        reports = kept_reports(sources, self._folder)
        _check_size(sources, reports)
        if self._rules is not None:
            reports = fetch_sources(
                sources, self._folder, self._clock, rules=self._rules, progress=self._progress
            )
            _check_some_came(reports)
        _check_size(sources, reports)
        left_out = state.exclusions(sources, moment.now)
        made_of = Ingredients(sources, reports, left_out, self._feed)
        return FollowedOffer(made_of, self._folder, moment.now, _before(self._versions.current()))

    def urgent(self) -> int:
        """Return that nothing is urgent: no public list knows of it."""
        return 0

    def _fillable(self) -> tuple[PublicSource, ...]:
        """Return the sources, beside a feed those whose category is one of its tables."""
        if self._feed is None:
            return self._sources
        categories = fillable_categories(self._feed)
        return tuple(source for source in self._sources if source.category in categories)


def _check_size(sources: Sequence[PublicSource], reports: Sequence[SourceReport]) -> None:
    """Check the size of the texts at hand, and of the others as the catalogue has it."""
    names = octets = 0
    for source, report in zip(sources, reports, strict=True):
        names += report.entries or source.names
        octets += report.octets or source.names * TEXT_OCTETS_A_NAME
    check_size(names, octets)


def _check_some_came(reports: Sequence[SourceReport]) -> None:
    failed = [report for report in reports if report.reason]
    if not reports or len(failed) < len(reports):
        return
    error = FetchError(
        say(
            "none of the {count} followed lists came; {why}",
            count=len(failed),
            why=failed[0].reason,
        )
    )
    error.retry_after_s = max(one.retry_after_s for one in failed)
    raise error


def _remark(report: SourceReport) -> Sentence:
    if report.outcome is SourceOutcome.KEPT:
        return say("not taken, its last text stays: {why}", why=report.reason)
    if report.outcome is SourceOutcome.MISSING:
        return say("not taken, and there is no earlier text: {why}", why=report.reason)
    if report.mirror:
        return say("{id}: taken from {mirror}", id=report.id, mirror=report.mirror)
    return UNSAID


def _before(current: Candidate | None) -> set[str] | None:
    """Return the ids of the sources of the active version.

    None where the version was not made here.
    """
    if current is None or not is_followed(current.version):
        return None
    try:
        return {source.id for source in load_sources(current.folder)}
    except FilterdError:
        return None


def _tables(feed: Path) -> str:
    """Return a digest of the tables of a feed by which lists beside it are made."""
    digest = hashlib.sha256(__version__.encode())
    for name in TABLES_FILES:
        digest.update((feed / name).read_bytes())
    with contextlib.suppress(FileNotFoundError):
        digest.update((feed / ADDITIONS_FILE).read_bytes())
    return digest.hexdigest()


@cache
def _program() -> str:
    """Return a digest of what ships: after an upgrade another version is made."""
    digest = hashlib.sha256(__version__.encode())
    for path in sorted(shipped("blocklists").rglob("*")):
        if path.is_file():
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
