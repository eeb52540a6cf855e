# SPDX-License-Identifier: Apache-2.0
"""Make and write the content of a version.

It is made of a ``blocklists/`` folder and texts of sources. A version is a ``blocklists/``
folder again: the tables as they are, and for each category one list of all third parties
together, beside own ones (``lists.list_merge``), and the rules of look-alikes that their names
make (``lists.lookalike_families``). The same input gives the same octets. A publisher makes
versions so, and a school that follows public lists itself.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from filterd.documents import dump
from filterd.errors import ConfigError, ListError
from filterd.i18n import say
from filterd.lists.catalog import load_catalog
from filterd.lists.catalog_tables import CANARIES_FILE, CONTACTS_FILE, canaries_yaml
from filterd.lists.hostname import name_from_key, text_from_key
from filterd.lists.list_merge import NOT_REPORTED, NamedBy, Normalised, normalise
from filterd.lists.lookalike_families import rules_of, rules_yaml
from filterd.lists.lookalikes import Lookalikes
from filterd.lists.lookalikes_file import FILE as LOOKALIKES
from filterd.lists.rules import ListSource
from filterd.overrides.mistake_answers import FILE as MISTAKES
from filterd.overrides.mistake_answers import dump_answers
from filterd.wire import name as wire_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from filterd.feed.arrival import Progress
    from filterd.lists.catalog import Catalog, CatalogCategory
    from filterd.lists.list_merge import Exclusions, ReportedKeys
    from filterd.lists.lookalike_families import Decision, LookalikeOutcome
    from filterd.lists.top_names import Popular
    from filterd.overrides.mistake_answers import MistakeAnswer

LISTS = "lists"
POPULAR = "popular.txt"

TABLES_FILES = (
    "categories.yaml",
    "holidays.yaml",
    "pins.yaml",
    "protect.yaml",
    "safe_search.yaml",
    "services.yaml",
)
_OPTIONAL = (CONTACTS_FILE,)
PARTS = frozenset(
    (*TABLES_FILES, *_OPTIONAL, "catalog.yaml", CANARIES_FILE, POPULAR, LOOKALIKES, MISTAKES)
)
"""All that a version may consist of, beside its lists and what is ordered."""


@dataclass(frozen=True, slots=True)
class VersionContent:
    """The content of a version, before it is written.

    Attributes:
        catalog: of the folder that it is made of.
        used: ids of the lists and sources with a text.
        categories: the lists of each.
        popular: the ranking that the version carries.
        lookalikes: the rules, and the families that wait for approval.
    """

    catalog: Catalog
    used: frozenset[str]
    categories: Mapping[str, Normalised]
    popular: Popular
    lookalikes: LookalikeOutcome

    def write(self, folder: Path, made: Path, answers: Sequence[MistakeAnswer] = ()) -> None:
        """Write the version to a new folder, and have the production loader read it.

        Args:
            folder: the ``blocklists/`` folder, for its tables.
            made: the folder to make.
            answers: to reported mistakes.

        Raises:
            OSError: the disk refused.
        """
        shutil.rmtree(made, ignore_errors=True)
        (made / LISTS).mkdir(parents=True)
        for name in (*TABLES_FILES, *_OPTIONAL):
            if name in TABLES_FILES or (folder / name).is_file():
                shutil.copyfile(folder / name, made / name)
        for result in self.categories.values():
            for one in result.lists:
                (made / LISTS / f"{one.id}.txt").write_bytes(one.text)
        (made / "catalog.yaml").write_bytes(self._catalog_yaml())
        canaries = {one: result.canaries for one, result in self.categories.items()}
        (made / CANARIES_FILE).write_bytes(canaries_yaml(canaries))
        if self.popular.names:
            (made / POPULAR).write_bytes(self.popular.text())
        if self.lookalikes.count:
            (made / LOOKALIKES).write_bytes(rules_yaml(self.lookalikes))
        if answers:
            (made / MISTAKES).write_bytes(dump_answers(answers))
        _load(made)

    def naming(self, sought: Iterable[bytes]) -> dict[str, list[NamedBy]]:
        """Return the third-party entries that close exactly a name; rules are some.

        Args:
            sought: keys of the names.
        """
        found = dict[str, list[NamedBy]]()
        for result in self.categories.values():
            for name, entries in result.reported.items():
                found.setdefault(name, []).extend(entries)
        rules = Lookalikes(chain.from_iterable(self.lookalikes.rules.values()))
        for key in sorted(sought):
            qname = name_from_key(key)
            for hit in rules.find(qname):
                if hit.labels == wire_names.count_labels(qname):
                    written = rules.rules[hit.number].written
                    found.setdefault(text_from_key(key), []).append(NamedBy(written, 0))
        return found

    def _catalog_yaml(self) -> bytes:
        lists = [
            {
                "id": one.id,
                "title": one.title,
                "category": one.category,
                "format": one.format,
                "file": f"{LISTS}/{one.id}.txt",
                **({"own": True} if one.own else {}),
                **({"subtrees": True} if one.subtrees else {}),
            }
            for result in self.categories.values()
            for one in result.lists
        ]
        # Attribution: several licences require it.
        sources = [
            {
                "id": one.id,
                "title": one.title,
                "category": one.category,
                "format": one.format,
                "address": one.address,
                "homepage": one.homepage,
                "licence": one.licence,
                "attribution": one.attribution,
                "checked": one.checked,
            }
            for one in self.catalog.sources
            if one.id in self.used
        ]
        return dump({"lists": lists, "sources": sources})


def make_content(
    catalog: Catalog,
    texts: Mapping[str, Path],
    popular: Popular,
    *,
    decisions: Iterable[Decision] = (),
    left_out: Exclusions | None = None,
    reported: ReportedKeys = NOT_REPORTED,
    progress: Progress | None = None,
) -> VersionContent:
    """Make the content of a version.

    Args:
        catalog: the lists and sources.
        texts: where the texts of sources are, by their ids; a source without one is left out.
        popular: popular names.
        decisions: on families of look-alikes.
        left_out: entries that are set aside; with it every entry of a third party that wrongly
            closes a popular name is, too: no person looks at the outcome.
        reported: names that schools have reported as listed by mistake.
        progress: called with the number of finished categories, and their total.

    Raises:
        ListError: a text cannot be read, or a list has names that only a signed order may close.
    """
    given = lists_of(catalog, texts)
    categories = normalised(catalog, given, popular, left_out, reported, progress)
    outcome = rules_of(catalog, categories, popular, decisions)
    return VersionContent(catalog, frozenset(one.id for one in given), categories, popular, outcome)


def lists_of(catalog: Catalog, texts: Mapping[str, Path]) -> tuple[ListSource, ...]:
    """Return all lists that there is a text of.

    Own lists come first, then sources, as they stand.
    """
    theirs = (
        ListSource(
            one.id,
            one.category,
            one.format,
            str(texts[one.id]),
            title=one.title,
            subtrees=one.subtrees,
        )
        for one in catalog.sources
        if one.id in texts
    )
    return (*catalog.lists, *theirs)


def normalised(
    catalog: Catalog,
    given: Iterable[ListSource],
    popular: Popular,
    left_out: Exclusions | None = None,
    reported: ReportedKeys = NOT_REPORTED,
    progress: Progress | None = None,
) -> dict[str, Normalised]:
    """Return the lists of each category; see ``make_content``.

    Raises:
        ListError: a text cannot be read, or a list has names that only a signed order may close.
    """
    by_category: dict[str, list[ListSource]] = {one.id: [] for one in catalog.categories}
    for source in given:
        by_category[source.category].append(source)
    results = dict[str, Normalised]()
    for done, category in enumerate(catalog.categories, 1):
        results[category.id] = normalise(
            category,
            by_category[category.id],
            pins=catalog.pins,
            protections=catalog.protections,
            popular=popular,
            left_out=left_out,
            reported=reported,
        )
        _check_not_ordered(category, results[category.id])
        if progress is not None:
            progress(done, len(catalog.categories))
    return results


def _check_not_ordered(category: CatalogCategory, result: Normalised) -> None:
    """Refuse names of a category that only an order signed by its authority may close."""
    if category.ordered and result.names:
        raise ListError(
            say(
                "category {category}: {names} names without an order; this category takes signed"
                " orders only; remove the lists",
                category=category.id,
                names=result.names,
            )
        )


def _load(made: Path) -> None:
    """Check that a school's loader accepts the result.

    Any error of the loader is a mistake here.
    """
    try:
        load_catalog(made)
    except ConfigError as error:
        raise AssertionError(f"the built version cannot be loaded: {error}") from error
