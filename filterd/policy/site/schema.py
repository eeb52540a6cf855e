# SPDX-License-Identifier: Apache-2.0
"""What ``site.yaml`` may say: one school, its networks, and where it differs.

These models check each value for itself. Whether the values fit each other, the
tier files and the catalogue is ``compile``'s to check.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from filterd.documents import DocumentModel, refusal
from filterd.policy.site.tiers import Settings  # noqa: TC001 -- pydantic reads it at run time
from filterd.policy.site.values import (
    SYSTEM,
    Address,
    Cidr,
    Endpoint,
    Grade,
    Identifier,
    ListenEndpoint,
    Name,
    Tier,
    Time,
    TimeZone,
    UpstreamEndpoint,
)

PRIVATE_RANGES = (
    "127.0.0.0/8",
    "::1/128",
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
    "169.254.0.0/16",
    "fc00::/7",
    "fe80::/10",
)
"""Who may ask where the site does not say: this machine and every private network."""


class School(DocumentModel):
    """Who runs this."""

    name: str = Field(min_length=1, description="The school's name, for pages and reports.")
    code: str = Field("", description="The ministry's code of the school; it survives a renaming.")


class NetworkEntry(DocumentModel):
    """How the clients of one network are recognised, and the grade that they then have."""

    grade: Grade = Field(description="The grade of everybody in this network.")
    cidrs: tuple[Cidr, ...] = Field((), description="Its address ranges; the longest prefix wins.")
    interfaces: tuple[str, ...] = Field(
        (), description="Interfaces of the gateway; they tell where no range does."
    )

    @model_validator(mode="after")
    def _is_recognisable(self) -> NetworkEntry:
        if not self.cidrs and not self.interfaces:
            raise refusal("nothing tells this network", "give it cidrs or interfaces")
        return self


class Whom(DocumentModel):
    """For whom an exception is; with no key at all, for everybody."""

    tier: Tier | None = Field(None, description="Everybody of this tier.")
    grade: Grade | None = Field(None, description="Everybody of this grade.")
    network: Identifier | None = Field(None, description="Everybody in this network.")
    client: Address | None = Field(None, description="The device with this address.")

    @model_validator(mode="after")
    def _is_one(self) -> Whom:
        if len(self.model_dump(exclude_none=True)) > 1:
            raise refusal("an exception is for one audience", "write one exception for each")
        return self


def _everybody_is_no_key(value: Any) -> Any:
    if value == "everybody":
        return {}
    if isinstance(value, str):
        raise refusal(f"'{value}' is nobody", "everybody, or {grade: 6}, {network: library}, ...")
    return value


_WHOM_SCHEMA = WithJsonSchema({"anyOf": [{"const": "everybody"}, Whom.model_json_schema()]})


class ExceptionEntry(DocumentModel):
    """A dated local allow or block of a name and everything beneath it."""

    allow: Name | None = Field(None, description="The name that is let through.")
    block: Name | None = Field(None, description="The name that is blocked.")
    for_: Annotated[Whom, BeforeValidator(_everybody_is_no_key), _WHOM_SCHEMA] = Field(
        Whom(), alias="for", description="Everybody, or one tier, grade, network or client."
    )
    reason: str = Field(min_length=3, description="Why; it is shown and reported.")
    author: str = Field("", description="Who decided it.")
    from_: Time | None = Field(None, alias="from", description="When it begins.")
    until: Time | None = Field(None, description="When it ends; a date alone is that day's end.")

    @model_validator(mode="after")
    def _is_one_or_the_other(self) -> ExceptionEntry:
        if (self.allow is None) is (self.block is None):
            raise refusal("an exception allows one name or blocks one", "write allow: or block:")
        return self


class LocalZoneEntry(DocumentModel):
    """A zone that filterd answers itself, completely."""

    name: Name = Field(description="The zone; a name beneath it that has no record does not exist.")
    records: tuple[str, ...] = Field(
        (), description="Lines like a zone file's: owner, TTL or none, type, data."
    )


class DelegatedZoneEntry(DocumentModel):
    """A zone that only its own servers are asked about."""

    name: Name = Field(description="The zone, such as the school's Active Directory domain.")
    servers: tuple[ListenEndpoint, ...] = Field(min_length=1, description="Its servers.")


class ListEntry(DocumentModel):
    """A list of the school's own."""

    id: Identifier = Field(description="What decisions call the list.")
    file: str = Field(min_length=1, description="Its file, beneath the folder of site.yaml.")
    format: str = Field(
        "domains", description="One of the formats that blocklists/README.md names."
    )
    category: Identifier = Field(description="The category of everything in it.")


class SiteFile(DocumentModel):
    """The file ``site.yaml``: one school."""

    school: School = Field(description="Who runs this.")
    time_zone: TimeZone = Field(
        "Asia/Ho_Chi_Minh",
        validate_default=True,  # a small system may have no zones at all
        description="The IANA zone of all times here.",
    )
    language: Literal["vi", "en"] = Field("vi", description="The language of messages.")
    listen: tuple[ListenEndpoint, ...] = Field(
        (Endpoint("0.0.0.0", 53), Endpoint("::", 53)),  # noqa: S104 -- a gateway serves its networks
        min_length=1,
        description="Addresses to answer on, by UDP and TCP; port 53 where none is written.",
    )
    allow_from: tuple[Cidr, ...] = Field(
        PRIVATE_RANGES, description="Who may ask, beside the networks below; others get silence."
    )
    upstreams: tuple[UpstreamEndpoint, ...] = Field(
        (Endpoint(SYSTEM, 53),),
        min_length=1,
        description="Whom to ask what may pass: addresses, or system for resolv.conf's servers.",
    )
    networks: dict[Identifier, NetworkEntry] = Field(
        default_factory=dict, description="The networks by id, and the grade of each."
    )
    unknown: Grade | None = Field(
        None, description="The grade of clients in no network; else the strictest of the networks."
    )
    grades: dict[Grade, Settings] = Field(
        default_factory=dict, description="Where a grade differs from its tier."
    )
    exceptions: tuple[ExceptionEntry, ...] = Field(
        (), description="Names that the school itself allows or blocks."
    )
    local_zones: tuple[LocalZoneEntry, ...] = Field((), description="Zones answered here.")
    delegated_zones: tuple[DelegatedZoneEntry, ...] = Field(
        (), description="Zones asked of their own servers."
    )
    lists: tuple[ListEntry, ...] = Field((), description="The school's own lists.")
