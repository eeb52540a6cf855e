# SPDX-License-Identifier: Apache-2.0
"""Make and write the content of a version, of followed lists in a bounded child.

It is made of a ``blocklists/`` folder and texts of sources. A version is a ``blocklists/``
folder again: the tables as they are, and for each category one list of all third parties
together, beside own ones (``lists.list_merge``), and the rules of look-alikes that their names
make (``feed.families.lookalike_rules``). The same input gives the same octets.

A publisher makes versions so, and a school that follows public lists itself. At a school
``make_in_child`` starts ``python -m filterd.feed.followed.version_content`` with one JSON request
on its input; an error comes back on its output. What is too large is refused before that, in words
(``night_memory``). A child that meets a bound, or is ended, leaves the version in force as it is.
"""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import asdict, field, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filterd.base import bounded_child
from filterd.base.errors import (
    ConfigError,
    FilterdError,
    ListError,
    StoreError,
    TellableError,
    TooLargeError,
    from_plain,
    to_plain,
)
from filterd.base.paths import shipped, writing
from filterd.base.value_class import frozen
from filterd.feed.families.lookalike_rules import added_rules, rules_of, rules_yaml
from filterd.feed.feed_config import pins_yaml, with_pinned_hosts
from filterd.feed.followed.fresh_names import write_fresh
from filterd.lists.catalogs.catalog import PublicSource, load_catalog
from filterd.lists.catalogs.catalog_categories import whole_of
from filterd.lists.catalogs.catalog_tables import CANARIES_FILE, CONTACTS_FILE, canaries_yaml
from filterd.lists.catalogs.optional_lists import LOOKALIKES_FILE as LOOKALIKES
from filterd.lists.catalogs.table_additions import (
    ADDITIONS_FILE,
    write_added,
    write_table,
    write_tables,
)
from filterd.lists.hostname import name_from_key, text_from_key
from filterd.lists.list_merge import NOT_REPORTED, NamedBy, Normalised, normalise
from filterd.lists.lookalikes import Lookalikes
from filterd.lists.rules import ListSource
from filterd.lists.top_names import read_popular
from filterd.overrides.mistake_answers import FILE as MISTAKES
from filterd.overrides.mistake_answers import dump_answers
from filterd.texts.i18n import say
from filterd.wire import name as wire_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from filterd.base.bounded_child import Ended
    from filterd.feed.families.lookalike_families import Decision
    from filterd.feed.families.lookalike_rules import LookalikeOutcome
    from filterd.feed.signed.arrival import Progress
    from filterd.lists.catalogs.catalog import Catalog
    from filterd.lists.catalogs.catalog_categories import CatalogCategory
    from filterd.lists.list_merge import Exclusions, ReportedKeys
    from filterd.lists.top_names import Popular
    from filterd.overrides.mistake_answers import MistakeAnswer
    from filterd.texts.i18n import Sentence


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
_SAID_OF_A_SOURCE = (
    *("id", "title", "format", "address", "homepage", "licence", "attribution"),
    "checked",
)
PARTS = frozenset(
    (
        *TABLES_FILES,
        *_OPTIONAL,
        ADDITIONS_FILE,
        "catalog.yaml",
        CANARIES_FILE,
        POPULAR,
        LOOKALIKES,
        MISTAKES,
    )
)
"""All that a version may consist of, beside its lists and what is ordered."""


@frozen
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
        write_tables(folder, made, TABLES_FILES)
        for name in _OPTIONAL:
            if (folder / name).is_file():
                shutil.copyfile(folder / name, made / name)
        for result in self.categories.values():
            for one in result.lists:
                (made / LISTS / f"{one.id}.txt").write_bytes(one.text)
        write_table(made, "catalog", self._catalog())
        canaries = {one: result.canaries for one, result in self.categories.items()}
        parts = [category for category in self.catalog.categories if category.part_of]
        wholes = {part.id: part.part_of for part in parts}
        (made / CANARIES_FILE).write_bytes(canaries_yaml(canaries, wholes))
        if self.popular.names:
            (made / POPULAR).write_bytes(self.popular.text())
        if self.lookalikes.count:
            (made / LOOKALIKES).write_bytes(rules_yaml(self.lookalikes, wholes))
        write_added(made, "lookalikes", added_rules(self.lookalikes, wholes))
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

    def _catalog(self) -> dict[str, Any]:
        keys = {category.id: whole_of(category) for category in self.catalog.categories}
        lists = [
            {
                "id": one.id,
                "title": one.title,
                **keys[one.category],
                "format": one.format,
                "file": f"{LISTS}/{one.id}.txt",
                **({"own": True} if one.own else {}),
                **({"subtrees": True} if one.subtrees else {}),
                **({"made_of": [each.to_plain() for each in one.made_of]} if one.made_of else {}),
            }
            for result in self.categories.values()
            for one in result.lists
        ]
        # Attribution: several licences require it.
        sources = [
            {
                **{key: getattr(source, key) for key in _SAID_OF_A_SOURCE},
                "category": keys[source.category]["category"],
            }
            for source in self.catalog.sources
            if source.id in self.used
        ]
        return {"lists": lists, "sources": sources}


def make_content(
    catalog: Catalog,
    texts: Mapping[str, Path],
    popular: Popular,
    *,
    decisions: Iterable[Decision] = (),
    left_out: Exclusions | None = None,
    reported: ReportedKeys = NOT_REPORTED,
    dates: Mapping[str, str] | None = None,
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
        dates: by the id of a source, the day on which its text came, ISO 8601.
        progress: called with the number of finished categories, and their total.

    Raises:
        ListError: a text cannot be read, or a list has names that only a signed order may close.
    """
    given = lists_of(catalog, texts)
    _check_services(catalog)
    categories = normalised(catalog, given, popular, left_out, reported, dates, progress)
    left_open = [text_from_key(one) for one in reported.left_out]
    outcome = rules_of(catalog, categories, popular, decisions, left_open)
    return VersionContent(catalog, frozenset(one.id for one in given), categories, popular, outcome)


def lists_of(catalog: Catalog, texts: Mapping[str, Path]) -> tuple[ListSource, ...]:
    """Return all lists that there is a text of.

    Own lists come first, then sources, as they stand.
    """
    theirs = (
        ListSource(
            source.id,
            source.category,
            source.format,
            str(texts[source.id]),
            title=source.title,
            subtrees=source.subtrees,
        )
        for source in catalog.sources
        if source.id in texts
    )
    return (*catalog.lists, *theirs)


def normalised(
    catalog: Catalog,
    given: Iterable[ListSource],
    popular: Popular,
    left_out: Exclusions | None = None,
    reported: ReportedKeys = NOT_REPORTED,
    dates: Mapping[str, str] | None = None,
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
            dates=dates,
        )
        _check_not_ordered(category, results[category.id])
        if progress is not None:
            progress(done, len(catalog.categories))
    return results


def _check_services(catalog: Catalog) -> None:
    """Refuse services of a category that takes orders only, as every school does."""
    ordered = {category.id for category in catalog.categories if category.ordered}
    for service in catalog.services:
        if service.group in ordered:
            raise ListError(
                say(
                    "service {service}: category {category} takes signed orders only; give it"
                    " another `group`",
                    service=service.id,
                    category=service.group,
                )
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


def _load(made: Path) -> None:
    """Check that a school's loader accepts the result.

    Any error of the loader is a mistake here.
    """
    try:
        load_catalog(made)
    except ConfigError as error:
        raise AssertionError(f"the built version cannot be loaded: {error}") from error


CPU_LIMIT_S = 300
TIME_LIMIT_S = 900.0
"""By the clock; lookups go first."""

_NICER = 10
_MOST_REQUEST_OCTETS = 8 << 20
_MOST_ANSWER_OCTETS = 1 << 16


@frozen
class ContentRequest:
    """What the content is made of, beside what ships.

    Attributes:
        sources: the followed ones.
        texts: where the texts are, by the ids of sources; one without a text is left out.
        left_out: entries.
        feed: the folder of a version of a feed, beside which the lists stand alone, by its
            tables; None where they stand with what ships.
        dates: by the ids of sources, the days on which their texts came, ISO 8601.
        night: the folder of the version that new names are added to; None to make all anew.
    """

    sources: Sequence[PublicSource]
    texts: Mapping[str, Path]
    left_out: Exclusions
    feed: Path | None = None
    dates: Mapping[str, str] = field(default_factory=dict)
    night: Path | None = None

    def write(self, made: Path) -> None:
        """Write the content to a new folder.

        Raises:
            FilterdError: see ``make_in_child``.
        """
        if self.night is not None:
            with writing(made):
                write_fresh(self.night, made, self.sources, self.texts, self.left_out)
            return
        base = self.feed or shipped("blocklists")
        catalog = with_pinned_hosts(self._catalog(base))
        with writing(made):
            content = make_content(
                catalog,
                self.texts,
                read_popular(None),
                left_out=self.left_out,
                dates=self.dates,
            )
            content.write(base, made)
            (made / "pins.yaml").write_bytes(pins_yaml(catalog))

    def to_plain(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {
            "sources": [asdict(source) for source in self.sources],
            "texts": {one: str(path) for one, path in self.texts.items()},
            "left_out": {one: [key.hex() for key in keys] for one, keys in self.left_out.items()},
            "feed": None if self.feed is None else str(self.feed),
            "dates": dict(self.dates),
            "night": None if self.night is None else str(self.night),
        }

    @classmethod
    def from_plain(cls, data: Mapping[str, Any]) -> ContentRequest:
        """Return the same from plain data of ``to_plain``."""
        return cls(
            [PublicSource(**one | {"mirrors": tuple(one["mirrors"])}) for one in data["sources"]],
            {one: Path(path) for one, path in data["texts"].items()},
            {one: frozenset(map(bytes.fromhex, keys)) for one, keys in data["left_out"].items()},
            None if data["feed"] is None else Path(data["feed"]),
            data["dates"],
            None if data["night"] is None else Path(data["night"]),
        )

    def _catalog(self, base: Path) -> Catalog:
        """Return the catalogue: beside a feed of public lists alone."""
        catalog = replace(load_catalog(base), sources=tuple(self.sources))
        alone = {} if self.feed is None else {"lists": (), "lookalikes": (), "orders": ()}
        return replace(catalog, **alone)


def make_in_child(
    wanted: ContentRequest, made: Path, *, memory_octets: int, time_limit_s: float = TIME_LIMIT_S
) -> None:
    """Write the content of a version to a new folder.

    Args:
        wanted: what it is made of.
        made: the folder.
        memory_octets: the bound of the child's memory.
        time_limit_s: the bound of its time, by the clock.

    Raises:
        ListError: a text cannot be read, or the child did not do it within its bounds.
        StoreError: the disk refused, or the child cannot be started.
        TooLargeError: the memory is too small.
    """
    request = {"memory_octets": memory_octets, "made": str(made), **wanted.to_plain()}
    try:
        ended = bounded_child.run(
            bounded_child.command("filterd.feed.followed.version_content"),
            limit_s=time_limit_s,
            most_octets=_MOST_ANSWER_OCTETS,
            request=json.dumps(request).encode("ascii"),
        )
    except TimeoutError:
        why = say("it took more than {limit_s} s", limit_s=round(time_limit_s))
        raise ListError(_not_merged(why)) from None
    except OSError as error:
        raise bounded_child.not_started(error) from error
    if ended.code:
        raise _error_of(ended)


def _error_of(ended: Ended) -> FilterdError:
    try:
        error = from_plain(json.loads(ended.output))
    except (ValueError, KeyError, TypeError):  # it met a bound, or the system ended it
        return ListError(_not_merged(ended.last_words))
    kinds: dict[str, type[TellableError]] = {one.code: one for one in (StoreError, TooLargeError)}
    found = kinds.get(error.code, ListError)(error.sentence)
    found.code = error.code
    return found


def _not_merged(why: Sentence) -> Sentence:
    return say(
        "the followed lists cannot be merged: {why}; the lists in force stay, the next night tries"
        " again",
        why=why,
    )


def main() -> int:
    """Make the content that the request asks for; return the exit code."""
    bounded_child.end_with_parent()  # the lock of the versions goes with it
    answer = bounded_child.own_output()
    request: dict[str, Any] = json.loads(sys.stdin.buffer.read(_MOST_REQUEST_OCTETS))
    bounded_child.bound(
        memory_octets=int(request["memory_octets"]), cpu_s=CPU_LIMIT_S, nicer=_NICER
    )
    no_memory = say(
        "the followed lists need more memory than this machine has for them: unfollow"
        " some (filterd lists sources)"
    )
    # Made now: later there may be no memory for it.
    problem = json.dumps(to_plain(TooLargeError(no_memory))).encode("ascii")
    try:
        ContentRequest.from_plain(request).write(Path(request["made"]))
    except FilterdError as error:
        problem = json.dumps(to_plain(error)).encode("ascii")
    except MemoryError:
        pass
    else:
        return 0
    with answer:
        answer.write(problem)
    return 1


if __name__ == "__main__":
    sys.exit(main())
