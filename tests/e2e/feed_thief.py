# SPDX-License-Identifier: Apache-2.0
"""A thief of a feed's online keys, who changes a version at random and keeps it well formed.

The keys sign every table and every list of a version, but for what is ordered. ``harm`` says what a
school would lose by such a version; it compares what the files say and asks every grade, by nothing
of the guard.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

from filterd.base.paths import shipped
from filterd.lists.catalogs.catalog import load_catalog
from filterd.lists.catalogs.catalog_tables import load_popular_names, read_canaries
from filterd.lists.index import Index
from filterd.lists.rules import MADE_CANARY, is_order
from filterd.policy import policy_file
from filterd.policy.model import Client
from filterd.resolve.site import Site
from filterd.wire import RRType
from filterd.wire import name as names
from tests.support.policies import NOW
from tests.support.yaml_files import change_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from filterd.lists.catalogs.catalog import Catalog

    Canaries = dict[str, tuple[bytes, ...]]
_GROUPS = {
    "categories.yaml": "categories",
    "services.yaml": "services",
    "pins.yaml": "pins",
    "protect.yaml": "protections",
    "catalog.yaml": "lists",
    "canaries.yaml": "canaries",
    "contacts.yaml": "contacts",
    "holidays.yaml": "holidays",
    "safe_search.yaml": "engines",
}
"""The tables of a version, each with its list of entries."""


class Thief:
    """Makes changes, the same ones for the same seed.

    Attributes:
        told: what was changed, for people.
    """

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._known = load_catalog(shipped("blocklists"))
        self.told = list[str]()

    def change(self, folder: Path) -> None:
        """Make one to three changes of a version."""
        for _ in range(self._random.randint(1, 3)):
            kind = self._random.choice((self._field, self._field, self._entries, self._names))
            kind(folder)

    def _field(self, folder: Path) -> None:
        """Give a key of an entry another value, or take it out."""
        table, group = self._random.choice(sorted(_GROUPS.items()))

        def change(data: Any) -> None:
            entry = self._random.choice(data[group])
            key, value = self._random.choice(list(self._values(table)))
            self._tell(f"{table}: {entry.get('id') or entry.get('name')}: {key} = {value}")
            if value is None:
                entry.pop(key, None)
            else:
                entry[key] = value

        change_yaml(folder / table, change)

    def _values(self, table: str) -> Iterator[tuple[str, Any]]:
        """Yield keys of a table with values that they may have; None for none."""
        category = self._random.choice([one.id for one in self._known.categories])
        yes_or_no = self._random.choice((True, False))
        age = self._random.choice((None, *range(0, 19, 3)))
        if table == "categories.yaml":
            yield "locked", self._random.choice((None, True, "ordered"))
            yield from (("min_age", age), ("confidential", None), ("confidential", True))
            yield from (("security", yes_or_no), ("sinkhole", yes_or_no))
        elif table == "services.yaml":
            yield from (("group", category), ("min_age", age), ("names", [self._name()]))
        elif table in {"pins.yaml", "protect.yaml"}:
            reason = self._random.choice(("feed", "exam", "help", "time"))
            yield from (("subtree", yes_or_no), ("name", self._name()), ("reason", reason))
            if table == "protect.yaml":
                yield "except_categories", [category]
        elif table == "catalog.yaml":
            yield from (("category", category), ("own", yes_or_no), ("subtrees", yes_or_no))
            yield "format", self._random.choice(("domains", "wildcard", "adblock"))
        elif table == "canaries.yaml":
            yield from (("category", category), ("names", [self._name()]))
        elif table == "contacts.yaml":
            yield from (("phone", "0900 000"), ("name", "Another"), ("web", "https://x.example/"))
        elif table == "holidays.yaml":
            yield from (("first", "2026-02-01"), ("last", "2030-12-31"))
        else:
            yield from (("target", self._name()), ("names", [self._name()]))

    def _entries(self, folder: Path) -> None:
        """Take entries out of a table, or put copies of one into it."""
        table, group = self._random.choice(sorted(_GROUPS.items()))

        def change(data: Any) -> None:
            entries = data[group]
            count = self._random.choice((1, 1, 2, 5, len(entries)))
            if self._random.random() < 0.6:
                self._tell(f"{table}: {count} entries less")
                for _ in range(min(count, len(entries))):
                    entries.pop(self._random.randrange(len(entries)))
                return
            self._tell(f"{table}: {count} entries more")
            for number in range(min(count, 5)):
                entry = dict(self._random.choice(entries))
                name = "id" if "id" in entry else "name"
                entry[name] = f"more-{number}" if name == "id" else self._name()
                entries.append(entry)

        change_yaml(folder / table, change)

    def _names(self, folder: Path) -> None:
        """Put names into a list, or take some out."""
        lists = sorted((*folder.glob("starter/*.txt"), *folder.glob("lists/*.txt")))
        path = self._random.choice(lists)
        lines = path.read_text(encoding="utf-8").splitlines()
        if self._random.random() < 0.7:
            more = [self._name() for _ in range(self._random.choice((1, 3, 30)))]
            self._tell(f"{path.name}: {more[:3]} more")
            lines += more
        else:
            count = self._random.choice((1, 5, len(lines) // 2))
            self._tell(f"{path.name}: {count} lines less")
            for _ in range(min(count, len(lines))):
                lines.pop(self._random.randrange(len(lines)))
        path.write_text("".join(f"{line}\n" for line in dict.fromkeys(lines)), encoding="utf-8")

    def _name(self) -> str:
        """Return a name that a thief may want to close or to open."""
        known = self._known
        essential = self._random.choice(
            [*(names.to_text(pin.name) for pin in known.pins), *self._protected()]
        )
        return self._random.choice(
            (
                essential,
                f"accounts.{essential}",
                "google.com",
                "wikipedia.org",
                f"unheard-of-{self._random.randrange(1_000)}.example",
                f"www.porn{self._random.randrange(1_000)}.example",
            )
        )

    def _protected(self) -> Iterator[str]:
        return (names.to_text(protection.name) for protection in self._known.protections)

    def _tell(self, what: str) -> None:
        self.told.append(what)


def harm(before: Path, after: Path, index: Path, policy: Path) -> list[str]:
    """Return what a school would lose by a version, in words; nothing is as it should be.

    Args:
        before: the folder of the version in force.
        after: that of the version, whose files can be loaded.
        index: its lists, compiled.
        policy: the school's policy by it.
    """
    old, new = load_catalog(before), load_catalog(after)
    return [
        *_lost_guards(old, new),
        *_weaker_categories(old, new),
        *_forgotten(read_canaries(before), read_canaries(after)),
        *_orders_of_nobody(new, Index.open(index)),
        *_closed(old, index, policy),
    ]


def _forgotten(old: Canaries, new: Canaries) -> Iterator[str]:
    for category, asked in old.items():
        for name in map(names.to_text, {*asked}.difference(new.get(category, ()))):
            if name.endswith(MADE_CANARY):
                yield f"{name} is asked for no more"


def _lost_guards(old: Catalog, new: Catalog) -> Iterator[str]:
    pins = {(one.name, one.subtree) for one in new.pins}
    help_lines = {one.name for one in new.pins if one.reason == "help"}
    for pin in old.pins:
        if not {(pin.name, pin.subtree), (pin.name, True)} & pins:
            yield f"{names.to_text(pin.name)} is pinned no more"
        if pin.reason == "help" and pin.name not in help_lines:
            yield f"{names.to_text(pin.name)} would be shown in the log"
    kept = {protection.name: protection for protection in new.protections}
    for protection in old.protections:
        now = kept.get(protection.name)
        if now is None or (protection.subtree and not now.subtree):
            yield f"{names.to_text(protection.name)} is protected no more"
        elif not now.except_categories <= protection.except_categories:
            yield f"{names.to_text(protection.name)} is protected from less"


def _weaker_categories(old: Catalog, new: Catalog) -> Iterator[str]:
    kept = {category.id: category for category in new.categories}
    for category in old.categories:
        now = kept.get(category.id)
        if now is None:
            yield f"{category.id} is gone"
            continue
        for field in ("locked", "ordered", "confidential", "security"):
            if getattr(category, field) and not getattr(now, field):
                yield f"{category.id} is {field} no more"
        if not now.locked and (now.min_age or 0) < (category.min_age or 0):
            yield f"{category.id} opens to the young"


def _orders_of_nobody(new: Catalog, index: Index) -> Iterator[str]:
    ordered = {category.id for category in new.categories if category.ordered}
    filled = {number for number, _ in index.claims}
    for number, one in enumerate(index.lists):
        if number in filled and one.category in ordered and not is_order(one.id):
            yield f"{one.id} closes by order"


def _closed(old: Catalog, index: Path, policy: Path) -> Iterator[str]:
    """Yield essential and popular names that a list closes to a grade that may have them."""
    compiled = policy_file.load(policy)
    site = Site.of(compiled, Index.open(index), (), now=NOW)
    clients = [Client(grade) for grade in compiled.grades.values()]
    meant = dict.fromkeys((pin.name for pin in old.pins), frozenset[str]())
    meant |= {one.name: one.except_categories for one in load_popular_names()}
    meant |= {protection.name: protection.except_categories for protection in old.protections}
    for name, categories in meant.items():
        for verdict in site.engine.decide_for(clients, name, RRType.A, NOW):
            match = verdict.match
            if verdict.blocked and match is not None and match.category not in categories:
                yield f"{names.to_text(name)} is closed by {match.list_id}"
                break
