# SPDX-License-Identifier: Apache-2.0
"""What lists of third parties say of exactly one name: what may be a mistake, and be reported."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from filterd.lists.rules import Effect
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filterd.lists.index import Index

VERSION_DIGITS = 12
"""Hexadecimal digits of a SHA-256 by which people tell versions apart."""


class NamingEntry(NamedTuple):
    """An entry of a list of a third party that closes a name.

    ``entry`` is written as lists write it, ``line`` where it stands; ``version``
    names the text of the list.
    """

    list: str
    category: str
    entry: str
    line: int
    version: str


def naming_entries(index: Index, name: bytes) -> Iterator[NamingEntry]:
    """Yield the entries of third parties that give exactly this name, and close it.

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
    """Return what people call the compiled lists: digits that name their content."""
    return index.digest.hex()[:VERSION_DIGITS]
