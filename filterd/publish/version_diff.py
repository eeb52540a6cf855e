# SPDX-License-Identifier: Apache-2.0
"""Compare two versions of the feed: changed names, and the affected grades.

The grades follow from each category's ``min_age`` and ``locked`` in the feed: a category
is closed to grades below its age. A school's own files are not known here.
"""

from __future__ import annotations

import heapq
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, NamedTuple

from filterd.base.value_class import frozen
from filterd.config.tiers import AGE_OF_GRADE
from filterd.lists.catalogs.catalog import load_catalog
from filterd.lists.hostname import text_from_key
from filterd.lists.intake import Intake
from filterd.lists.rules import Scope
from filterd.lists.top_names import Popular
from filterd.policy.model import GRADES
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from filterd.feed.signed.arrival import Progress
    from filterd.lists.catalogs.catalog import Catalog
    from filterd.lists.catalogs.catalog_categories import CatalogCategory

SAMPLES = 20
"""Names shown for each category, added and removed."""
TABLES = {
    "pins": "pins",
    "protect": "protections",
    "services": "services",
    "lookalikes": "lookalikes",
}
"""Files compared entry by entry, and the field of ``Catalog`` with their entries."""


@frozen
class CategoryChange:
    """The changes of one category.

    Attributes:
        id: of the category.
        closed_to: the grades that are kept from it, after; before, where it is gone.
        closed_before: the same before; empty where it is new.
        had: how many names it had.
        has: how many it has.
        added: how many of them are new.
        removed: how many are gone.
        added_names: the first of the new ones.
        removed_names: the first of those that are gone.
    """

    id: str
    closed_to: tuple[str, ...]
    closed_before: tuple[str, ...]
    had: int
    has: int
    added: int
    removed: int
    added_names: tuple[str, ...]
    removed_names: tuple[str, ...]


@frozen
class PopularChange:
    """A popular name, newly closed or opened to a grade.

    Attributes:
        rank: the most popular has 1.
        name: the name.
        closed: grades to which it is newly closed.
        opened: grades to which it is newly open.
        categories: the categories that close it after; before, if none does after.
    """

    rank: int
    name: str
    closed: tuple[str, ...]
    opened: tuple[str, ...]
    categories: tuple[str, ...]


@frozen
class Differences:
    """All changes.

    Attributes:
        categories: those that change, as they stand in the new version, then those gone.
        popular: by rank.
        tables: of ``TABLES`` what is added and removed, where something is.
    """

    categories: tuple[CategoryChange, ...]
    popular: tuple[PopularChange, ...]
    tables: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]

    def to_json(self) -> dict[str, Any]:
        """Return it as plain data for scripts."""
        return {
            "categories": [asdict(category) for category in self.categories],
            "popular": [asdict(one) for one in self.popular],
            "tables": {
                table: {"added": list(added), "removed": list(removed)}
                for table, (added, removed) in self.tables.items()
            },
        }


class _Side(NamedTuple):
    """One of the two versions."""

    catalog: Catalog
    categories: dict[str, CatalogCategory]

    def closed_to(self, category: str) -> tuple[str, ...]:
        one = self.categories.get(category)
        return () if one is None else closed_to(one)


def differences(
    old: Path, new: Path, popular: Popular | None = None, *, progress: Progress | None = None
) -> Differences:
    """Compare two versions.

    Args:
        old: a ``blocklists/`` folder.
        new: another.
        popular: popular names; without them none are reported.
        progress: called with the number of finished categories, and their total.

    Raises:
        ConfigErrors: a folder is none of these.
        ListError: a list cannot be read.
    """
    before, after = _side(old), _side(new)
    ids = list(dict.fromkeys((*after.categories, *before.categories)))
    popular = popular or Popular()
    ranks = dict[int, set[str]](), dict[int, set[str]]()
    changes = list[CategoryChange]()
    for done, category in enumerate(ids, 1):
        # One category at a time: all names of two versions would be a gigabyte.
        had, has = _names(before, category), _names(after, category)
        for closing, entries in zip(ranks, (had, has), strict=True):
            for rank in _popular(entries, popular):
                closing.setdefault(rank, set()).add(category)
        if change := _changed(category, before, after, had, has):
            changes.append(change)
        if progress is not None:
            progress(done, len(ids))
    return Differences(
        tuple(changes),
        tuple(_popular_changes(popular, before, after, *ranks)),
        _tables(before, after),
    )


def closed_to(category: CatalogCategory) -> tuple[str, ...]:
    """Return the grades that a category is closed to, in the order of ``GRADES``."""
    if category.locked:
        return GRADES
    least = category.min_age or 0
    return tuple(grade for grade in GRADES if AGE_OF_GRADE[grade] < least)


def _side(folder: Path) -> _Side:
    catalog = load_catalog(folder)
    return _Side(catalog, {category.id: category for category in catalog.categories})


def _names(side: _Side, category: str) -> set[bytes]:
    """Return the blocking entries of a category.

    Each is the key and, in one octet, the scope. Services are left out: they are compared as
    tables.
    """
    lists = (*side.catalog.lists, *side.catalog.orders)
    sources = [one for one in lists if one.category == category]
    intake = Intake(sources, None)
    for _ in sources:
        intake.take()
    return {key + bytes((claim.scope,)) for key, _, _, claim in intake.blocks()}


def _written(entries: Iterable[bytes]) -> tuple[str, ...]:
    """Return the first of some entries as people are shown them."""
    first = heapq.nsmallest(SAMPLES, entries)
    return tuple(Scope(one[-1]).written(text_from_key(one[:-1])) for one in first)


def _popular(entries: Iterable[bytes], popular: Popular) -> Iterable[int]:
    if not popular.names:
        return
    for entry in entries:
        for ranked in popular.closed_by(entry[:-1], Scope(entry[-1])):
            yield ranked.rank


def _changed(
    category: str, before: _Side, after: _Side, had: set[bytes], has: set[bytes]
) -> CategoryChange | None:
    added, removed = has - had, had - has
    closed, was_closed = after.closed_to(category), before.closed_to(category)
    if category not in after.categories:
        closed = was_closed
    if not (added or removed) and closed == was_closed:
        return None
    return CategoryChange(
        category,
        closed,
        was_closed,
        len(had),
        len(has),
        len(added),
        len(removed),
        _written(added),
        _written(removed),
    )


def _popular_changes(
    popular: Popular,
    before: _Side,
    after: _Side,
    old: Mapping[int, set[str]],
    new: Mapping[int, set[str]],
) -> Iterable[PopularChange]:
    for rank in sorted(old.keys() | new.keys()):
        was, now = old.get(rank, set()), new.get(rank, set())
        kept = {grade for one in was for grade in before.closed_to(one)}
        keeps = {grade for one in now for grade in after.closed_to(one)}
        if kept != keeps:
            yield PopularChange(
                rank,
                popular.names[rank - 1],
                tuple(one for one in GRADES if one in keeps - kept),
                tuple(one for one in GRADES if one in kept - keeps),
                tuple(sorted(now or was)),
            )


def _tables(before: _Side, after: _Side) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    found = dict[str, tuple[tuple[str, ...], tuple[str, ...]]]()
    for table in TABLES:
        old, new = _members(before, table), _members(after, table)
        if old != new:
            found[table] = tuple(sorted(new - old)), tuple(sorted(old - new))
    return found


def _members(side: _Side, table: str) -> set[str]:
    if TABLES[table] == "services":
        services = side.catalog.services
        return {
            f"{service.id}: {names.to_text(name)}" for service in services for name in service.names
        }
    if TABLES[table] == "lookalikes":
        lists = side.catalog.lookalikes
        return {f"{one.category}: {rule.written}" for one in lists for rule in one.lookalikes}
    return {names.to_text(one.name) for one in getattr(side.catalog, TABLES[table])}
