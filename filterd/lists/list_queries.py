# SPDX-License-Identifier: Apache-2.0
"""Query the compiled lists: an overview, and the entries that name a name.

The rows that show the answers are here too.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from filterd.lists.category_coverage import coverage
from filterd.lists.report import Reason
from filterd.lists.rules import SERVICE_PREFIX, Effect, NamingEntry, Scope
from filterd.texts import words
from filterd.texts.counted import number
from filterd.texts.i18n import UNSAID, say, say_n
from filterd.texts.rows import Column, Listing, Row, Wording
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from filterd.lists.index import Index, ListRecord
    from filterd.lists.report import CompileReport, ListReport
    from filterd.lists.rules import Claim, ListSource


def overview(index: Index) -> dict[str, Any]:
    """Return an index's build facts, coverage by category, and report by list."""
    return {
        "build": index.build,
        "octets": index.size_octets,
        "coverage": [one.to_plain() for one in coverage(index.lists, index.build)],
        "single_hosts": single_hosts(index.lists, index.claims),
        **index.report.to_plain(),
    }


def single_hosts(
    lists: Sequence[ListRecord] | Sequence[ListSource], claims: Iterable[tuple[int, Claim]]
) -> list[str]:
    """Return the ids of third-party lists that block single hosts only.

    Such a list leaves the names beneath open.

    Args:
        lists: all.
        claims: what they claim, each with the index of its list.
    """
    scopes = dict[int, set[Scope]]()
    for index, claim in claims:
        if claim.effect is Effect.BLOCK and not lists[index].own:
            scopes.setdefault(index, set()).add(claim.scope)
    return [lists[index].id for index, found in sorted(scopes.items()) if found == {Scope.EXACT}]


def entries_of(index: Index, qname: bytes) -> list[dict[str, Any]]:
    """Return the entries for ``qname`` or an ancestor, each with its list and line.

    Args:
        index: the compiled lists.
        qname: a canonical wire name.
    """
    found = []
    for hit in index.lookup(qname):
        rule = index.lookalike(hit.rank)
        name = names.to_text(list(names.suffixes(qname))[-hit.labels])
        for claim_id, line in index.entries(hit.rank):
            list_index, claim = index.claims[claim_id]
            if claim.effect is Effect.MARKER:
                continue
            source = index.lists[list_index]
            found.append(
                {
                    "name": name,
                    "entry": rule.written if rule else claim.scope.written(name),
                    "effect": claim.effect.name,
                    "list": source.id,
                    "category": source.category,
                    "line": line,
                }
            )
    return found


VERSION_DIGITS = 12
"""Hexadecimal digits of a SHA-256 that people use to distinguish versions."""


def naming_entries(index: Index, name: bytes) -> Iterator[NamingEntry]:
    """Yield the third-party entries that close exactly this name.

    Args:
        index: the compiled lists.
        name: lower-case uncompressed wire form.

    Raises:
        BadLabelError: ``name`` is no wire name.
        IndexFormatError: the file is damaged where it had to be read.
    """
    labels = names.count_labels(name)
    for hit in index.lookup(name):
        for claim_id, line in index.entries(hit.rank) if hit.labels == labels else ():
            list_index, claim = index.claims[claim_id]
            source = index.lists[list_index]
            if not source.own and claim.effect is Effect.BLOCK:
                rule = index.lookalike(hit.rank)
                written = rule.written if rule else claim.scope.written(names.to_text(name))
                version = source.digest[:VERSION_DIGITS]
                yield NamingEntry(source.id, source.category, written, line, version)


def content_version(index: Index) -> str:
    """Return the version of the compiled lists: digits that identify their content."""
    return index.digest.hex()[:VERSION_DIGITS]


_SHOWN_IF_ANY = ("duplicate", "redundant", "not_taken")


def report_listing(report: CompileReport) -> tuple[Listing, list[Row]]:
    """Return what became of each list, without columns of zeros.

    Services are lists too, but many and small: they are one row.
    """
    counts = [(one, _counts(one)) for one in report.lists]
    rows: list[dict[str, Any]] = [
        {"list": one.id, "category": one.category, **count}
        for one, count in counts
        if not one.id.startswith(SERVICE_PREFIX)
    ]
    if services := [count for one, count in counts if one.id.startswith(SERVICE_PREFIX)]:
        together = sum(services, Counter[str]())
        n = say_n("({n} service)", "({n} services)", len(services))
        rows.append({"list": n, "category": "", **{key: together[key] for key in services[0]}})
    keys = ["kept", *(key for key in _SHOWN_IF_ANY if any(row[key] for row in rows))]
    numbers = (Column(words.LIST_COUNT[key], key, _number, is_number=True) for key in keys)
    columns = (Column(say("List"), "list"), Column(say("Category"), "category"), *numbers)
    return Listing(say("Compiled lists"), UNSAID, columns, is_whole=False), list[Row](rows)


def _counts(report: ListReport) -> Counter[str]:
    return Counter(
        kept=report.kept,
        duplicate=report.duplicate,
        redundant=report.redundant,
        not_taken=report.cancelled
        + report.set_aside
        + sum((report.refused | report.problems).values()),
    )


def not_taken_rows(report: CompileReport) -> list[Row]:
    """Return how many entries of all lists were not taken, by reason, the most first."""
    reasons = Counter[str]()
    for one in report.lists:
        for some in (one.refused, one.problems):
            reasons.update(some)
        reasons[Reason.PROTECTED] += one.set_aside
        reasons["cancelled"] += one.cancelled
    most_first = sorted((+reasons).items(), key=lambda item: (-item[1], item[0]))
    return [{"n": n, "reason": reason} for reason, n in most_first]


def _number(n: int, _: Wording) -> str:
    return number(n)


def _place(row: Row, wording: Wording) -> str:
    return wording.texts("{list}, line {line}", list=row["list"], line=row["line"])


ENTRIES = Listing(
    UNSAID,
    say("{name} is on no list"),
    (
        Column(say("Entry"), "entry"),
        Column(say("Effect"), "effect", words.EFFECT),
        Column(say("List"), worded=_place),
        Column(say("Category"), "category"),
    ),
    is_whole=False,
)
NOT_TAKEN = Listing(
    say("Rejected because the entry or line"),
    UNSAID,
    (
        Column(UNSAID, "n", _number, is_number=True),
        Column(UNSAID, "reason", words.NOT_TAKEN),
    ),
)
