# SPDX-License-Identifier: Apache-2.0
"""The catalogue of a ``blocklists/`` folder: categories, lists, services, guards.

Its YAML files, whose keys the folder's README explains, become plain frozen
data. Rules over more than one place (a category that a list names, an id that stands twice,
a list's file) are checked here, and all errors are reported at once, with their places.

Public lists may stand beside a feed, compiled into the same index, with ids of their own
(``lists_beside``). The tables of the feed decide: a category that it lacks, or that takes
orders only, is left out, and its pins and protections hold against these lists. Of the other
folder only the lists are taken, and the pins of the hosts that they come from.

It brings pydantic, so only the process that compiles and commands for people
import it; the serving process reads only the compiled result.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from filterd.base.errors import ConfigError, ConfigErrors
from filterd.base.paths import shipped
from filterd.base.value_class import frozen
from filterd.documents import did_you_mean, load, repeated, validate
from filterd.lists.catalogs.catalog_categories import (
    CatalogCategory,
    categories_of,
    of_other_categories,
    with_parts,
    wrong_parts,
)
from filterd.lists.catalogs.catalog_schema import (
    CatalogFile,
    CategoriesFile,
    HolidaysFile,
    PinsFile,
    ProtectFile,
    SafeSearchFile,
    ServicesFile,
    service_list,
)
from filterd.lists.catalogs.help_names import with_help_names
from filterd.lists.catalogs.optional_lists import read_lookalikes, read_orders
from filterd.lists.catalogs.table_additions import with_additions
from filterd.lists.index_files import check_tables
from filterd.lists.rules import (
    MERGED_PREFIX,
    ListSource,
    Pin,
    Protection,
    SafeSearchRewrite,
    SourceShare,
)
from filterd.texts.i18n import say
from filterd.wire.name import to_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from filterd.documents import Document, DocumentModel, Where
    from filterd.lists.catalogs.catalog_schema import (
        CategoryEntry,
        FolderList,
        FolderService,
        HolidayEntry,
        PinEntry,
        ProtectionEntry,
        ShareEntry,
        SourceEntry,
    )
    from filterd.lists.index_files import Blocklists


RECOMMENDED = "recommended"
"""The word for all recommended sources, in place of an id."""


@frozen
class PublicSource:
    """A list of another publisher, which is known to filterd and not shipped.

    Attributes:
        address: where its text is, with ``mirrors`` in the order in which they are asked.
        checked: a file of this name was seen in the publisher's repository.
        subtrees: as in ``ListSource``.
        member: the file within an archive; empty where it has only one.
        names: about how many it has; 0 where that is not known.
        recommended: of the set that a school without a feed should follow.
        republish: whether its licence lets others publish it; else it is only followed.
        between_nights: its publisher changes it all day: it is fetched every four hours, too.
    """

    id: str
    title: str
    category: str
    format: str
    address: str
    homepage: str
    licence: str
    attribution: str
    checked: bool
    subtrees: bool = False
    mirrors: tuple[str, ...] = ()
    member: str = ""
    names: int = 0
    recommended: bool = False
    republish: bool = True
    between_nights: bool = False

    @property
    def addresses(self) -> tuple[str, ...]:
        """All its addresses, in the order in which they are asked."""
        return (self.address, *self.mirrors)


@frozen
class CatalogService:
    """A service; ``compiled`` is its list in the index.

    ``group`` is the id of a category; ``min_age`` as in ``CatalogCategory``. ``terms_date``: the
    day of the terms that have this age, or on which they were read; empty for not known. The
    notes are for people.
    """

    id: str
    name_vi: str
    name_en: str
    group: str
    min_age: int | None
    names: tuple[bytes, ...]
    compiled: ListSource
    terms_date: str = ""
    note_vi: str = ""
    note_en: str = ""


@frozen
class PublicHoliday:
    """Days without school in the whole country; ISO dates, both within."""

    first: str
    last: str
    name_vi: str
    name_en: str


@frozen
class Catalog:
    """The content of a ``blocklists/`` folder; ``lists`` have absolute paths."""

    categories: tuple[CatalogCategory, ...]
    lists: tuple[ListSource, ...]
    sources: tuple[PublicSource, ...]
    pins: tuple[Pin, ...]
    protections: tuple[Protection, ...]
    rewrites: tuple[SafeSearchRewrite, ...] = ()
    services: tuple[CatalogService, ...] = ()
    holidays: tuple[PublicHoliday, ...] = ()
    lookalikes: tuple[ListSource, ...] = ()
    orders: tuple[ListSource, ...] = ()

    @property
    def compiled(self) -> tuple[ListSource, ...]:
        """All lists for an index: files, services, look-alikes and orders."""
        services = (service.compiled for service in self.services)
        return (*self.lists, *services, *self.lookalikes, *self.orders)


def load_catalog(folder: Path) -> Catalog:
    """Read a whole folder, each kind from a ``.yaml`` of its own.

    Raises:
        ConfigErrors: the files have errors; all of them, each with its place.
        ConfigError: a file cannot be read or is no YAML.
        StoreError: it is a version of the feed, and not as it was signed.
    """
    folder = folder.absolute()
    check_tables(folder)
    documents = _Documents(*(_table(folder, name) for name in _Documents._fields))
    tables = documents.tables()
    parts = {part.id: category.id for category in tables.categories for part in category.parts}
    known = [category.id for category in tables.categories]
    lookalikes, of_lookalikes = read_lookalikes(folder, known, parts)
    orders, of_orders = read_orders(folder, known)
    if problems := [*of_lookalikes, *of_orders, *_wrong(documents, tables, parts, folder)]:
        raise ConfigErrors(problems)
    return Catalog(
        categories=tuple(categories_of(tables.categories)),
        lists=tuple(_list(one, folder) for one in tables.catalog.lists),
        sources=tuple(map(_source, tables.catalog.sources)),
        pins=tuple(Pin(**vars(pin)) for pin in tables.pins),
        protections=with_help_names(
            _protection(protection, parts) for protection in tables.protections
        ),
        rewrites=tuple(_rewrites(tables.safe_search)),
        services=tuple(
            _service(service, documents.services, position)
            for position, service in enumerate(tables.services)
        ),
        holidays=tuple(
            PublicHoliday(day.first, day.last or day.first, day.name.vi, day.name.en)
            for day in tables.holidays
        ),
        lookalikes=lookalikes,
        orders=orders,
    )


def _wrong(
    documents: _Documents, tables: _Tables, parts: Mapping[str, str], folder: Path
) -> Iterator[ConfigError]:
    """Find where the tables contradict each other, or the files beside them."""
    categories, catalog, services = tables.categories, tables.catalog, tables.services
    known = [category.id for category in categories]
    yield from _repeated(documents.categories, "id", categories=categories)
    yield from wrong_parts(documents.categories, categories)
    yield from of_other_categories(documents.catalog, "category", parts, lists=catalog.lists)
    yield from of_other_categories(documents.catalog, "category", parts, sources=catalog.sources)
    yield from of_other_categories(documents.services, "group", parts, services=services)
    yield from _repeated(documents.catalog, "id", lists=catalog.lists, sources=catalog.sources)
    yield from _repeated(documents.pins, "name", pins=tables.pins)
    yield from _repeated(documents.protect, "name", protections=tables.protections)
    yield from _repeated(documents.services, "id", services=services)
    yield from _names_of_two(documents.services, services)
    yield from _unknown(documents.services, _at("services", "group", services), known)
    yield from _unknown(documents.catalog, _at("lists", "category", catalog.lists), known)
    yield from _unknown(documents.catalog, _at("sources", "category", catalog.sources), known)
    yield from _unknown(documents.protect, _exceptions(tables.protections), known)
    yield from _rewritten_twice(documents.safe_search, tables.safe_search)
    yield from _missing_files(documents.catalog, catalog, folder)


def load_categories(folder: Path) -> tuple[CatalogCategory, ...]:
    """Read the categories only.

    Raises:
        ConfigErrors: the file has errors.
        ConfigError: it cannot be read or is no YAML.
    """
    file = validate(_table(folder.absolute(), "categories"), CategoriesFile)
    return tuple(categories_of(file.categories))


def load_sources(folder: Path) -> tuple[PublicSource, ...]:
    """Read the public sources only.

    Raises:
        ConfigErrors: the file has errors.
        ConfigError: it cannot be read or is no YAML.
    """
    file = validate(load(folder.absolute() / "catalog.yaml"), CatalogFile)
    return tuple(map(_source, file.sources))


@cache
def shipped_sources() -> tuple[PublicSource, ...]:
    """Return the public sources of the catalogue that ships."""
    return load_sources(shipped("blocklists"))


@cache
def fillable_categories(folder: Path | None = None) -> tuple[str, ...]:
    """Return the ids of categories that a public source may fill: without an order.

    Args:
        folder: a ``blocklists/`` folder, None for the shipped one.

    Raises:
        ConfigError: it is damaged.
    """
    categories = load_categories(folder or shipped("blocklists"))
    return tuple(category.id for category in categories if not category.ordered)


FEW_NAMES = 500
"""Of the recommended sources of a category; fewer add little to what ships."""


@cache
def thin_categories() -> dict[str, int]:
    """Return categories with an age that recommended sources hardly cover.

    With each stands about how many names these have: 0 where none is recommended. What ships and
    a school's own lists are all that covers it.
    """
    names = dict[str, int]()
    for one in load_categories(shipped("blocklists")):
        if (one.min_age or one.locked) and not one.ordered:
            sources = [each for each in shipped_sources() if each.category == one.id]
            names[one.id] = sum(each.names or FEW_NAMES for each in sources if each.recommended)
    return {category: n for category, n in names.items() if n < FEW_NAMES}


def _table(folder: Path, name: str) -> Document:
    return with_additions(folder, name, load(folder / f"{name}.yaml"))


class _Documents(NamedTuple):
    """The files of the folder; each field is the name of a file without ``.yaml``."""

    categories: Document
    catalog: Document
    pins: Document
    protect: Document
    safe_search: Document
    services: Document
    holidays: Document

    def tables(self) -> _Tables:
        """Return what stands in them.

        Raises:
            ConfigErrors: the errors of the first file that has some.
        """
        return _Tables(
            validate(self.categories, CategoriesFile).categories,
            validate(self.catalog, CatalogFile),
            validate(self.pins, PinsFile).pins,
            validate(self.protect, ProtectFile).protections,
            validate(self.safe_search, SafeSearchFile),
            validate(self.services, ServicesFile).services,
            validate(self.holidays, HolidaysFile).holidays,
        )


class _Tables(NamedTuple):
    """What stands in the files, each read for itself."""

    categories: tuple[CategoryEntry, ...]
    catalog: CatalogFile
    pins: tuple[PinEntry, ...]
    protections: tuple[ProtectionEntry, ...]
    safe_search: SafeSearchFile
    services: tuple[FolderService, ...]
    holidays: tuple[HolidayEntry, ...]


def _source(entry: SourceEntry) -> PublicSource:
    fields = vars(entry) | {"category": entry.part or entry.category}
    return PublicSource(**{key: value for key, value in fields.items() if key != "part"})


def _protection(entry: ProtectionEntry, parts: Mapping[str, str]) -> Protection:
    excepted = with_parts(entry.except_categories, parts)
    return Protection(entry.name, entry.subtree, entry.reason, excepted)


def _list(entry: FolderList, folder: Path) -> ListSource:
    return ListSource(
        entry.id,
        entry.part or entry.category,
        entry.format,
        str(folder / entry.file),
        entry.own,
        entry.title,
        subtrees=entry.subtrees,
        made_of=tuple(map(_share, entry.made_of)),
    )


def _share(entry: ShareEntry) -> SourceShare:
    popular = tuple(map(to_text, entry.popular))
    return SourceShare(**vars(entry) | {"popular": popular, "date": entry.date or ""})


def _service(entry: FolderService, document: Document, position: int) -> CatalogService:
    where = ("services", position, "names")
    group = entry.part or entry.group
    return CatalogService(
        id=entry.id,
        name_vi=entry.name.vi,
        name_en=entry.name.en,
        group=group,
        min_age=entry.min_age,
        names=entry.names,
        compiled=service_list(entry.id, entry.name.en, group, entry.names, document, where),
        terms_date=entry.terms_date or "",
        note_vi=entry.note.vi if entry.note else "",
        note_en=entry.note.en if entry.note else "",
    )


def _names_of_two(document: Document, services: Iterable[FolderService]) -> Iterator[ConfigError]:
    """Find names of two services.

    One of the services could not be opened alone.
    """
    names: Iterator[tuple[bytes, Where]] = (
        (name, ("services", index, "names", position))
        for index, entry in enumerate(services)
        for position, name in enumerate(entry.names)
    )
    return repeated(document, names, say("this name occurs twice"))


def _rewrites(file: SafeSearchFile) -> Iterator[SafeSearchRewrite]:
    for engine in file.engines:
        yield SafeSearchRewrite("safe_search", "on", engine.target, engine.names)
    youtube = file.youtube
    yield SafeSearchRewrite("youtube", "moderate", youtube.moderate, youtube.names)
    yield SafeSearchRewrite("youtube", "strict", youtube.strict, youtube.names)


def _rewritten_twice(document: Document, file: SafeSearchFile) -> Iterator[ConfigError]:
    """Yield rewritten names that occur twice, or are a target and would make a circle."""
    groups: list[tuple[Where, tuple[bytes, ...]]] = [
        *((("engines", at, "names"), engine.names) for at, engine in enumerate(file.engines)),
        (("youtube", "names"), file.youtube.names),
    ]
    taken = {rewrite.target for rewrite in _rewrites(file)}
    for where, names in groups:
        for position, name in enumerate(names):
            if name in taken:
                reason = say("this name occurs twice, or is a target")
                yield document.error(reason, (*where, position), hint=say("remove it"))
            taken.add(name)


def _at(group: str, key: str, entries: tuple[DocumentModel, ...]) -> Iterator[tuple[Any, Where]]:
    """Yield the values of a key in a group of a file, each with its place."""
    for index, entry in enumerate(entries):
        yield getattr(entry, key), (group, index, key)


def _exceptions(protections: Iterable[ProtectionEntry]) -> Iterator[tuple[str, Where]]:
    for index, entry in enumerate(protections):
        for category in sorted(entry.except_categories):
            yield category, ("protections", index, "except_categories")


def _repeated(
    document: Document, key: str, **groups: tuple[DocumentModel, ...]
) -> Iterator[ConfigError]:
    """Find values of ``key`` that occur twice in a file, perhaps in two groups of it."""
    values = chain.from_iterable(_at(group, key, entries) for group, entries in groups.items())
    return repeated(document, values, say("this {key} occurs twice", key=key))


def _unknown(
    document: Document, words: Iterable[tuple[str, Where]], known: list[str]
) -> Iterator[ConfigError]:
    """Find words that are no categories."""
    for word, where in words:
        if word not in known:
            reason = say("'{word}' is not a category", word=word)
            yield document.error(reason, where, hint=did_you_mean(word, known))


def _missing_files(document: Document, catalog: CatalogFile, folder: Path) -> Iterator[ConfigError]:
    for index, entry in enumerate(catalog.lists):
        if not (folder / entry.file).is_file():
            where = ("lists", index, "file")
            yield document.error(
                say("there is no file {file}", file=entry.file), where, hint=say("restore it")
            )


BESIDE = "web:"
"""How ids of lists beside a feed begin: no id of a feed or a site has a colon."""


class ListsBeside(NamedTuple):
    """Lists that stand beside a feed; none by default.

    Attributes:
        version: of the set.
        lists: with absolute paths.
        hosts: pins of the hosts that the lists come from.
    """

    version: str | None = None
    lists: tuple[ListSource, ...] = ()
    hosts: tuple[Pin, ...] = ()


def lists_beside(blocklists: Blocklists, catalog: Catalog) -> ListsBeside:
    """Read the lists that stand beside a feed.

    Args:
        blocklists: the folder of the feed, and the one beside it.
        catalog: of the feed.

    Raises:
        FilterdError: the folder beside it is damaged.
    """
    if blocklists.beside is None:
        return ListsBeside()
    other = load_catalog(blocklists.beside.folder)
    fillable = {category.id for category in catalog.categories if not category.ordered}
    lists = (
        replace(one, id=BESIDE + one.id.removeprefix(MERGED_PREFIX))
        for one in (*other.lists, *other.lookalikes)
        if one.category in fillable
    )
    hosts = (pin for pin in other.pins if pin.reason == "feed")
    return ListsBeside(blocklists.beside.version, tuple(lists), tuple(hosts))
