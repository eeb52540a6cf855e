# SPDX-License-Identifier: Apache-2.0
"""Fetch the texts of public lists within limits; keep the last good ones.

For each source one folder holds the last good text, ``ID.txt``, and its facts,
``ID.json``: the ``ETag`` for the next request, and the number of entries. A new text is
accepted only if it is like the ones before: a list in its format, not a web page, not
empty, not half the size. Otherwise the next mirror is asked, and in the end the last text stays
and the report has the reason: a version that lacks a list would open its names. What comes is
unpacked and read in a child with bounds (``text_judgement``): a failure costs its source alone.

A server that asks for a pause gets it (``HostWaits``): schools of a whole province may share
one address behind their provider's NAT, so 429 is a usual answer.
"""

from __future__ import annotations

import json
from collections import Counter
from contextlib import closing
from dataclasses import asdict, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from math import inf
from typing import TYPE_CHECKING, Any

from filterd.base.errors import FetchError, FilterdError
from filterd.base.paths import install, open_plain, reading, writing
from filterd.base.state_file import ADDED, FileFormat
from filterd.base.value_class import frozen
from filterd.feed.followed.host_reach import HostReach
from filterd.feed.followed.packed_text import packing_of, unpacked_of
from filterd.feed.followed.source_limits import (
    AT_ONCE,
    BY_HAND,
    FetchRules,
    HostWaits,
    Spending,
)
from filterd.feed.followed.text_judgement import ArrivedText, TextFacts, judge
from filterd.feed.version_files import sha256_of
from filterd.http.http_download import (
    CHUNK_OCTETS,
    NONE_KNOWN,
    Downloader,
    Pace,
    Validators,
    bounded,
    split,
)
from filterd.texts.i18n import UNSAID, Sentence, quoted, say

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from filterd.base.clock import Clock
    from filterd.feed.signed.arrival import Progress
    from filterd.lists.catalogs.catalog import PublicSource


MAX_OCTETS = 100_000_000
"""Of one text; the largest known ones have a third of it."""

_MAX_NOTE_OCTETS = 1 << 16
_LATEST_S = 32_503_680_000.0
"""The year 3000: a later time was noted by a clock that was wrong."""


class SourceOutcome(StrEnum):
    """The result for a source in one run."""

    TAKEN = "taken"
    UNCHANGED = "unchanged"
    KEPT = "kept"
    """The new text was not taken; the last good one stays."""
    MISSING = "missing"
    """Not taken, and there is no older one: the feed lacks this list."""


@frozen
class SourceReport:
    """The result for one source.

    Attributes:
        id: of the source, as in the catalogue.
        outcome: the state of its text.
        reason: why a new text was refused, if it was.
        entries: of the present text.
        problems: its unusable lines.
        octets: of it.
        mirror: the address that it came from now, if that is not the first one.
        sha256: of it.
        retry_after_s: for how long its server wants to be left alone.
        since: Unix time at which the present text first came; 0 where that is not known.
    """

    id: str
    outcome: SourceOutcome
    reason: Sentence = UNSAID
    entries: int = 0
    problems: int = 0
    octets: int = 0
    mirror: str = ""
    sha256: str = ""
    retry_after_s: float = 0.0
    since: float = 0.0


@frozen
class _Note:
    """Facts of a good text.

    ``asked`` is its format and address in the catalogue, ``mirror`` the address that it came
    from if that is another one, ``at`` the Unix time at which this text first came.
    """

    asked: str
    sha256: str
    octets: int
    entries: int
    problems: int
    etag: str = ""
    last_modified: str = ""
    mirror: str = field(default="", metadata={ADDED: True})
    at: float = field(default=0.0, metadata={ADDED: True})


_FORMAT = FileFormat(
    _Note, magic=b"filterd source ", most_octets=_MAX_NOTE_OCTETS, legacy=json.loads
)


class SourceFolder:
    """The last good texts of sources."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def text(self, source_id: str) -> Path:
        """Return where the text of a source is, or will be."""
        return self._folder / f"{source_id}.txt"

    @property
    def waits(self) -> HostWaits:
        """Servers that want to be left alone."""
        return HostWaits(self._folder)

    def note(self, source: PublicSource) -> _Note | None:
        """Return the facts of a text, if they are of the very file on the disk."""
        note = _FORMAT.read(self._note(source.id))
        if note is None or note.asked != _asked(source):
            return None
        return note if note.sha256 == sha256_of(self.text(source.id)) else None

    def candidate(self, source_id: str) -> Path:
        """Return where a new text is put until it is judged."""
        return self._folder / f".{source_id}.new"

    def discard(self, source_id: str) -> None:
        """Remove what is left of a new text."""
        new = self.candidate(source_id)
        for one in (new, unpacked_of(new)):
            one.unlink(missing_ok=True)

    def accept(self, source: PublicSource, note: _Note) -> None:
        """Let the candidate be the text from now on.

        Raises:
            StoreError: the disk refused; the old text stays.
        """
        with writing(self.text(source.id)):
            install(self.candidate(source.id), self.text(source.id))
        self.annotate(source, note)

    def annotate(self, source: PublicSource, note: _Note) -> None:
        """Write the facts of the text.

        Raises:
            StoreError: the disk refused; the text will be fetched again.
        """
        _FORMAT.save(self._note(source.id), note)

    def _note(self, source_id: str) -> Path:
        return self._folder / f"{source_id}.json"


def fetch_sources(
    sources: Sequence[PublicSource],
    folder: SourceFolder,
    clock: Clock,
    *,
    rules: FetchRules = BY_HAND,
    progress: Progress | None = None,
) -> tuple[SourceReport, ...]:
    """Ask all sources for their texts; one that does not answer holds up no other.

    Args:
        sources: of the catalogue.
        folder: where good texts are.
        clock: times the answers.
        rules: how they are asked.
        progress: called with how many sources are done, and how many there are.

    Returns:
        A report on each source, in the order of ``sources``.
    """
    asking = _Asking(folder, clock, rules, sources)
    return tuple(_each(sources, folder, asking, rules, progress))


def look_at(source: PublicSource, folder: SourceFolder, clock: Clock) -> SourceReport:
    """Fetch a text once and judge it as each night does, before a person follows it.

    Args:
        source: with one address.
        folder: for the text meanwhile; nothing stays there.
        clock: times the answer.

    Raises:
        ForeignContentError, ListError: it is no list of this format.
        FetchError: it does not come.
    """
    try:
        asking = _Asking(folder, clock, AT_ONCE)
        brought = asking.bring(source, source.address, None)
        assert brought is not None, "nothing is known of it"
        note = _judged(source, folder, None, brought, asking)
        assert note is not None, "nothing is known of it"
    finally:
        folder.discard(source.id)
    return _report(source, SourceOutcome.TAKEN, note)


class _Asking:
    """What brings the texts of one run, within its limits.

    Args:
        folder, clock, rules: as of ``fetch_sources``.
        sources: all of the run; none where one is asked by itself.
    """

    is_packed = True
    """The end of an address shows how its text is packed."""

    def __init__(
        self,
        folder: SourceFolder,
        clock: Clock,
        rules: FetchRules,
        sources: Sequence[PublicSource] = (),
    ) -> None:
        self._folder, self._clock, self._rules = folder, clock, rules
        self._spending, self._waits = Spending(rules.budget, clock), folder.waits
        addresses = [address for source in sources for address in source.addresses]
        self._reach = HostReach(addresses, rules.policy, clock)

    @property
    def left_s(self) -> float:
        """The seconds that are left of the run.

        Raises:
            TooSlowError: none are.
        """
        return self._spending.left_s()

    def bring(self, source: PublicSource, address: str, known: _Note | None) -> _Note | None:
        """Fetch a text from an address as the candidate; return None for the known one.

        Raises:
            FetchError: it does not come.
            StoreError: the disk refused.
        """
        before = NONE_KNOWN
        if known is not None and address == (known.mirror or source.address):
            before = Validators(known.etag, known.last_modified)
        if self._rules.waits:
            self._waits.check(address, self._clock.wall())
        limits = self._spending.limits(self._rules.limits)
        with (
            self._reach.noting(address),
            self._waits.noting(address, self._clock),
            closing(Downloader(Pace(self._clock, limits), self._rules.policy)) as downloader,
            downloader.get(address, source.id, before) as answer,
        ):
            if answer is None:
                return None
            mirror, new = "" if address == source.address else address, source.id
            chunks = answer.chunks(MAX_OCTETS)
            _write(self._spending.counted(chunks), self._folder.candidate(new))
            validators = answer.validators
        return _Note(_asked(source), "", 0, 0, 0, *validators, mirror, self._clock.wall())


class _Reading:
    """What brings the texts of a folder, ``ID.txt`` for each."""

    left_s, is_packed = inf, False

    def __init__(self, given: Path, folder: SourceFolder) -> None:
        self._given, self._folder = given, folder

    def bring(self, source: PublicSource, _address: str, _known: _Note | None) -> _Note:
        """Take a text as the candidate.

        Raises:
            FetchError: it cannot be read.
            StoreError: the disk refused.
        """
        path = self._given / f"{source.id}.txt"
        with reading(path, FetchError), open_plain(path) as file:
            chunks = iter(lambda: file.read(CHUNK_OCTETS), b"")
            _write(bounded(chunks, MAX_OCTETS, path.name), self._folder.candidate(source.id))
        return _Note(_asked(source), "", 0, 0, 0)


def read_sources(
    sources: Sequence[PublicSource],
    folder: SourceFolder,
    given: Path,
    *,
    progress: Progress | None = None,
) -> tuple[SourceReport, ...]:
    """Take the texts of sources from a folder, ``ID.txt`` for each.

    As ``fetch_sources``, without a network; a missing text counts as no answer.
    """
    return tuple(_each(sources, folder, _Reading(given, folder), BY_HAND, progress))


def _write(chunks: Iterable[bytes], target: Path) -> None:
    """Write a text of bounded length in place of a file, through no link.

    Raises:
        StoreError: the disk refused.
    """
    with writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        file = target.open("xb")
    with file:
        for chunk in chunks:
            with writing(target):
                file.write(chunk)


def _each(
    sources: Sequence[PublicSource],
    folder: SourceFolder,
    run: _Asking | _Reading,
    rules: FetchRules,
    progress: Progress | None,
) -> Iterator[SourceReport]:
    for done, source in enumerate(sources):
        if progress is not None:
            progress(done, len(sources))
        known, failures = folder.note(source), list[FilterdError]()
        for address in source.addresses:
            try:
                brought = run.bring(source, address, known)
                report = _one(source, folder, known, brought, run, rules)
                yield replace(report, mirror="" if address == source.address else address)
                break
            except FilterdError as error:
                failures.append(error)
            finally:
                folder.discard(source.id)
        else:
            yield _not_taken(source, known, failures[0])
    if progress is not None:
        progress(len(sources), len(sources))


def _one(
    source: PublicSource,
    folder: SourceFolder,
    known: _Note | None,
    brought: _Note | None,
    run: _Asking | _Reading,
    rules: FetchRules,
) -> SourceReport:
    """Judge a new text; None for one that is unchanged."""
    if brought is None:
        assert known is not None
        return _report(source, SourceOutcome.UNCHANGED, known)
    note = _judged(source, folder, known, brought, run)
    if note is None:
        assert known is not None
        counts = {one: getattr(known, one) for one in ("sha256", "octets", "entries", "problems")}
        note = replace(brought, **counts, at=known.at or brought.at)
        if note != known:
            folder.annotate(source, note)
        return _report(source, SourceOutcome.UNCHANGED, note)
    if known is not None:
        rules.check_growth(source.id, known.entries, note.entries)
    folder.accept(source, note)
    return _report(source, SourceOutcome.TAKEN, note)


def _report(source: PublicSource, outcome: SourceOutcome, note: _Note) -> SourceReport:
    counts = (note.entries, note.problems, note.octets)
    return SourceReport(source.id, outcome, UNSAID, *counts, sha256=note.sha256, since=note.at)


def _not_taken(source: PublicSource, known: _Note | None, error: FilterdError) -> SourceReport:
    missing = SourceReport(source.id, SourceOutcome.MISSING)
    why = getattr(error, "sentence", quoted(str(error)))
    return replace(
        missing if known is None else _report(source, SourceOutcome.KEPT, known),
        reason=why
        if why.startswith(f"{source.id}: ")
        else say("{id}: {why}", id=source.id, why=why),
        retry_after_s=getattr(error, "retry_after_s", 0.0),
    )


def _judged(
    source: PublicSource,
    folder: SourceFolder,
    known: _Note | None,
    brought: _Note,
    run: _Asking | _Reading,
) -> _Note | None:
    """Return the facts of a candidate, judged in a child; None for the known text.

    Raises:
        FilterdError: as of ``text_judgement.judge``.
    """
    address = split(brought.mirror or source.address).path
    text = ArrivedText(
        str(folder.candidate(source.id)),
        source.id,
        source.format,
        packing_of(address) if run.is_packed else "",
        source.member,
        MAX_OCTETS,
        "" if known is None else known.sha256,
    )
    facts: TextFacts | None = judge(text, run.left_s)
    return None if facts is None else replace(brought, **asdict(facts))


def _asked(source: PublicSource) -> str:
    """Return the format and address that a note is about."""
    return f"{source.format} {source.address}"


def kept_reports(sources: Sequence[PublicSource], folder: SourceFolder) -> tuple[SourceReport, ...]:
    """Return a report on each source by its last good text.

    It does not ask for a new text.
    """
    return tuple(
        SourceReport(source.id, SourceOutcome.MISSING)
        if (note := folder.note(source)) is None
        else _report(source, SourceOutcome.UNCHANGED, note)
        for source in sources
    )


def days_of(reports: Iterable[SourceReport]) -> dict[str, str]:
    """Return the days on which the present texts came, ISO 8601, by source id."""
    return {
        report.id: datetime.fromtimestamp(report.since, UTC).date().isoformat()
        for report in reports
        if 0 < report.since < _LATEST_S
    }


def counted(reports: Sequence[SourceReport]) -> dict[SourceOutcome, int]:
    """Return how many sources have which outcome, all outcomes among them."""
    outcomes = Counter(report.outcome for report in reports)
    return {outcome: outcomes[outcome] for outcome in SourceOutcome}


def source_rows(
    sources: Iterable[PublicSource], folder: SourceFolder, origins: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    """Iterate over a row for each source.

    ``origins`` has the file or command by which a source is followed, by its id.
    """
    for source in sources:
        [report] = kept_reports([source], folder) if source.id in origins else [None]
        entries = report.entries if report else 0
        yield {
            "id": source.id,
            "title": source.title,
            "category": source.category,
            "licence": source.licence,
            "attribution": source.attribution,
            "republish": source.republish,
            "recommended": source.recommended,
            "names": entries or source.names,
            "checked": source.checked,
            "address": source.address,
            "followed": origins.get(source.id, ""),
            "here": entries > 0,
        }
