# SPDX-License-Identifier: Apache-2.0
"""The schema of a tier's file, of a grade, and of the school's own services.

A tier and a grade have the same settings. A missing one is inherited: a grade takes it
from its tier, a tier from the one that it inherits, and that one from ``DEFAULTS``.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainValidator, WithJsonSchema

from filterd.base.addresses import ANY_IPV4
from filterd.config.scalars import Identifier, IPv4Text, IPv6Text, Tier, name_from
from filterd.documents import DocumentModel, OrElse
from filterd.lists.catalogs.catalog_schema import name_of_service
from filterd.policy.model import BlockResponse

AGE_OF_GRADE = {
    "preschool": 3,
    **{str(number): number + 5 for number in range(1, 13)},
    "continuing": 15,
    "staff": 18,
    "guest": 3,  # the age of a guest is unknown, so the strictest
}
"""The age in years of the youngest in a grade."""


class Words(DocumentModel):
    """One text in the languages that filterd speaks."""

    vi: str = Field(description="In Vietnamese.")
    en: str = Field(description="In English.")


def _text_is_both(value: Any) -> Any:
    return {"vi": value, "en": value} if isinstance(value, str) else value


_ServiceName = Annotated[
    bytes,
    PlainValidator(lambda value: name_of_service(name_from(value), value)),
    WithJsonSchema({"type": "string"}),
]


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
    """Services named one by one, which are judged neither by age nor by category."""

    block: tuple[Identifier, ...] = Field((), description="Services closed here.")
    allow: tuple[Identifier, ...] = Field((), description="Services open here, whatever the age.")


class KeptClosed(DocumentModel):
    """Closed where the tier closes it; no grade and no command opens it."""

    categories: tuple[Identifier, ...] = Field((), description="Categories.")
    services: tuple[Identifier, ...] = Field((), description="Services.")


class Categories(DocumentModel):
    """Categories named one by one; a category that is named here is not judged by age."""

    block: tuple[Identifier, ...] = Field((), description="Categories closed here.")
    allow: tuple[Identifier, ...] = Field((), description="Categories open here, whatever the age.")


class Sinkhole(DocumentModel):
    """The addresses that a sinkhole answers with."""

    ipv4: IPv4Text = Field(ANY_IPV4, description="The answer to A.")
    ipv6: IPv6Text = Field("::", description="The answer to AAAA.")


class Settings(DocumentModel):
    """The settings of a tier or a grade; None is inherited."""

    categories: Categories = Field(
        Categories(), description="Categories closed or open, whatever the age."
    )
    services: ServiceSettings = Field(
        ServiceSettings(), description="Services closed or open, whatever age and category."
    )
    by_age: bool | None = Field(
        None, description="Close every other category whose min_age is above the grade's age."
    )
    block_response: BlockResponse | None = Field(
        None, description="The answer to a blocked question: nxdomain, nodata or sinkhole."
    )
    sinkhole: Sinkhole | None = Field(
        None, description="The addresses that block_response sinkhole answers with."
    )
    client_ttl_max_s: Annotated[int, Field(ge=1, le=86400)] | None = Field(
        None, description="The longest, in seconds, that a device may remember an answer."
    )
    safe_search: Literal["off", "on"] | None = Field(
        None, description="Whether search engines are held to their safe mode."
    )
    youtube: Literal["off", "moderate", "strict"] | None = Field(
        None, description="The level of YouTube's Restricted Mode."
    )
    ech: Literal["allow", "strip"] | None = Field(
        None, description="Whether devices get the keys for Encrypted Client Hello."
    )


DEFAULTS = Settings(
    by_age=True,
    block_response=BlockResponse.NXDOMAIN,
    sinkhole=Sinkhole(),
    client_ttl_max_s=600,
    safe_search="off",
    youtube="off",
    ech="allow",
)


class TierFile(Settings):
    """A file ``<tier>.yaml``: the rules of one age tier."""

    tier: Tier = Field(description="The tier that this file is about; the file is named after it.")
    description: Words = Field(description="The name of the tier for people.")
    inherits: Tier | None = Field(
        None, description="Another tier, whose settings apply where this file sets none."
    )
