# SPDX-License-Identifier: Apache-2.0
"""Build a version from the publisher's ``blocklists/`` folder and source texts.

``feed.followed.version_content`` makes it. The same input gives the same octets: what did not
change costs no school a download. Before the result replaces the last build, limits compare it with
the version before (``feed.guard.limits``). A result outside the limits is written only if it is
approved.
"""

from __future__ import annotations

import contextlib
import shutil
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from filterd.base.errors import ConfigError
from filterd.base.paths import sync_folder, writing
from filterd.base.value_class import frozen
from filterd.feed.followed.version_content import make_content, normalised
from filterd.feed.guard.limits import Content, excesses, few
from filterd.lists.catalogs.catalog import load_catalog
from filterd.lists.catalogs.optional_lists import LOOKALIKES_FILE as LOOKALIKES
from filterd.lists.top_names import Popular
from filterd.publish import review
from filterd.publish.evidence import check_contacts
from filterd.publish.review import read_decisions, write_queue
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from filterd.feed.families.lookalike_errors import KindErrors
    from filterd.feed.followed.version_content import VersionContent
    from filterd.feed.signed.arrival import Progress
    from filterd.lists.catalogs.catalog import Catalog
    from filterd.lists.list_merge import Normalised, PublishedList
    from filterd.publish.review import BuiltMistakes
    from filterd.texts.i18n import Sentence


@frozen
class BuildReport:
    """The result of a build.

    Attributes:
        categories: the result for each.
        lists: the published lists, without the texts.
        rules: the number of look-alike rules in force.
        waiting: the number of families that wait for approval (``review``).
        errors: of the rules in force, by category and kind.
        mistakes: what was done with names that schools have reported.
        held: reasons for a review before it is written; empty if nothing is unusual.
        written: whether the folder was replaced.
    """

    categories: Mapping[str, Normalised]
    lists: tuple[PublishedList, ...]
    rules: int
    waiting: int
    errors: tuple[KindErrors, ...]
    mistakes: BuiltMistakes
    held: tuple[Sentence, ...]
    written: bool


def build_version(
    folder: Path,
    texts: Mapping[str, Path],
    target: Path,
    *,
    today: str,
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
        today: ISO 8601, by which decisions on reported mistakes hold.
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
    catalog = publishable(load_catalog(folder))
    _check_not_by_hand(folder)
    check_contacts(folder)  # a school is lenient, so mistakes are found here
    popular = popular or Popular()
    reported = review.reported_keys(folder, today)
    decisions = read_decisions(folder)
    content = make_content(
        catalog, texts, popular, decisions=decisions, reported=reported, progress=progress
    )
    naming = content.naming(reported.sought)
    held = tuple(_judged(catalog, content.categories, previous, popular))
    write_queue(folder, content.lookalikes.queue, content.lookalikes.errors)
    mistakes = review.built(folder, naming, today)
    if written := accepted or not held:
        _replace(
            target,
            lambda made: content.write(folder, made, review.answers(folder, naming, today)),
        )
    return _report(content, mistakes, held, written=written)


def _report(
    content: VersionContent,
    mistakes: BuiltMistakes,
    held: tuple[Sentence, ...],
    *,
    written: bool,
) -> BuildReport:
    categories, outcome = content.categories, content.lookalikes
    lists = (one for result in categories.values() for one in result.lists)
    return BuildReport(
        categories,
        tuple(one._replace(text=b"") for one in lists),
        outcome.count,
        len(outcome.queue),
        outcome.errors,
        mistakes,
        held,
        written,
    )


def publishable(catalog: Catalog) -> Catalog:
    """Return a catalogue without the sources that others may not publish again."""
    return replace(catalog, sources=tuple(source for source in catalog.sources if source.republish))


def _categories_of(folder: Path, popular: Popular) -> dict[str, Normalised]:
    catalog = load_catalog(folder)
    return normalised(catalog, catalog.lists, popular)


def _check_not_by_hand(folder: Path) -> None:
    """Refuse rules written by hand: they were not tested against popular names."""
    if (folder / LOOKALIKES).exists():
        raise ConfigError(
            say("these rules are made by each build"),
            path=str(folder / LOOKALIKES),
            hint=say("remove it; `filterd feed review` accepts and refuses them"),
        )


def _judged(
    catalog: Catalog,
    categories: Mapping[str, Normalised],
    previous: Path | None,
    popular: Popular,
) -> Iterator[Sentence]:
    """Find why a version is held.

    A first version is held for nothing but names that must stay open.
    """
    before = {} if previous is None else _categories_of(previous, popular)
    if previous is not None:
        wholes = {one.id: one.part_of for one in catalog.categories if one.part_of}
        for excess in excesses(_content(categories, wholes), _content(before, wholes)):
            yield excess.sentence
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


def _content(categories: Mapping[str, Normalised], wholes: Mapping[str, str]) -> Content:
    """Count the names of each category, parts with their wholes: a split moves names."""
    names = Counter[str]()
    for category, result in categories.items():
        names[wholes.get(category, category)] += result.names
    found = {rank: name for result in categories.values() for rank, name in result.popular.items()}
    return Content(names, found)


def _replace(target: Path, write: Callable[[Path], object]) -> None:
    """Replace a folder by one that ``write`` makes; after an error the last one stays."""
    new, old = target.with_name(f".{target.name}.new"), target.with_name(f".{target.name}.old")
    with writing(target), contextlib.ExitStack() as at_the_end:
        at_the_end.callback(shutil.rmtree, new, ignore_errors=True)
        write(new)
        shutil.rmtree(old, ignore_errors=True)
        if target.exists():
            target.rename(old)
        new.rename(target)
        sync_folder(target.parent)
        shutil.rmtree(old, ignore_errors=True)
