# SPDX-License-Identifier: Apache-2.0
"""The schema of services and of ``keep_closed`` in a site's files."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainValidator, WithJsonSchema

from filterd.config.scalars import Identifier, name_from
from filterd.documents import DocumentModel, OrElse, refusal
from filterd.i18n import say
from filterd.lists.catalog_schema import unfit


class Words(DocumentModel):
    """One text in the languages that filterd speaks."""

    vi: str = Field(description="In Vietnamese.")
    en: str = Field(description="In English.")


def _text_is_both(value: Any) -> Any:
    return {"vi": value, "en": value} if isinstance(value, str) else value


def _service_name(value: Any) -> bytes:
    name = name_from(value)
    if why := unfit(name):
        raise refusal(
            say("'{value}' {why}", value=value, why=why),
            say("name what belongs to the service alone"),
        )
    return name


_ServiceName = Annotated[bytes, PlainValidator(_service_name), WithJsonSchema({"type": "string"})]


class ServiceEntry(DocumentModel):
    """A service of the school's own: names that it wants to open or close together."""

    name: Annotated[Words, BeforeValidator(_text_is_both), OrElse(Words, {"type": "string"})] = (
        Field(description="Its name for people; one text, or vi and en.")
    )
    group: Identifier = Field(description="The category that it belongs to.")
    min_age: Annotated[int, Field(ge=0, le=18)] | None = Field(
        None, description="The age in years from which it suits; that of its category if left out."
    )
    names: tuple[_ServiceName, ...] = Field(
        min_length=1, description="Its names, each with all beneath it."
    )


class ServiceSettings(DocumentModel):
    """Services named one by one; one that is named here goes neither by age nor by category."""

    block: tuple[Identifier, ...] = Field((), description="Services closed here.")
    allow: tuple[Identifier, ...] = Field((), description="Services open here, whatever the age.")


class KeptClosed(DocumentModel):
    """Closed where the tier closes it; no grade and no command opens it."""

    categories: tuple[Identifier, ...] = Field((), description="Categories.")
    services: tuple[Identifier, ...] = Field((), description="Services.")
