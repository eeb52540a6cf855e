# SPDX-License-Identifier: Apache-2.0
"""Intake: lists to records, claims, and a report on every rejected line.

Of a list with a million lines nearly all are a plain name in the one shape that
is usual for the format. Those become records batch by batch without a parser, in native
code or in Python. The parser would make the same entry of every such line: one that could
be anything else, or is not in the form of keys, is left to it.

For all other lines the format's parser yields entries; here their names become keys, names
that no list may have are refused, and each distinct claim gets an id. Nothing is compared
with other lists yet.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from functools import cache, lru_cache
from itertools import chain
from pathlib import Path
from typing import IO, TYPE_CHECKING

from filterd.base.errors import ListError
from filterd.base.native import live_only
from filterd.lists.formats import FORMATS, PLAIN_LINES, Cancelled, Entry, Problem
from filterd.lists.formats.parsed import BLOCK_SUBTREE
from filterd.lists.hostname import (
    MAX_TEXT,
    HostnameError,
    key_from_name,
    key_from_text,
    text_from_key,
)
from filterd.lists.public_suffix import is_public_suffix, public_suffix_test, suffix_rules
from filterd.lists.report import ListReport, Reason, shown, shown_path
from filterd.lists.rules import Claim, Effect, ListSource, Scope
from filterd.lists.sort_records import CANCELS, TAIL_OCTETS, read_tail, record_tail
from filterd.lists.source_text import SourceText
from filterd.texts.i18n import say
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from filterd.lists.formats import Parsed, PlainLine
    from filterd.lists.lookalikes import LookalikeRule


_PLAIN_NAME = r"((?:[a-z0-9_-]{1,63}\.)+[a-z0-9_-]{0,62}[a-z_-])"
"""A name in the form of keys. One that ends in a digit may be an address."""


def plainly_skim(
    lines: list[str],
    shape: PlainLine,
    first: int,
    claim: int,
    special: tuple[frozenset[bytes], frozenset[bytes]],
    records: list[bytes],
) -> None:
    """Take the plain names out of a batch of lines.

    Args:
        lines: a line that is taken becomes empty.
        shape: the format's shape of a plain name.
        first: the number of the first of them in the list.
        claim: the id of what the shape claims.
        special: keys that are for the parser, and keys of which every child is.
        records: gets one more for each line that is taken; see ``filterd.lists.sort_records``.
    """
    fits, longest = _fits(shape.before, shape.after), MAX_TEXT + shape.octets
    alone, above = special
    for position, line in enumerate(lines):
        # An A-label is decoded before it is accepted.
        if len(line) > longest or "xn--" in line or not (match := fits(line)):
            continue
        key = "\0".join([*reversed(match[1].split(".")), ""]).encode("ascii")
        if key not in alone and key[: key.rfind(b"\0", 0, -1) + 1] not in above:
            records.append(key + record_tail(claim, first + position))
            lines[position] = ""


@cache
def _fits(before: str, after: str) -> Callable[[str], re.Match[str] | None]:
    return re.compile(re.escape(before) + _PLAIN_NAME + re.escape(after)).fullmatch


skim = getattr(live_only("filterd.lists._matcher"), "skim", plainly_skim)
"""``plainly_skim``, or the native code that takes the same lines."""


MAX_CONDITIONS = 10_000
"""Conditions of all distinct claims of one list together: query types, excepted names.

Claims stand in the contents of the index, which opening reads whole. Published
lists have dozens; a hostile one could bring another claim with every line.
"""

_MARKER = Claim(Scope.EXACT, Effect.MARKER)
_REFUSALS = frozenset((Reason.EVERYTHING, Reason.SINGLE_LABEL, Reason.PUBLIC_SUFFIX, Reason.PINNED))
"""Reasons about the name itself, not about its notation."""


class Intake:
    """The intake of all lists of one index, one after the other.

    Attributes:
        records: one for each entry, cancellation and marker, unsorted.
        claims: for each claim id, the index of the list and the claim.
        reports: of each list, in the order of ``sources``.
        digests: SHA-256 of the text of each list, hex.
        families: look-alike rules, each with the id of its claim.

    Args:
        sources: the lists.
        problems: an open text file for a line about every rejected line.
    """

    def __init__(self, sources: Sequence[ListSource], problems: IO[str] | None) -> None:
        self.sources, self._problems = sources, problems
        self.records: list[bytes] = []
        self.claims: list[tuple[int, Claim]] = []
        self.reports = [ListReport(s.id, s.category, s.format, s.path) for s in sources]
        self.digests: list[str] = []
        self.families: list[tuple[int, LookalikeRule]] = []

    def blocks(self) -> Iterator[tuple[bytes, int, int, Claim]]:
        """Yield key, line, list and claim of every blocking entry.

        The entries come in the order of ``records``.
        """
        for record in self.records:
            claim_id, line = read_tail(record)
            index, claim = self.claims[claim_id]
            if claim.effect is Effect.BLOCK and line != CANCELS:
                yield record[:-TAIL_OCTETS], line, index, claim

    def take(self, progress: Callable[[int], None] = lambda _octets: None) -> None:
        """Take in the next list.

        Args:
            progress: called now and then with the octets of its file read so far.

        Raises:
            ListError: its file cannot be read, or its format is unknown.
        """
        source = self.sources[len(self.digests)]
        if source.names is not None:
            self._take_names(source.names, source.lookalikes)
            return
        parse = FORMATS.get(source.format)
        if parse is None:
            known = ", ".join(FORMATS)
            raise ListError(
                say(
                    "{path}: format {format} is unknown; known: {known}",
                    path=source.path,
                    format=repr(source.format),
                    known=known,
                )
            )
        text = SourceText(Path(source.path))
        claim_ids = _ClaimIds(self.claims, len(self.digests))
        shapes = PLAIN_LINES.get(source.format, ())
        if source.subtrees:
            shapes = tuple(shape._replace(claim=_with_subtree(shape.claim)) for shape in shapes)
        lines = self._skimmed(text.lines(progress), shapes, claim_ids)
        entries = parse(chain.from_iterable(lines))
        self._take_entries(_with_subtrees(entries) if source.subtrees else entries, claim_ids)
        self.reports[len(self.digests)].lines = text.line_count
        self.digests.append(text.digest)

    def _take_names(
        self, placed: Sequence[tuple[int, bytes]], rules: Sequence[LookalikeRule]
    ) -> None:
        """Take in a list without a text of its own, and perhaps look-alike families."""
        entries = [Entry(line, names.to_text(name), BLOCK_SUBTREE) for line, name in placed]
        self._take_entries(entries, _ClaimIds(self.claims, len(self.digests)))
        self.reports[len(self.digests)].lines = len(entries) + len(rules)
        if rules:
            self.claims.append((len(self.digests), BLOCK_SUBTREE))
            self.families += ((len(self.claims) - 1, rule) for rule in rules)
        text = "".join(f"{entry.name}\n" for entry in entries)
        text += "".join(f"{rule.written} {rule.digits}\n" for rule in rules)
        text += "\n".join(sorted(one.hex() for one in set().union(*(r.suffixes for r in rules))))
        self.digests.append(hashlib.sha256(text.encode()).hexdigest())

    def _skimmed(
        self, batches: Iterable[list[str]], shapes: Sequence[PlainLine], claim_ids: _ClaimIds
    ) -> Iterator[list[str]]:
        """Make records of plain lines; pass all others, each at its place, to the parser."""
        specials = [_special(shape) for shape in shapes]
        first = 1
        for lines in batches:
            for shape, special in zip(shapes, specials, strict=True):
                had = len(self.records)
                skim(lines, shape, first, claim_ids.next(shape.claim), special, self.records)
                if len(self.records) > had:
                    claim_ids.of(shape.claim)
            first += len(lines)
            yield lines

    def _take_entries(self, entries: Iterable[Parsed], claim_ids: _ClaimIds) -> None:
        """Make records of a parser's results."""
        index = len(self.digests)
        exceptions, cancelled = list[tuple[bytes, Entry]](), set[tuple[bytes, int]]()
        append, is_public, id_of = self.records.append, public_suffix_test(), claim_ids.of
        for entry in entries:
            if isinstance(entry, Problem):
                self.refuse(index, entry.line, entry.reason, entry.text)
                continue
            line, name, claim = entry
            try:
                key = key_from_text(name)
            except HostnameError as error:
                self.refuse(index, line, error.reason, name)
                continue
            if is_public(key):
                self.refuse(index, line, Reason.PUBLIC_SUFFIX, name)
                continue
            claim_id = id_of(claim)
            if claim_id is None:
                self.refuse(index, line, Reason.TOO_MANY_CONDITIONS, name)
                continue
            if isinstance(entry, Cancelled):
                cancelled.add((key, claim_id))
                line = CANCELS
            elif claim_id in claim_ids.excepting:
                exceptions.append((key, entry))
            append(key + record_tail(claim_id, line))
        self._mark(exceptions, cancelled, claim_ids)

    def refuse(self, index: int, line: int, reason: Reason, text: str) -> None:
        """Count, quote and record a rejected line or entry."""
        report = self.reports[index]
        if reason is Reason.PROTECTED:
            report.set_aside += 1
        else:
            counts = report.refused if reason in _REFUSALS else report.problems
            counts[str(reason)] = counts.get(str(reason), 0) + 1
        harmless = shown(text)
        report.add_sample(line, str(reason), harmless)
        if self._problems:
            self._problems.write(f"{shown_path(report.path)}:{line}\t{reason}\t{harmless}\n")

    def refuse_key(self, index: int, line: int, reason: Reason, key: bytes) -> None:
        """Reject an entry of which only the key is left, as ``refuse`` does."""
        self.refuse(index, line, reason, text_from_key(key))

    def _mark(
        self,
        exceptions: Sequence[tuple[bytes, Entry]],
        cancelled: set[tuple[bytes, int]],
        claim_ids: _ClaimIds,
    ) -> None:
        """Add markers above exceptions, so that no block there denies them (RFC 8020)."""
        for key, entry in exceptions:
            if (key, claim_ids.of(entry.claim)) in cancelled:
                continue
            excepted = [key] if entry.claim.effect is Effect.EXCEPT else []
            denied = map(key_from_name, entry.claim.denyallow)
            excepted += [name for name in denied if name and name.startswith(key)]
            tail = record_tail(claim_ids.of(_MARKER), entry.line)
            self.records += [above + tail for name in excepted for above in _ancestors(name)]


def count_entries(text: SourceText, list_format: str) -> tuple[int, int]:
    """Return how many entries and how many unusable lines a text of a format has.

    Raises:
        ListError: it cannot be read.
    """
    shapes, records = PLAIN_LINES.get(list_format, ()), list[bytes]()
    entries = problems = 0

    def unusual() -> Iterator[str]:
        nonlocal entries
        for lines in text.lines(lambda _octets: None):
            for shape in shapes:
                skim(lines, shape, 1, 0, _special(shape), records)
            entries += len(records)
            records.clear()
            yield from lines

    for item in FORMATS[list_format](unusual()):
        if isinstance(item, Problem) or not _is_name(item.name):
            problems += 1
        elif isinstance(item, Entry):
            entries += 1
    return entries, problems


def _is_name(text: str) -> bool:
    try:
        key_from_text(text)
    except HostnameError:
        return False
    return True


class _ClaimIds:
    """Ids of the claims of one list.

    Parsers intern their claims, so the identity of the object finds most ids: a
    dataclass hashes all its fields again for every entry. ``excepting`` are the
    ids of claims that leave names alone.
    """

    def __init__(self, claims: list[tuple[int, Claim]], index: int) -> None:
        self._claims, self._index = claims, index
        self._by_value: dict[Claim, int] = {}
        self._by_identity: dict[int, int] = {}
        self._conditions = 0
        self.excepting = set[int]()

    def of(self, claim: Claim) -> int | None:
        """Return the id of a claim, a new id for a new claim.

        None if that would be one condition too many; a claim without any is always taken.
        """
        known = self._by_identity.get(id(claim))
        if known is None:
            known = self._by_value.get(claim)
        if known is None and self._is_bearable(claim):
            known = self._by_value[claim] = len(self._claims)
            self._claims.append((self._index, claim))
            if claim.effect is Effect.EXCEPT or claim.denyallow:
                self.excepting.add(known)
            # Safe only for an object that is kept: else another may take its place in memory.
            self._by_identity[id(claim)] = known
        return known

    def next(self, claim: Claim) -> int:
        """Return the id of a claim, or the one that it would get now."""
        return self._by_value.get(claim, len(self._claims))

    def _is_bearable(self, claim: Claim) -> bool:
        """Return whether one more such claim is allowed, and count its conditions."""
        conditions = len(claim.denyallow)
        if claim.types is not None:
            conditions += max(len(claim.types), 1)
        if self._conditions + conditions > MAX_CONDITIONS:
            return False
        self._conditions += conditions
        return True


def _with_subtrees(entries: Iterable[Parsed]) -> Iterator[Parsed]:
    """Yield a parser's results, with blocks of one host as blocks of its subtree."""
    for entry in entries:
        yield (
            entry
            if isinstance(entry, Problem)
            else entry._replace(claim=_with_subtree(entry.claim))
        )


@lru_cache(maxsize=64)  # most lists have one or two; claims are interned
def _with_subtree(claim: Claim) -> Claim:
    if claim.effect is Effect.BLOCK and claim.scope is Scope.EXACT:
        return replace(claim, scope=Scope.SUBTREE)
    return claim


@cache
def _special(shape: PlainLine) -> tuple[frozenset[bytes], frozenset[bytes]]:
    """Return keys that the line scan must leave to the parser, and suffixes of such."""
    rules = suffix_rules()
    names = (one for one in shape.unless if "." in one and not one[-1].isdigit())
    unless = {key_from_text(name) for name in names}
    return rules.public | unless, rules.wildcards


def _ancestors(key: bytes) -> list[bytes]:
    """Return the keys of the proper ancestors on which a list may hold a block."""
    found = []
    end = key.find(b"\0", key.find(b"\0") + 1) + 1
    while 0 < end < len(key):
        if not is_public_suffix(key[:end]):
            found.append(key[:end])
        end = key.find(b"\0", end) + 1
    return found
