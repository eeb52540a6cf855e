# SPDX-License-Identifier: Apache-2.0
"""The schema of the files in a ``blocklists/`` folder, for pydantic.

Single values are checked here; ``filterd.lists.catalogs.catalog`` checks rules over several
places. The folder's README explains every key. A service is compiled as a list with the id
``service:<id>``, so that policy can open or close it alone; other lists have no colon.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, PlainValidator, WithJsonSchema, model_validator

from filterd.documents import DocumentModel, did_you_mean, refusal
from filterd.lists.formats import FORMATS
from filterd.lists.hostname import HostnameError, key_from_name, key_from_text, name_from_key
from filterd.lists.public_suffix import is_public_suffix
from filterd.lists.report import Reason
from filterd.lists.rules import SERVICE_PREFIX, ListSource
from filterd.texts.i18n import UNSAID, Sentence, quoted, say

if TYPE_CHECKING:
    from collections.abc import Iterable

    from filterd.documents import Document, Where


def list_id(service: str) -> str:
    """Return the list id of a service."""
    return SERVICE_PREFIX + service


def service_list(
    service: str, title: str, group: str, names: Iterable[bytes], document: Document, where: Where
) -> ListSource:
    """Return a service as a list of its group's category.

    It is never a third party's: its author means exactly these names, so protections do
    not hold against it.

    Args:
        service: its id.
        title: its name for people.
        group: the id of a category.
        names: wire names.
        document: its file.
        where: the path to its names there.
    """
    placed = tuple(
        (document.place((*where, position))[0], name) for position, name in enumerate(names)
    )
    path = str(Path(document.path).absolute())
    return ListSource(list_id(service), group, "domains", path, True, title, placed)


def unfit(name: bytes) -> Sentence:
    """Return why a service cannot have a name, ``UNSAID`` where it can."""
    key = key_from_name(name)
    if key is None:
        return quoted(Reason.NOT_A_NAME.explanation)
    return quoted(Reason.PUBLIC_SUFFIX.explanation) if is_public_suffix(key) else UNSAID


Rating = Literal["P", "K", "T13", "T16", "T18", "C", "00+", "12+", "16+", "18+"]
"""A label of the law: films (Circular 05/2023, Art. 2) or games (Decree 147/2024, Art. 38)."""


def _host_name(value: Any) -> bytes:
    if not isinstance(value, str):
        raise refusal(
            say("a name is expected, not {value}", value=repr(value)), say("put it in quotes")
        )
    try:
        return name_from_key(key_from_text(value))
    except HostnameError as error:
        raise refusal(
            error.sentence, say("write the name of a host, such as www.example.vn")
        ) from error


def name_of_service(name: bytes, text: str) -> bytes:
    """Return the name that a text means, if it may belong to a service.

    ``pydantic`` calls this function.
    """
    if why := unfit(name):
        raise refusal(
            say("'{value}' {why}", value=text, why=why),
            say("name only what belongs to the service"),
        )
    return name


def _date(value: Any) -> str:
    try:
        written = date.fromisoformat(value).isoformat()
    except (TypeError, ValueError):
        written = ""
    if (
        written != value or not "2" <= value < "3"
    ):  # 20260902 and 2026-W36-3 are ISO dates too, but people do not write them
        raise refusal(say("'{value}' is not a date", value=value), say("such as 2026-09-02"))
    return written


def _format(value: Any) -> Any:
    if value not in FORMATS:
        raise refusal(
            say("'{value}' is not a format", value=value), did_you_mean(str(value), FORMATS)
        )
    return value


def _relative_path(value: Any) -> Any:
    if not isinstance(value, str) or value.startswith("/") or ".." in value.split("/"):
        raise refusal(say("a file in this folder is expected"), say("such as starter/games.txt"))
    return value


def _locked(value: Any) -> Any:
    # One check for both, because pydantic would report for each choice of a union
    # that it failed.
    if value is not True and value is not False and value != "ordered":
        raise refusal(say("'{value}' is not known", value=value), say("true, false or ordered"))
    return value


_Identifier = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=63)]
_Text = Annotated[str, Field(min_length=1)]
_HostName = Annotated[bytes, PlainValidator(_host_name)]
_Format = Annotated[str, PlainValidator(_format)]
_Locked = Annotated[bool | Literal["ordered"], PlainValidator(_locked)]
_RelativePath = Annotated[str, PlainValidator(_relative_path)]
_WebAddress = Annotated[str, Field(pattern=r"^https://[!-~]+$")]
_ServiceName = Annotated[
    bytes, PlainValidator(lambda value: name_of_service(_host_name(value), value))
]
IsoDate = Annotated[str, PlainValidator(_date), WithJsonSchema({"type": "string"})]
"""A day, as ``2026-09-02``."""

MAX_CANARIES = 50
"""Of each category; a school asks for them after every change."""


class BothLanguages(DocumentModel):
    """A text for people, in Vietnamese and English."""

    vi: _Text
    en: _Text


class PartEntry(DocumentModel):
    """A part of a category: settings of the whole hold for it, too."""

    id: _Identifier
    name: BothLanguages
    description: BothLanguages
    min_age: Annotated[int, Field(ge=0, le=18)] | None = None
    rating: Rating | None = None
    legal_basis: tuple[_Text, ...]
    review_date: IsoDate | None = None
    locked: _Locked = False
    security: bool = False
    sinkhole: bool = True
    confidential: bool = False
    guarded: bool = False


class CategoryEntry(PartEntry):
    """A category of lists."""

    parts: tuple[PartEntry, ...] = ()


class ShareEntry(DocumentModel):
    """The part of one public source in a list; written by a build."""

    id: _Identifier
    names: Annotated[int, Field(ge=0)]
    only: Annotated[int, Field(ge=0)]
    left_out: Annotated[int, Field(ge=0)] = 0
    popular: Annotated[tuple[_HostName, ...], Field(max_length=MAX_CANARIES)] = ()
    date: IsoDate | None = None


class FolderList(DocumentModel):
    """A list whose file is in the folder."""

    id: _Identifier
    title: _Text
    category: _Identifier
    format: _Format
    file: _RelativePath
    own: bool = False
    subtrees: bool = False
    part: _Identifier | None = None
    made_of: tuple[ShareEntry, ...] = ()


class SourceEntry(DocumentModel):
    """A list of another publisher."""

    id: _Identifier
    title: _Text
    category: _Identifier
    format: _Format
    address: _WebAddress
    homepage: _WebAddress
    licence: _Text
    attribution: _Text
    checked: bool = False
    subtrees: bool = False
    mirrors: tuple[_WebAddress, ...] = ()
    member: str = ""
    names: Annotated[int, Field(ge=0)] = 0
    recommended: bool = False
    republish: bool = True
    part: _Identifier | None = None
    between_nights: bool = False


class PinEntry(DocumentModel):
    """A pin."""

    name: _HostName
    subtree: bool = False
    reason: _Text


class ProtectionEntry(DocumentModel):
    """A name that third-party lists may not block."""

    name: _HostName
    subtree: bool = True
    reason: _Text
    except_categories: frozenset[_Identifier] = frozenset()


class PopularEntry(DocumentModel):
    """Popular names, with the categories that may block them."""

    names: Annotated[tuple[_HostName, ...], Field(min_length=1)]
    except_categories: frozenset[_Identifier] = frozenset()


class EngineEntry(DocumentModel):
    """Hosts of a search engine, and the host that replaces them in safe mode."""

    target: _HostName
    names: Annotated[tuple[_HostName, ...], Field(min_length=1)]


class YoutubeEntry(DocumentModel):
    """Hosts of YouTube, and the hosts that replace them in Restricted Mode."""

    moderate: _HostName
    strict: _HostName
    names: Annotated[tuple[_HostName, ...], Field(min_length=1)]


class FolderService(DocumentModel):
    """A service: a product and its domain names."""

    id: _Identifier
    name: BothLanguages
    group: _Identifier
    min_age: Annotated[int, Field(ge=0, le=18)] | None = None
    names: Annotated[tuple[_ServiceName, ...], Field(min_length=1)]
    part: _Identifier | None = None
    terms_date: IsoDate | None = None
    note: BothLanguages | None = None


class HolidayEntry(DocumentModel):
    """Days without school; one day where ``last`` is left out."""

    first: IsoDate
    last: IsoDate | None = None
    name: BothLanguages

    @model_validator(mode="after")
    def _is_in_order(self) -> HolidayEntry:
        if self.last is not None and self.last < self.first:
            raise refusal(say("the holiday ends before it begins"), say("swap first and last"))
        return self


class CanaryEntry(DocumentModel):
    """Names that must be blocked where a category is closed."""

    category: _Identifier
    names: Annotated[tuple[_HostName, ...], Field(min_length=1, max_length=MAX_CANARIES)]


class CanariesFile(DocumentModel):
    """``canaries.yaml``."""

    canaries: tuple[CanaryEntry, ...]


class CategoriesFile(DocumentModel):
    """``categories.yaml``."""

    categories: tuple[CategoryEntry, ...]


class CatalogFile(DocumentModel):
    """``catalog.yaml``."""

    lists: tuple[FolderList, ...]
    sources: tuple[SourceEntry, ...] = ()


class PinsFile(DocumentModel):
    """``pins.yaml``."""

    pins: tuple[PinEntry, ...]


class PopularFile(DocumentModel):
    """``popular.yaml``."""

    popular: Annotated[tuple[PopularEntry, ...], Field(min_length=1)]
    words: Annotated[
        frozenset[Annotated[str, Field(pattern="^[a-z]{2,30}$")]], Field(max_length=5_000)
    ] = frozenset()


class HelpEntry(DocumentModel):
    """Names of help of one kind, and where they were seen with their owners."""

    about: BothLanguages
    source: _Text
    names: Annotated[tuple[_HostName, ...], Field(min_length=1)]


class HelpFile(DocumentModel):
    """``help.yaml``."""

    help: Annotated[tuple[HelpEntry, ...], Field(min_length=1)]


class ProtectFile(DocumentModel):
    """``protect.yaml``."""

    protections: tuple[ProtectionEntry, ...]


class SafeSearchFile(DocumentModel):
    """``safe_search.yaml``."""

    engines: tuple[EngineEntry, ...]
    youtube: YoutubeEntry


class ServicesFile(DocumentModel):
    """``services.yaml``."""

    services: tuple[FolderService, ...]


class HolidaysFile(DocumentModel):
    """``holidays.yaml``."""

    holidays: tuple[HolidayEntry, ...]
