# SPDX-License-Identifier: Apache-2.0
"""Read the tables beside a catalogue.

They are canaries, contacts, and popular names that must stay open:

``canaries.yaml``  of each category some names that must be blocked where it is closed
``contacts.yaml``  contacts for schools; optional, and nothing depends on it
``popular.yaml``   ships with the program and is read from there only: a publisher of lists
                   cannot change what those lists are judged by

Like the catalogue this brings pydantic, so the serving process never imports it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NamedTuple

from pydantic import Field, model_validator

from filterd.base.errors import ConfigError, ConfigErrors, FilterdError
from filterd.base.paths import shipped
from filterd.documents import DocumentModel, dump, load, refusal, repeated, validate
from filterd.lists.catalogs.catalog import load_categories
from filterd.lists.catalogs.catalog_categories import with_parts
from filterd.lists.catalogs.catalog_schema import (
    MAX_CANARIES,
    BothLanguages,
    CanariesFile,
    PopularFile,
)
from filterd.lists.rules import MADE_CANARY
from filterd.texts.i18n import say
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from filterd.documents import Document, Where

CANARIES_FILE, CONTACTS_FILE = "canaries.yaml", "contacts.yaml"
WATCHED = 5
"""Canaries of locked categories that the daemon is asked for after a version is activated."""


class PopularName(NamedTuple):
    """A wire name that must stay open.

    ``except_categories``: ids of categories that may block it: vk.com is ``social-media``,
    and a grade without that category rightly does not get it.
    """

    name: bytes
    except_categories: frozenset[str] = frozenset()


def load_popular_names(path: Path | None = None) -> tuple[PopularName, ...]:
    """Return the popular names in the order of the file.

    Args:
        path: the file; the shipped one if left out.

    Raises:
        ConfigErrors: the file has errors; all of them, each with its place.
        ConfigError: it cannot be read or is no YAML.
        StoreError: filterd is installed without it.
    """
    document, file = _popular_file(path)
    if problems := list(_repeated(document, file)):
        raise ConfigErrors(problems)
    parts = {category.id: category.part_of for category in load_categories(shipped("blocklists"))}
    return tuple(
        PopularName(name, with_parts(one.except_categories, parts))
        for one in file.popular
        for name in one.names
    )


def load_ordinary_words(path: Path | None = None) -> frozenset[str]:
    """Return the words that names of every kind have: ``game``, ``thethao``.

    Args:
        path: as in ``load_popular_names``, with its errors.
    """
    return _popular_file(path)[1].words


def _popular_file(path: Path | None) -> tuple[Document, PopularFile]:
    document = load(path or shipped("blocklists") / "popular.yaml")
    return document, validate(document, PopularFile)


def _repeated(document: Document, file: PopularFile) -> Iterator[ConfigError]:
    """Find names that occur twice, with perhaps different categories."""
    names: Iterator[tuple[bytes, Where]] = (
        (name, ("popular", index, "names", position))
        for index, group in enumerate(file.popular)
        for position, name in enumerate(group.names)
    )
    return repeated(document, names, say("this name occurs twice"))


_Line = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f-\x9f]+$", max_length=120)]


class Contact(DocumentModel):
    """A contact for questions about ``about``, reachable in at least one way."""

    about: BothLanguages
    name: _Line
    phone: _Line | None = None
    email: _Line | None = None
    web: _Line | None = None

    @model_validator(mode="after")
    def _can_be_reached(self) -> Contact:
        if self.ways:
            return self
        raise refusal(
            say("no address is known for {name}", name=self.name),
            say("write `phone`, `email` or `web`"),
        )

    @property
    def ways(self) -> str:
        """The ways to reach it, in a line."""
        return ", ".join(one for one in (self.phone, self.email, self.web) if one)


class ContactsFile(DocumentModel):
    """The whole file."""

    contacts: Annotated[tuple[Contact, ...], Field(max_length=20)]


def load_contacts(folder: Path) -> tuple[Contact, ...]:
    """Return the contacts of a folder, none where it has no such file.

    Raises:
        ConfigErrors: the file is wrong.
    """
    path = folder / CONTACTS_FILE
    return validate(load(path), ContactsFile).contacts if path.exists() else ()


def contacts_or_none(folder: Path) -> tuple[Contact, ...]:
    """Return the contacts of a folder; none where they cannot be read."""
    try:
        return load_contacts(folder)
    except ConfigError:
        return ()


def read_canaries(folder: Path) -> dict[str, tuple[bytes, ...]]:
    """Return the canaries of a version by category.

    Raises:
        ConfigErrors: the file is wrong.
        ConfigError: it cannot be read.
    """
    canaries = dict[str, tuple[bytes, ...]]()
    for entry in validate(load(folder / CANARIES_FILE), CanariesFile).canaries:
        canaries[entry.category] = (*canaries.get(entry.category, ()), *entry.names)
    return canaries


def locked_canaries(folder: Path) -> tuple[str, ...]:
    """Return one canary of each of some locked categories.

    There are none where the tables cannot be read.
    """
    try:
        locked = {category.id for category in load_categories(folder) if category.locked}
        canaries = read_canaries(folder)
    except FilterdError:
        return ()
    return tuple(names.to_text(some[0]) for one, some in canaries.items() if one in locked)[
        :WATCHED
    ]


def canaries_yaml(
    canaries: Mapping[str, Sequence[str]], wholes: Mapping[str, str] | None = None
) -> bytes:
    """Return ``canaries.yaml`` with names by category, those made for it first.

    Args:
        canaries: names of the lists of each category.
        wholes: by the id of each part, the category that asks for its names, too: a program that
            knows no parts has them there.
    """
    asked = {category: list(listed) for category, listed in canaries.items()}
    for part, whole in (wholes or {}).items():
        asked.setdefault(whole, []).extend(canaries.get(part, ()))
    entries = []
    for category, listed in asked.items():
        chosen = sorted(listed, key=lambda name: not name.endswith(MADE_CANARY))[:MAX_CANARIES]
        if chosen:
            entries.append({"category": category, "names": chosen})
    return dump({"canaries": entries})
