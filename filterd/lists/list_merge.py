# SPDX-License-Identifier: Apache-2.0
"""Merge all lists of a category into few, with the same meaning.

Thousands of schools download the result every night, so it is small and stable: lists of
third parties become one list, each name once, sorted by its labels from the right. That
packs best, and lets two nights differ only in the changes. Nearly every entry of every
format means "this name" or "this name and all beneath it", which the formats ``domains``
and ``wildcard`` can express too. Other entries stay in their format:

* of a third party's Adblock list the lines with conditions and exceptions: each
  line stands for itself, and exceptions hold for all lists of a category;
* any other list with such entries, or with entries that cancel others, as a whole.

The code that compiles lists for a school also removes names here: those that no list may
name, pins and protected names; and, of third parties, names beneath a suffix of education.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from filterd.lists.formats import FORMATS, Problem
from filterd.lists.formats.parsed import BLOCK_EXACT, BLOCK_SUBTREE
from filterd.lists.hostname import text_from_key
from filterd.lists.intake import Intake
from filterd.lists.list_queries import single_hosts
from filterd.lists.public_suffix import education_suffixes
from filterd.lists.rules import MERGED_PREFIX, Effect, Protection, Scope, SourceShare
from filterd.lists.sort_records import (
    BLOCKS,
    CANCELLED,
    CANCELS,
    EXACT,
    SUBTREE,
    TAIL_OCTETS,
    Guarded,
    read_tail,
    survey,
    write_names,
)
from filterd.lists.source_text import SourceText

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from filterd.lists.catalogs.catalog_categories import CatalogCategory
    from filterd.lists.report import ListReport, Reason
    from filterd.lists.rules import Claim, ListSource, Pin
    from filterd.lists.sort_records import WrittenNames
    from filterd.lists.top_names import Popular


_MOST_POPULAR = 12
_ROLES = {Scope.EXACT: EXACT, Scope.SUBTREE: SUBTREE}
_PLAIN = (BLOCK_EXACT, BLOCK_SUBTREE)
"""The claims that ``domains`` and ``wildcard`` can express."""
Exclusions = Mapping[str, Collection[bytes]]
"""Keys of entries that are set aside, by the id of their list."""


class ReportedKeys(NamedTuple):
    """Keys of names that schools have reported as listed by mistake.

    Entries of third parties for those ``left_out`` are set aside; ``sought`` are all names
    whose remaining entries are looked for.
    """

    left_out: frozenset[bytes] = frozenset()
    sought: frozenset[bytes] = frozenset()


NOT_REPORTED = ReportedKeys()


class NamedBy(NamedTuple):
    """A third-party entry that closes exactly one name; ``line`` is 0 for a rule."""

    list: str
    line: int


class PublishedList(NamedTuple):
    """A list as it is published.

    ``entries`` counts the entries of ``text``; ``subtrees``: they are read as subtrees;
    ``made_of``: the public sources in it.
    """

    id: str
    title: str
    category: str
    format: str
    own: bool
    text: bytes
    entries: int
    subtrees: bool = False
    made_of: tuple[SourceShare, ...] = ()


@dataclass(slots=True)
class Normalised:
    """The result for one category.

    Attributes:
        lists: to publish.
        reports: on each list that was taken in; ``kept`` and so on count entries.
        names: how many distinct names are blocked.
        popular: the popular names that an entry closes, by their rank.
        wrongly_closed: names that must stay open, closed though the category does not mean them.
        single_hosts: ids of sources that name single hosts only, in a locked category.
        set_aside: entries of third parties that would have closed popular names.
        redundant: entries left out because another one covers them.
        canaries: names of the publisher's own lists, in the order of their lines.
        reported: entries of third parties that are left for each sought name.
    """

    lists: list[PublishedList] = field(default_factory=list)
    reports: list[ListReport] = field(default_factory=list)
    names: int = 0
    popular: dict[int, str] = field(default_factory=dict)
    wrongly_closed: set[str] = field(default_factory=set)
    single_hosts: list[str] = field(default_factory=list)
    set_aside: list[str] = field(default_factory=list)
    redundant: int = 0
    canaries: list[str] = field(default_factory=list)
    reported: dict[str, list[NamedBy]] = field(default_factory=dict)


def normalise(
    category: CatalogCategory,
    sources: Sequence[ListSource],
    *,
    pins: Iterable[Pin],
    protections: Iterable[Protection],
    popular: Popular,
    left_out: Exclusions | None = None,
    reported: ReportedKeys = NOT_REPORTED,
    dates: Mapping[str, str] | None = None,
) -> Normalised:
    """Make the lists of a category.

    Args:
        category: what they are about.
        sources: all of the category, own and others'; none where a list has no text.
        pins: names that nothing may block.
        protections: names that lists of third parties may not block.
        popular: names that a list of danger never means.
        left_out: entries of third parties that are set aside; with it those that wrongly close
            a popular name are, too, whatever the category: no person looks at the outcome.
        reported: names that are reported as listed by mistake.
        dates: by the id of a source, the day on which its text came, ISO 8601.

    Raises:
        ListError: a text cannot be read.
    """
    work = _Category(category, sources, popular, left_out, reported)
    work.take_in(pins, protections)
    return work.done(dates or {})


class _Intake(Intake):
    """Remembers which lines of which lists were refused."""

    def __init__(self, sources: Sequence[ListSource]) -> None:
        super().__init__(sources, None)
        self.refused_lines = set[tuple[int, int]]()

    def refuse(self, index: int, line: int, reason: Reason, text: str) -> None:
        self.refused_lines.add((index, line))
        super().refuse(index, line, reason, text)


@cache
def _schools() -> tuple[Protection, ...]:
    """Return protections of all names beneath the suffixes of education.

    Lists of scams have hosts of universities whose pages were broken into, and lists of games
    those of lectures: to close them costs a school more than to leave them open.
    """
    return tuple(Protection(suffix, reason="education") for suffix in education_suffixes())


class _Category:
    """One category on its way."""

    def __init__(
        self,
        category: CatalogCategory,
        sources: Sequence[ListSource],
        popular: Popular,
        left_out: Exclusions | None,
        reported: ReportedKeys,
    ) -> None:
        self._category, self._sources, self._popular = category, sources, popular
        self._is_unseen, self._sought = left_out is not None, reported.sought
        self._left_out = [
            reported.left_out.union((left_out or {}).get(source.id, ())) for source in sources
        ]
        self._intake = _Intake(sources)
        self._result = Normalised()
        self._whole = set[int]()
        self._closes, self._spared = defaultdict[int, dict[str, None]](dict), Counter[int]()

    def take_in(self, pins: Iterable[Pin], protections: Iterable[Protection]) -> None:
        intake = self._intake
        for _ in self._sources:
            intake.take()
        intake.records.sort()
        guarded = Guarded(intake.records, intake.claims, self._sources, intake.refuse_key)
        guarded.refuse_pinned(pins)
        guarded.set_aside_protected((*protections, *_schools()))

    def done(self, dates: Mapping[str, str]) -> Normalised:
        result, intake = self._result, self._intake
        own = bytes(self._sources[index].own for index, _ in intake.claims)
        seen = self._popular.keys.union(self._sought, *self._left_out)
        uses, picked = survey(intake.records, seen, own)
        self._whole = self._kept_whole(uses)
        self._set_aside(one for one in picked if one[:-TAIL_OCTETS] in seen)
        result.reports = intake.reports
        if self._category.locked:
            result.single_hosts = single_hosts(self._sources, intake.claims)
        result.canaries = self._canaries(picked)
        self._publish(self._shares(dates))
        return result

    def _shares(self, dates: Mapping[str, str]) -> dict[int, SourceShare]:
        """Return the part of each public source, by its place among the sources."""
        owners = {
            claim_id: index
            for claim_id, (index, claim) in enumerate(self._intake.claims)
            if claim.effect is Effect.BLOCK and not self._sources[index].own
        }
        taken, only = _counted(self._intake.records, owners)
        return {
            index: SourceShare(
                source.id,
                taken[index],
                only[index],
                self._intake.reports[index].set_aside + self._spared[index],
                tuple(self._closes[index])[:_MOST_POPULAR],
                dates.get(source.id, ""),
            )
            for index, source in enumerate(self._sources)
            if not source.own and taken[index]
        }

    def _set_aside(self, records: Iterable[bytes]) -> None:
        """Take out those records that would close a popular name, or are left out."""
        intake, aside = self._intake, set[bytes]()
        for record in records:
            claim_id, line = read_tail(record)
            index, claim = intake.claims[claim_id]
            if claim.effect is not Effect.BLOCK or line == CANCELS:
                continue
            key = record[:-TAIL_OCTETS]
            if not self._may_close(key, line, index, claim):
                aside.add(record)
            elif key in self._sought and not self._sources[index].own:
                still = self._result.reported.setdefault(text_from_key(key), [])
                still.append(NamedBy(self._sources[index].id, line))
        if aside:
            intake.records = [one for one in intake.records if one not in aside]

    def _may_close(self, key: bytes, line: int, index: int, claim: Claim) -> bool:
        """Note a popular name that an entry closes, or set the entry aside.

        A popular name is no phishing site: lists of danger that name one were made from
        addresses cut down to their hosts. An entry that only a whole text expresses
        cannot be set aside; then the build is held.
        """
        found = self._popular.closed_by(key, claim.scope)
        frozen = self._popular.frozen_closed_by(key, claim.scope)
        wrongly = self._popular.wrongly(frozen, self._category.id)
        is_left_out = key in self._left_out[index]
        if not (found or frozen or is_left_out):
            return True
        theirs = not self._sources[index].own and index not in self._whole
        unmeant = self._category.security or is_left_out or (self._is_unseen and wrongly)
        if unmeant and theirs:
            self._result.set_aside.append(claim.scope.written(text_from_key(key)))
            self._intake.refused_lines.add((index, line))
            self._spared[index] += 1
            return False
        self._closes[index].update(dict.fromkeys((*(one.name for one in found), *frozen)))
        self._result.popular.update((one.rank, one.name) for one in found)
        self._result.wrongly_closed.update(wrongly)
        return True

    def _kept_whole(self, uses: bytes) -> set[int]:
        """Return the lists that only their own text can express, by the uses of claims."""
        claims = list(zip(self._intake.claims, uses, strict=True))
        cancelling = {index for (index, _), use in claims if use & CANCELLED}
        conditioned = {index for (index, claim), use in claims if use and claim not in _PLAIN}
        lines_stand_alone = {
            index
            for index, source in enumerate(self._sources)
            if source.format == "adblock" and not source.own
        }
        return cancelling | (conditioned - lines_stand_alone)

    def _has_exceptions(self) -> bool:
        return any(
            claim.effect is Effect.EXCEPT or claim.denyallow for _, claim in self._intake.claims
        )

    def _roles(self, list_index: int | None = None) -> bytes:
        """Return the roles of all claims for one list, or for that of all third parties."""
        return bytes(
            (BLOCKS if claim.effect is Effect.BLOCK else 0)
            | (self._is_written(index, claim, list_index) and _ROLES[claim.scope])
            for index, claim in self._intake.claims
        )

    def _is_written(self, index: int, claim: Claim, list_index: int | None) -> bool:
        """Return whether a claim stands in that list.

        A list that is kept whole is its own text.
        """
        of_list = not self._sources[index].own if list_index is None else index == list_index
        return of_list and index not in self._whole and claim in _PLAIN

    def _publish(self, shares: Mapping[int, SourceShare]) -> None:
        lists, category, records = self._result.lists, self._category, self._intake.records
        # In a locked category what is beneath an entry stays: there a school may suspend the
        # entry for a while, and what is beneath it must not open with it.
        drops_covered = not category.locked and not self._has_exceptions()
        merged = write_names(records, self._roles(), drops_covered=drops_covered)
        self._result.names, self._result.redundant = merged.names, merged.redundant
        for index, source in enumerate(self._sources):
            kept_id = source.id if source.own else MERGED_PREFIX + source.id
            kept = (kept_id, source.title, category.id)
            made_of = tuple(share for at, share in shares.items() if at == index)
            if index in self._whole:
                text = b"".join(_encoded(line) for line in _lines(source))
                entries = self._entries_of(index)
                whole_text = PublishedList(*kept, source.format, source.own, text, entries)
                lists.append(whole_text._replace(subtrees=source.subtrees, made_of=made_of))
                continue
            if source.own:
                lists.append(_written(kept, write_names(records, self._roles(index)), own=True))
            elif left := list(self._conditioned_lines(index, source)):
                text = b"".join(map(_encoded, left))
                lines = PublishedList(*kept, source.format, False, text, len(left))
                lines = lines._replace(subtrees=source.subtrees)
                lists.append(lines if merged.entries else lines._replace(made_of=made_of))
        if merged.entries:
            title = f"{category.name_en} ({category.name_vi})"
            whose = (MERGED_PREFIX + category.id, title, category.id)
            others = tuple(share for at, share in shares.items() if at not in self._whole)
            lists.append(_written(whose, merged, own=False)._replace(made_of=others))

    def _canaries(self, records: Iterable[bytes]) -> list[str]:
        """Return the names of own lists, in the order of their lines."""
        found = list[tuple[int, int, bytes]]()
        for record in records:
            claim_id, line = read_tail(record)
            index, claim = self._intake.claims[claim_id]
            if self._sources[index].own and self._is_written(index, claim, index):
                found.append((index, line, record[:-TAIL_OCTETS]))
        return [text_from_key(key) for _, _, key in sorted(found)]

    def _entries_of(self, index: int) -> int:
        return sum(
            1
            for record in self._intake.records
            if self._intake.claims[read_tail(record)[0]][0] == index
        )

    def _conditioned_lines(self, index: int, source: ListSource) -> Iterator[str]:
        """Yield the lines of an Adblock list that plain lists cannot express.

        Plain lists are ``domains`` and ``wildcard``.
        """
        conditioned = (of for of, claim in self._intake.claims if claim not in _PLAIN)
        if source.format != "adblock" or index not in conditioned:
            return
        lines = list(_lines(source))
        wanted = set[int]()
        for item in FORMATS["adblock"](lines):
            if not isinstance(item, Problem) and item.claim not in (BLOCK_EXACT, BLOCK_SUBTREE):
                wanted.add(item.line)
        for number in sorted(wanted):
            if (index, number) not in self._intake.refused_lines:
                yield lines[number - 1]


def _counted(
    records: Iterable[bytes], owners: Mapping[int, int]
) -> tuple[Counter[int], Counter[int]]:
    """Return how many names each list has, and how many that no other has.

    Args:
        records: sorted.
        owners: by the ids of claims that count, their lists.
    """
    taken, only = Counter[int](), Counter[int]()
    of = {claim_id.to_bytes(4, "big"): index for claim_id, index in owners.items()}
    last, first, before, is_shared = b"", -1, -1, False
    for record in records:  # a million every night: no object is made for a name
        index = of.get(record[-8:-4], -1)
        if index < 0:
            continue
        key = record[:-TAIL_OCTETS]
        if key == last:
            taken[index] += index != before  # the records of a list stand together
            is_shared, before = is_shared or index != first, index
            continue
        if first >= 0 and not is_shared:
            only[first] += 1
        taken[index] += 1
        last, first, before, is_shared = key, index, index, False
    if first >= 0 and not is_shared:
        only[first] += 1
    return taken, only


def _written(whose: tuple[str, str, str], names: WrittenNames, *, own: bool) -> PublishedList:
    """Return a list of these names; ``whose`` are its id, title and category."""
    form = "wildcard" if names.has_exact else "domains"
    return PublishedList(*whose, form, own, names.text, names.entries)


def _lines(source: ListSource) -> Iterator[str]:
    return chain.from_iterable(SourceText(Path(source.path)).lines(lambda _octets: None))


def _encoded(line: str) -> bytes:
    return line.rstrip("\r").encode("utf-8", "surrogateescape") + b"\n"
