# SPDX-License-Identifier: Apache-2.0
"""``contacts.yaml`` of a ``blocklists/`` folder: contacts for schools.

It is optional, and written by the publisher; the shipped folder has none. Nothing
depends on it: if it cannot be read, a school is shown no contact.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field, model_validator

from filterd.documents import DocumentModel, load, refusal, validate
from filterd.errors import ConfigError
from filterd.i18n import say
from filterd.lists.catalog_schema import BothLanguages  # noqa: TC001 -- pydantic needs it

if TYPE_CHECKING:
    from pathlib import Path

FILE = "contacts.yaml"

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
            say("nobody knows how to reach {name}", name=self.name),
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
    path = folder / FILE
    return validate(load(path), ContactsFile).contacts if path.exists() else ()


def contacts_or_none(folder: Path) -> tuple[Contact, ...]:
    """Return the contacts of a folder; none where they cannot be read."""
    try:
        return load_contacts(folder)
    except ConfigError:
        return ()
