# SPDX-License-Identifier: Apache-2.0
"""Fetch the texts of public lists within limits; keep the last good ones.

For each source one folder holds the last good text, ``ID.txt``, and its facts,
``ID.json``: the ``ETag`` for the next request, and the number of entries. A new text is
accepted only if it is like the ones before: a list in its format, not a web page, not
empty, not half the size. Otherwise the next mirror is asked, and in the end the last text stays
and the report has the reason: a version that lacks a list would open its names.

A server that asks for a pause gets it (``HostWaits``): schools of a whole province may share
one address behind their provider's NAT, so 429 is a usual answer.
"""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from filterd.errors import FetchError, FilterdError, ForeignContentError
from filterd.feed.packed_text import unpack_text
from filterd.feed.source_limits import HostWaits, RunBudget, Spending
from filterd.feed.version_files import sha256_of
from filterd.http_download import (
    CHUNK_OCTETS,
    NONE_KNOWN,
    Downloader,
    DownloadLimits,
    Pace,
    RequestPolicy,
    Validators,
    bounded,
)
from filterd.i18n import UNSAID, Sentence, quoted, say
from filterd.lists.intake import count_entries
from filterd.lists.source_text import SourceText
from filterd.paths import install, open_plain, reading, writing
from filterd.state_file import ADDED, FileFormat

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from filterd.clock import Clock
    from filterd.feed.arrival import Progress
    from filterd.lists.catalog import PublicSource


MAX_OCTETS = 100_000_000
"""Of one text; the largest known ones have a third of it."""
LIMITS = DownloadLimits(total_s=300.0)
"""For one address."""
POLICY = RequestPolicy(redirects=3, is_one_server=True, is_public_only=True)
"""A connection is the only proof of what comes, and an address may be anybody's."""
LEAST_SHARE = 0.5
"""Of the entries of the last good text; with fewer a new one is not taken."""
MOST_TIMES, GROWTH_SLACK = 3.0, 2_000
"""Of the entries of the last good text, where no person compares versions; and some more."""
MOST_PROBLEMS = 0.5
"""The share of bad lines in a text; with more it is not in the catalogue's format."""

_HEAD_OCTETS = 1_024
_PAGE_BEGINNINGS = (b"<!doctype", b"<html", b"<?xml", b"<head", b"<body")
_MAX_NOTE_OCTETS = 1 << 16


class SourceOutcome(StrEnum):
    """The result for a source in one run."""

    TAKEN = "taken"
    UNCHANGED = "unchanged"
    KEPT = "kept"
    """The new text was not taken; the last good one stays."""
    MISSING = "missing"
    """Not taken, and there is no older one: the feed lacks this list."""


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class _Note:
    """Facts of a good text.

    ``asked`` is its format and address in the catalogue, ``mirror`` the address that it came
    from if that is another one, ``at`` the Unix time at which it came.
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


@dataclass(frozen=True, slots=True)
class FetchRules:
    """How sources are asked.

    Attributes:
        limits: for each address.
        policy: where requests may go.
        budget: of octets and seconds for all together; None for no more limits.
        most_times: times the entries of its last text a new one may have; None for any.
        waits: whether servers that asked for it are left alone.
        accepted: ids of sources whose new text may have any number of entries.
    """

    limits: DownloadLimits = LIMITS
    policy: RequestPolicy = POLICY
    budget: RunBudget | None = None
    most_times: float | None = None
    waits: bool = True
    accepted: frozenset[str] = frozenset()


BY_HAND = FetchRules()
"""Of a publisher: a person looks at the outcome."""
NIGHTLY = FetchRules(budget=RunBudget(), most_times=MOST_TIMES)
"""Of a school: no person does."""


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
    spending, hosts = Spending(rules.budget, clock), folder.waits

    def bring(source: PublicSource, address: str, known: _Note | None) -> _Note | None:
        before = NONE_KNOWN
        if known is not None and address == (known.mirror or source.address):
            before = Validators(known.etag, known.last_modified)
        if rules.waits:
            hosts.check(address, clock.wall())
        with (
            hosts.noting(address, clock),
            closing(
                Downloader(Pace(clock, spending.limits(rules.limits)), rules.policy)
            ) as downloader,
            downloader.get(address, source.id, before) as answer,
        ):
            if answer is None:
                return None
            mirror = "" if address == source.address else address
            new = folder.candidate(source.id)
            _write(spending.counted(answer.chunks(MAX_OCTETS)), new)
            validators = answer.validators
        unpack_text(new, address, source, MAX_OCTETS)
        return _Note(_asked(source), "", 0, 0, 0, *validators, mirror, clock.wall())

    return tuple(_each(sources, folder, bring, rules, progress))


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

    def bring(source: PublicSource, _address: str, _known: _Note | None) -> _Note | None:
        path = given / f"{source.id}.txt"
        with reading(path, FetchError), open_plain(path) as file:
            chunks = iter(lambda: file.read(CHUNK_OCTETS), b"")
            _write(bounded(chunks, MAX_OCTETS, path.name), folder.candidate(source.id))
        return _Note(_asked(source), "", 0, 0, 0)

    return tuple(_each(sources, folder, bring, BY_HAND, progress))


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
    bring: Callable[[PublicSource, str, _Note | None], _Note | None],
    rules: FetchRules,
    progress: Progress | None,
) -> Iterator[SourceReport]:
    for done, source in enumerate(sources, 1):
        known, failures = folder.note(source), list[FilterdError]()
        for address in source.addresses:
            try:
                brought = bring(source, address, known)
                report = _one(source, folder, known, brought, rules)
                yield replace(report, mirror="" if address == source.address else address)
                break
            except FilterdError as error:
                failures.append(error)
            finally:
                folder.candidate(source.id).unlink(missing_ok=True)
        else:
            yield _not_taken(source, known, failures[0])
        if progress is not None:
            progress(done, len(sources))


def _one(
    source: PublicSource,
    folder: SourceFolder,
    known: _Note | None,
    brought: _Note | None,
    rules: FetchRules,
) -> SourceReport:
    """Judge a new text; None for one that is unchanged."""
    if brought is None:
        assert known is not None
        return _report(source, SourceOutcome.UNCHANGED, known)
    candidate = folder.candidate(source.id)
    if known is not None and sha256_of(candidate) == known.sha256:
        counts = {one: getattr(known, one) for one in ("sha256", "octets", "entries", "problems")}
        note = replace(brought, **counts)
        if note != known:
            folder.annotate(source, note)
        return _report(source, SourceOutcome.UNCHANGED, note)
    note = _judged(source, candidate, known, brought, rules)
    folder.accept(source, note)
    return _report(source, SourceOutcome.TAKEN, note)


def _report(source: PublicSource, outcome: SourceOutcome, note: _Note) -> SourceReport:
    counts = (note.entries, note.problems, note.octets)
    return SourceReport(source.id, outcome, UNSAID, *counts, sha256=note.sha256)


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
    path: Path,
    known: _Note | None,
    brought: _Note,
    rules: FetchRules,
) -> _Note:
    """Return the facts of a text, or refuse it.

    Raises:
        ForeignContentError: it is no list of this format, or far less or more than it was.
        ListError: it cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD_OCTETS).lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith(_PAGE_BEGINNINGS):
        raise ForeignContentError(say("{id}: a web page came instead of a list", id=source.id))
    if b"\0" in head:
        raise ForeignContentError(say("{id}: it is not text", id=source.id))
    text = SourceText(path)
    entries, problems = count_entries(text, source.format)
    if problems > MOST_PROBLEMS * (entries + problems):
        raise ForeignContentError(
            say(
                "{id}: {problems} of {all} lines are not in the format {format}",
                id=source.id,
                problems=problems,
                all=entries + problems,
                format=source.format,
            )
        )
    if not entries:
        raise ForeignContentError(say("{id}: it has no names", id=source.id))
    had = 0 if known is None or source.id in rules.accepted else known.entries
    most = had and rules.most_times and rules.most_times * had + GROWTH_SLACK
    if had and not LEAST_SHARE * had <= entries <= (most or entries):
        at_school = say("run `filterd lists update --accept {id}`", id=source.id)
        raise ForeignContentError(
            say(
                "{id}: it has {entries} names and had {before}; if that is right: {remedy}",
                id=source.id,
                entries=entries,
                before=had,
                remedy=at_school if most else say("remove {note}", note=f"{source.id}.json"),
            )
        )
    octets = path.stat().st_size
    return replace(brought, sha256=text.digest, octets=octets, entries=entries, problems=problems)


def _asked(source: PublicSource) -> str:
    """Return the format and address that a note is about."""
    return f"{source.format} {source.address}"


def kept_reports(sources: Sequence[PublicSource], folder: SourceFolder) -> tuple[SourceReport, ...]:
    """Return a report on each source by its last good text.

    It does not ask for a new text.
    """
    return tuple(
        SourceReport(one.id, SourceOutcome.MISSING)
        if (note := folder.note(one)) is None
        else _report(one, SourceOutcome.UNCHANGED, note)
        for one in sources
    )


def counted(reports: Sequence[SourceReport]) -> dict[SourceOutcome, int]:
    """Return how many sources have which outcome, all outcomes among them."""
    return {outcome: sum(one.outcome is outcome for one in reports) for outcome in SourceOutcome}


def source_rows(
    sources: Iterable[PublicSource], folder: SourceFolder, origins: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Return a row for each source.

    ``origins`` has the file or command by which a source is followed, by its id.
    """
    rows = []
    for one in sources:
        [report] = kept_reports([one], folder) if one.id in origins else [None]
        entries = report.entries if report else 0
        rows.append(
            {
                "id": one.id,
                "title": one.title,
                "category": one.category,
                "licence": one.licence,
                "attribution": one.attribution,
                "republish": one.republish,
                "recommended": one.recommended,
                "names": entries or one.names,
                "checked": one.checked,
                "address": one.address,
                "followed": origins.get(one.id, ""),
                "here": entries > 0,
            }
        )
    return rows
