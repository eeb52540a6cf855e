# SPDX-License-Identifier: Apache-2.0
"""Queries to the compiled lists: an overview, and the entries that name a name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from filterd import words
from filterd.i18n import UNSAID, say
from filterd.lists.rules import Effect, Scope
from filterd.rows import Column, Listing, Row, Wording
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from filterd.lists.index import Index
    from filterd.lists.index_contents import ListRecord
    from filterd.lists.rules import Claim, ListSource


def overview(index: Index) -> dict[str, Any]:
    """Return the build facts of the index, and the report of each list."""
    return {
        "build": index.build,
        "octets": index.size_octets,
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


class NamingEntry(NamedTuple):
    """An entry of a third-party list that closes a name.

    ``entry`` is in list notation, ``line`` is its line; ``version`` identifies the text of
    the list.
    """

    list: str
    category: str
    entry: str
    line: int
    version: str


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


def version_of(index: Index) -> str:
    """Return the version of the compiled lists: digits that identify their content."""
    return index.digest.hex()[:VERSION_DIGITS]


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
