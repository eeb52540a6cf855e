# SPDX-License-Identifier: Apache-2.0
"""Build a version from the publisher's ``blocklists/`` folder and source texts.

What comes out is a ``blocklists/`` folder again, so that a school compiles it as
it does the one that ships: the tables as they are, and for each category one
list of all third parties together, beside the publisher's own (``lists.list_merge``),
and the rules of look-alikes that their names make (``lists.lookalike_families``).
The same input gives the same octets: what did not change costs no school a download.

Before the result replaces the last build, the production loader reads it and limits
compare it with the version before (``feed.guard.limits``). A result outside the limits
is written only if it is approved.
"""

from __future__ import annotations

import contextlib
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from filterd.documents import dump
from filterd.errors import ConfigError, ListError
from filterd.feed.guard.limits import Content, excesses, few
from filterd.i18n import say
from filterd.lists.catalog import load_catalog
from filterd.lists.catalog_tables import CANARIES_FILE, CONTACTS_FILE, canaries_yaml, load_contacts
from filterd.lists.list_merge import Normalised, normalise
from filterd.lists.lookalike_families import rules_of, rules_yaml, waiting_of
from filterd.lists.lookalikes_file import FILE as LOOKALIKES
from filterd.lists.rules import ListSource
from filterd.lists.top_names import Popular
from filterd.paths import sync_folder, writing
from filterd.publish.review import read_decisions, write_queue

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from filterd.feed.arrival import Progress
    from filterd.i18n import Sentence
    from filterd.lists.catalog import Catalog, CatalogCategory
    from filterd.lists.list_merge import PublishedList
    from filterd.lists.lookalike_families import LookalikeOutcome

LISTS = "lists"
POPULAR = "popular.txt"

_TABLES = (
    "categories.yaml",
    "holidays.yaml",
    "pins.yaml",
    "protect.yaml",
    "safe_search.yaml",
    "services.yaml",
)
_OPTIONAL = (CONTACTS_FILE,)
PARTS = frozenset((*_TABLES, *_OPTIONAL, "catalog.yaml", CANARIES_FILE, POPULAR, LOOKALIKES))
"""All that a version may consist of, beside its lists and what is ordered."""


@dataclass(frozen=True, slots=True)
class BuildReport:
    """The result of a build.

    Attributes:
        categories: the result for each.
        lists: the published lists, without the texts.
        without_text: ids of sources in the catalogue without a text.
        rules: the number of look-alike rules in force.
        waiting: the number of families that wait for approval (``review``).
        held: reasons for a review before it is written; empty if nothing is unusual.
        written: whether the folder was replaced.
    """

    categories: Mapping[str, Normalised]
    lists: tuple[PublishedList, ...]
    without_text: tuple[str, ...]
    rules: int
    waiting: int
    held: tuple[Sentence, ...]
    written: bool


def build_version(
    folder: Path,
    texts: Mapping[str, Path],
    target: Path,
    *,
    popular: Popular | None = None,
    previous: Path | None = None,
    accepted: bool = False,
    progress: Progress | None = None,
) -> BuildReport:
    """Build a version.

    Args:
        folder: the publisher's ``blocklists/``.
        texts: where the texts of sources are, by their ids; a source without one is left out.
        target: the folder to make or replace.
        popular: popular names; without them none are protected or counted.
        previous: the version that was published last, None before the first.
        accepted: whether to write a result that should be held.
        progress: called with the number of finished categories, and their total.

    Returns:
        The result; ``written`` is false if it is held.

    Raises:
        ConfigErrors: the folder's files are wrong, or the outcome would be.
        ListError: a text cannot be read, or a list has names that only a signed order may close.
        StoreError: the disk refused; the last build stays.
    """
    catalog = load_catalog(folder)
    _check_not_by_hand(folder)
    load_contacts(folder)  # a school is lenient, so its mistakes are told here
    decisions = read_decisions(folder)
    popular = popular or Popular()
    given = _given(catalog, texts)
    categories = _normalised(catalog, given, popular, progress)
    outcome = rules_of(catalog, categories, popular, decisions)
    held = tuple(_judged(categories, previous, popular))
    lists = tuple(one for result in categories.values() for one in result.lists)
    write_queue(folder, waiting_of(outcome))
    if written := accepted or not held:
        _write(folder, catalog, categories, given, popular, outcome, target)
    missing = tuple(one.id for one in catalog.sources if one.id not in texts)
    plain = tuple(one._replace(text=b"") for one in lists)
    waiting = len(outcome.queue)
    return BuildReport(categories, plain, missing, outcome.count, waiting, held, written)


def _categories_of(folder: Path, popular: Popular) -> dict[str, Normalised]:
    catalog = load_catalog(folder)
    return _normalised(catalog, catalog.lists, popular, None)


def _given(catalog: Catalog, texts: Mapping[str, Path]) -> tuple[ListSource, ...]:
    """Return all lists that there is a text of: own ones first, then sources, as they stand."""
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


def _normalised(
    catalog: Catalog, given: Iterable[ListSource], popular: Popular, progress: Progress | None
) -> dict[str, Normalised]:
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
        )
        _check_not_ordered(category, results[category.id])
        if progress is not None:
            progress(done, len(catalog.categories))
    return results


def _check_not_by_hand(folder: Path) -> None:
    """Refuse rules written by hand: they were not tested against popular names."""
    if (folder / LOOKALIKES).exists():
        raise ConfigError(
            say("these rules are made by each build"),
            path=str(folder / LOOKALIKES),
            hint=say("remove it; `filterd feed review` accepts and refuses them"),
        )


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


def _judged(
    categories: Mapping[str, Normalised], previous: Path | None, popular: Popular
) -> Iterator[Sentence]:
    """Find why a version is held; a first one for nothing but names that must stay open."""
    before = {} if previous is None else _categories_of(previous, popular)
    if previous is not None:
        for one in excesses(_content(categories), _content(before)):
            yield one.sentence
    was = {(each, name) for each, one in before.items() for name in one.wrongly_closed}
    closed = {(each, name) for each, one in categories.items() for name in one.wrongly_closed} - was
    for category in sorted({each for each, _ in closed}):
        names = sorted(name for each, name in closed if each == category)
        yield say(
            "category {category}: {count} popular names that must stay open would be closed: "
            "{names}",
            category=category,
            count=len(names),
            names=few(names),
        )


def _content(categories: Mapping[str, Normalised]) -> Content:
    names = {category: result.names for category, result in categories.items()}
    found = {rank: name for result in categories.values() for rank, name in result.popular.items()}
    return Content(names, found)


def _write(
    folder: Path,
    catalog: Catalog,
    categories: Mapping[str, Normalised],
    given: Iterable[ListSource],
    popular: Popular,
    lookalikes: LookalikeOutcome,
    target: Path,
) -> None:
    """Write the folder aside, have the production loader read it, and put it in its place."""
    made = target.with_name(f".{target.name}.new")
    with writing(target), contextlib.ExitStack() as at_the_end:
        at_the_end.callback(shutil.rmtree, made, ignore_errors=True)
        shutil.rmtree(made, ignore_errors=True)
        (made / LISTS).mkdir(parents=True)
        for name in _TABLES:
            shutil.copyfile(folder / name, made / name)
        for name in _OPTIONAL:
            if (folder / name).is_file():
                shutil.copyfile(folder / name, made / name)
        for result in categories.values():
            for one in result.lists:
                (made / LISTS / f"{one.id}.txt").write_bytes(one.text)
        used = {one.id for one in given}
        (made / "catalog.yaml").write_bytes(_catalog_yaml(catalog, categories, used))
        canaries = {one: result.canaries for one, result in categories.items()}
        (made / CANARIES_FILE).write_bytes(canaries_yaml(canaries))
        if popular.names:
            (made / POPULAR).write_bytes(popular.text())
        if lookalikes.count:
            (made / LOOKALIKES).write_bytes(rules_yaml(lookalikes))
        _load(made)
        _replace(made, target)


def _load(made: Path) -> None:
    """Check that a school's loader accepts the result; any error of it is a mistake here."""
    try:
        load_catalog(made)
    except ConfigError as error:
        raise AssertionError(f"the built version cannot be loaded: {error}") from error


def _replace(made: Path, target: Path) -> None:
    old = target.with_name(f".{target.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        target.rename(old)
    made.rename(target)
    sync_folder(target.parent)
    shutil.rmtree(old, ignore_errors=True)


def _catalog_yaml(catalog: Catalog, categories: Mapping[str, Normalised], used: set[str]) -> bytes:
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
        for result in categories.values()
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
        for one in catalog.sources
        if one.id in used
    ]
    return dump({"lists": lists, "sources": sources})
