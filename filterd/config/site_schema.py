# SPDX-License-Identifier: Apache-2.0
"""The schema of ``site.yaml``: one school, its networks, and its own rules.

These models check each value for itself. ``compile`` checks that the values agree with
each other, with the tier files and with the catalogue.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainValidator,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from filterd.base.addresses import ANY_IPV4
from filterd.base.errors import ChangeError
from filterd.config.firewall_schema import FirewallEntry
from filterd.config.reporting_schema import AlertsEntry, LogEntry, ReportEntry
from filterd.config.scalars import (
    SYSTEM,
    Cidr,
    ClassId,
    Endpoint,
    FeedAddress,
    ForWhom,
    Grade,
    Identifier,
    ListAddress,
    ListenEndpoint,
    ListFormat,
    Mac,
    Name,
    NameToClose,
    NameToOpen,
    Time,
    TimeZone,
    TlsEndpoint,
    UserName,
    Whom,
    endpoint,
    is_endpoint_with_port,
)
from filterd.config.tiers import KeptClosed, ServiceEntry, Settings
from filterd.config.week_schema import (
    Holidays,
    LessonTime,
    ScheduledEntry,
    TimeSpan,
    Timetable,
    WindowEntry,
)
from filterd.documents import DocumentModel, OrElse, refusal
from filterd.policy.field_checks import is_school_code, plain
from filterd.policy.model import LeaseFormat
from filterd.texts.i18n import say

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
"""The default of ``allow_from``: this machine and every private network.

Clients in a network of the site, or directly connected on its side of the gateway
(``filterd.clients``), may ask too: a provider's IPv6 prefix is a public one.
"""

VERSION = 1
"""Of the keys of ``site.yaml``; ``site_reader`` brings an older file up to it."""

_DNS_PORT, _TLS_PORT = 53, 853


class School(DocumentModel):
    """The school."""

    name: str = Field(
        min_length=1, max_length=200, description="The school's name, for pages and reports."
    )
    code: str = Field("", description="The ministry's code of the school; it survives a renaming.")
    contact: str = Field(
        "",
        max_length=120,
        description="Whom pupils may turn to, with a telephone: it stands on their page.",
    )

    @field_validator("name", "contact")
    @classmethod
    def _is_plain(cls, text: str, info: ValidationInfo) -> str:
        called = say("the contact") if info.field_name == "contact" else say("the school's name")
        try:
            return plain(text, called)
        except ChangeError as error:
            raise refusal(error.reason, error.hint) from error

    @field_validator("code")
    @classmethod
    def _is_code(cls, text: str) -> str:
        if text and not is_school_code(text):
            raise refusal(say("this is not the code of a school"), say("such as: 79000123"))
        return text


class ClassEntry(DocumentModel):
    """A class (lớp), and its teachers."""

    grade: Grade = Field(description="Its grade.")
    teachers: tuple[UserName, ...] = Field(
        (), description="Users of the gateway who teach it; they may change what it sees."
    )


class NetworkEntry(DocumentModel):
    """How the clients of a network are recognised, and which grade they then have."""

    timetable: Timetable = Field(
        {}, description="The lessons in this room: weekday, lesson, grade or class."
    )
    class_: ClassId | None = Field(
        None, alias="class", description="The class whose home room it is, in the place of a grade."
    )
    grade: Grade | None = Field(
        None,
        validate_default=True,
        description="The grade of everybody in it; a room with a timetable needs none.",
    )
    on_holidays: bool = Field(
        False, description="Its timetable also applies on holidays; otherwise no lesson then."
    )
    room: bool = Field(
        False, description="A room: commands change its grade. Implied by a timetable."
    )
    cidrs: tuple[Cidr, ...] = Field((), description="Its address ranges; the longest prefix wins.")
    interfaces: tuple[str, ...] = Field(
        (), description="Interfaces of the gateway, for clients in no address range."
    )
    macs: tuple[Mac, ...] = Field(
        (), description="MAC addresses of its devices; they go before address ranges."
    )

    @field_validator("grade")
    @classmethod
    def _is_there(cls, grade: str | None, info: ValidationInfo) -> str | None:
        has_class = info.data.get("class_", "wrong") is not None
        has_lessons = any(info.data.get("timetable", {"": "wrong"}).values())
        if grade is None and not has_class and not has_lessons:
            raise PydanticCustomError("missing", "reported as any missing key")
        if grade is not None and info.data.get("class_") is not None:
            raise refusal(say("a class has its own grade"), say("remove grade:"))
        return grade

    @model_validator(mode="after")
    def _is_recognisable(self) -> NetworkEntry:
        is_to_learn = self.is_room or "macs" in self.model_fields_set
        if not (self.cidrs or self.interfaces or is_to_learn):
            raise refusal(
                say("no client can be recognised as of this network"),
                say(
                    "give it cidrs, interfaces or macs; macs: [] for devices that commands put"
                    " there"
                ),
            )
        if self.on_holidays and not self.timetable:
            raise refusal(
                say("without a timetable, on_holidays has no effect"),
                say("remove on_holidays, or give it a timetable"),
            )
        return self

    @property
    def seat(self) -> str | None:
        """Its class, else its grade; None where only the timetable has it."""
        return self.class_ or self.grade

    @property
    def is_room(self) -> bool:
        """Whether its grade may change; a room may have no devices yet, they are learned."""
        return self.room or bool(self.timetable)


def _upstream(value: Any) -> Any:
    if value == SYSTEM:
        return Endpoint(SYSTEM, _DNS_PORT)
    return endpoint(value)


class UpstreamEntry(DocumentModel):
    """A resolver to ask; text alone is its ``server``."""

    server: Annotated[Endpoint, PlainValidator(_upstream), WithJsonSchema({"type": "string"})] = (
        Field(description="Its address and port, or system for the servers of resolv.conf.")
    )
    tls: Literal["strict", "opportunistic"] | None = Field(
        None, description="Use TLS: strict checks the certificate, opportunistic does not."
    )
    name: str = Field("", description="The name in its certificate; its address if left out.")
    trusted: bool = Field(
        False, description="It validates DNSSEC and the way to it is safe: pass its AD bit on."
    )

    @model_validator(mode="after")
    def _is_whole(self) -> UpstreamEntry:
        if self.name and self.tls is None:
            raise refusal(say("a name is checked only with TLS"), say("add tls: strict"))
        if self.server.address == SYSTEM and self.tls == "strict":
            raise refusal(
                say("the names of the system's servers are not known"), say("give an address")
            )
        return self


def _text_is_the_server(value: Any) -> Any:
    """Read plain text as a server; where TLS is asked for, its port is the usual one."""
    if isinstance(value, str):
        return {"server": value}
    if isinstance(value, dict) and value.get("tls") and isinstance(value.get("server"), str):
        server = value["server"]
        if server != SYSTEM and not is_endpoint_with_port(server):
            shown = f"[{server}]" if ":" in server and not server.startswith("[") else server
            return {**value, "server": f"{shown}:{_TLS_PORT}"}
    return value


Upstream = Annotated[
    UpstreamEntry, BeforeValidator(_text_is_the_server), OrElse(UpstreamEntry, {"type": "string"})
]


class RateLimitEntry(DocumentModel):
    """The UDP questions of one client before it is sent to TCP."""

    queries_a_second: Annotated[int, Field(ge=1, le=10_000_000)] = Field(
        200, description="How many questions a second one client may ask for long."
    )
    burst: Annotated[int, Field(ge=1, le=10_000_000)] = Field(
        2_000, description="How many it may ask at once after a pause."
    )


class LeaseFileEntry(DocumentModel):
    """A file in which the school's DHCP server keeps its leases."""

    file: str = Field(pattern=r"^/", description="Its absolute path.")
    format: LeaseFormat = Field(description="Its program: dnsmasq or kea.")


class LeasesEntry(DocumentModel):
    """The lease files of the DHCP server."""

    files: tuple[LeaseFileEntry, ...] = Field(min_length=1, description="Its files of leases.")
    zone: Name | None = Field(
        None, description="The zone in which devices get the names that they gave; none if not set."
    )


class ExceptionEntry(DocumentModel):
    """A dated local allow or block of a name and everything beneath it."""

    allow: NameToOpen | None = Field(
        None, description="The name that is let through; a suffix is written *.edu.vn."
    )
    block: NameToClose | None = Field(
        None, description="The name that is blocked; a registry's suffix is written *.com.vn."
    )
    for_: ForWhom = Field(
        Whom(), alias="for", description="Everybody, or one tier, grade, class, network or client."
    )
    reason: str = Field(min_length=3, description="Why; it is shown and reported.")
    author: str = Field("", description="The person who decided.")
    from_: Time | None = Field(None, alias="from", description="When it begins.")
    until: Time | None = Field(None, description="When it ends; a date alone is that day's end.")

    @model_validator(mode="after")
    def _is_one_or_the_other(self) -> ExceptionEntry:
        if (self.allow is None) is (self.block is None):
            raise refusal(
                say("an exception allows one name or blocks one"), say("write allow: or block:")
            )
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

    id: Identifier = Field(description="The name of the list in verdicts.")
    file: str = Field(min_length=1, description="Its file, beneath the folder of site.yaml.")
    format: str = Field(
        "domains", description="One of the formats that blocklists/README.md names."
    )
    category: Identifier = Field(description="The category of everything in it.")
    subtrees: bool = Field(
        False, description="Whether an entry for one host includes everything beneath it."
    )


class FollowEntry(DocumentModel):
    """A public list to follow; text alone is the ``id`` of a catalogued one."""

    id: Identifier | None = Field(
        None, description="Its id in the catalogue, or recommended; of another one as you like."
    )
    url: ListAddress | None = Field(None, description="Its https address, if not catalogued.")
    category: Identifier | None = Field(None, description="The category of everything in it.")
    format: ListFormat = Field("domains", description="The syntax of its lines.")
    subtrees: bool = Field(
        False, description="Whether an entry for one host includes everything beneath it."
    )

    @model_validator(mode="after")
    def _is_one_kind(self) -> FollowEntry:
        if self.url is None and (self.id is None or self.model_fields_set != {"id"}):
            raise refusal(
                say("a catalogued list has an id only"),
                say("give another one a url and a category"),
            )
        if self.url is not None and self.category is None:
            raise refusal(say("its category is missing"), say("such as category: gambling"))
        return self


def _text_is_the_id(value: Any) -> Any:
    return {"id": value} if isinstance(value, str) else value


Follow = Annotated[
    FollowEntry, BeforeValidator(_text_is_the_id), OrElse(FollowEntry, {"type": "string"})
]


_HOUR_S = 3_600


def _is_an_hour(window: TimeSpan) -> TimeSpan:
    if window.ends_s - window.starts_s < _HOUR_S:
        raise refusal(say("the window is shorter than an hour"), say("such as 03:00-05:00"))
    return window


class BackupEntry(DocumentModel):
    """The nightly backup."""

    to: str = Field(pattern=r"^/.", description="A folder on another disk: a stick, a share.")
    keep: Annotated[int, Field(ge=2, le=365)] = Field(7, description="How many stay there.")
    recovery_key: Annotated[str, Field(pattern=r"^age1[0-9a-z]{58}$")] | None = Field(
        None, description="The province's key, which alone decrypts passwords and keys."
    )


class UpdateEntry(DocumentModel):
    """When new releases of filterd itself are installed, which the feed brings."""

    automatic: bool = Field(
        True, description="Install them without a command, in the window, once other schools have."
    )
    window: Annotated[LessonTime, AfterValidator(_is_an_hour)] = Field(
        "03:00-05:00",
        validate_default=True,
        description="From when until when, at least an hour.",
    )


class SiteFile(DocumentModel):
    """The file ``site.yaml``: one school."""

    version: Annotated[int, Field(ge=1, le=VERSION)] = Field(
        1, description="Of the keys of this file; 1 if left out."
    )
    school: School = Field(description="The school.")
    time_zone: TimeZone = Field(
        "Asia/Ho_Chi_Minh",
        validate_default=True,  # a small system may have no zones at all
        description="The IANA zone of all times here.",
    )
    language: Literal["vi", "en"] = Field("vi", description="The language of messages.")
    listen: tuple[ListenEndpoint, ...] = Field(
        (Endpoint(ANY_IPV4, 53), Endpoint("::", 53)),
        min_length=1,
        description="Addresses to answer on, by UDP and TCP; port 53 where none is written.",
    )
    listen_tls: tuple[TlsEndpoint, ...] | None = Field(
        None, description="The same by TLS, on port 853; default: beside each port 53 of listen."
    )
    allow_from: tuple[Cidr, ...] = Field(
        PRIVATE_RANGES,
        description="Ranges that may ask, beside the networks; others get no answer.",
    )
    lan_interfaces: tuple[str, ...] = Field(
        (), description="Interfaces whose directly connected prefixes may ask; default: found."
    )
    upstreams: tuple[Upstream, ...] = Field(
        default_factory=lambda: (UpstreamEntry.model_validate({"server": SYSTEM}),),
        min_length=1,
        description="Resolvers for names that pass: addresses, or system (resolv.conf).",
    )
    randomise_case: bool = Field(
        False, description="Vary the letter case of questions (0x20), which forgers must guess."
    )
    workers: Annotated[int, Field(ge=1, le=16)] = Field(
        1, description="The number of processes that answer; one is enough for a school."
    )
    rate_limit: RateLimitEntry = Field(
        RateLimitEntry(), description="The UDP questions of one client before it is sent to TCP."
    )
    log: LogEntry = Field(
        default_factory=lambda: LogEntry.model_validate({}), description="The record of lookups."
    )
    alerts: AlertsEntry | None = Field(None, description="Where alerts go: mail, a webhook.")
    report: ReportEntry | None = Field(
        None, description="Reports: letterhead, programmes, terms, schedule."
    )
    backup: BackupEntry | None = Field(None, description="The nightly backup.")
    cache_size_mb: Annotated[int, Field(ge=1, le=4096)] = Field(
        32, description="The memory of each worker for answers, in MiB."
    )
    leases: LeasesEntry | None = Field(None, description="The lease files of the DHCP server.")
    allow_private_answers: tuple[NameToOpen, ...] = Field(
        (), description="Public names that may lead to private addresses."
    )
    classes: dict[ClassId, ClassEntry] = Field(
        default_factory=dict, description="The classes by name, such as 6A, and the grade of each."
    )
    networks: dict[Identifier, NetworkEntry] = Field(
        default_factory=dict, description="The networks by id, and the grade of each."
    )
    unknown: Grade | None = Field(
        None, description="The grade of clients in no network; else the strictest of the networks."
    )
    lessons: dict[Identifier, LessonTime] = Field(
        default_factory=dict, description="Lessons and breaks: an id, and from when until when."
    )
    holidays: Holidays = Field((), description="Days without school, beside public holidays.")
    schedules: dict[Identifier, Annotated[tuple[WindowEntry, ...], Field(min_length=1)]] = Field(
        default_factory=dict, description="Named times: each is open while one of its windows is."
    )
    scheduled: tuple[ScheduledEntry, ...] = Field(
        (), description="What schedules open and close, and for which clients."
    )
    services: dict[Identifier, ServiceEntry] = Field(
        default_factory=dict, description="The school's own services, by id."
    )
    keep_closed: KeptClosed = Field(
        KeptClosed(), description="Things that no grade and no command opens."
    )
    firewall: FirewallEntry = Field(
        default_factory=lambda: FirewallEntry.model_validate({}),
        description="What the firewall closes to pupils, guests and staff.",
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
    feed: FeedAddress | None = Field(
        None, description="Address of the feed with the lists; without it the shipped lists."
    )
    update: UpdateEntry = Field(
        default_factory=lambda: UpdateEntry.model_validate({}),
        description="When new releases of filterd itself are installed.",
    )
    follow: tuple[Follow, ...] = Field(
        (), description="Public lists to follow, alone or beside the feed: ids, or addresses."
    )
