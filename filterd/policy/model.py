# SPDX-License-Identifier: Apache-2.0
"""The compiled policy: all that the serving process knows of a site. Frozen data.

``filterd.config`` makes it from YAML in a process of its own; the serving process only loads it
(``filterd.policy.policy_file``). Nothing here must be parsed: names are wire names, addresses are
checked. Times of the school's week are seconds after midnight *as the clock on the wall shows them*
in its zone, dates ISO text; ``filterd.policy.calendar`` reads them.

Only ``Client`` is made at run time: the asking client as policy sees it.
"""

from __future__ import annotations

from dataclasses import field
from enum import StrEnum
from typing import TYPE_CHECKING

from filterd.base.state_file import ADDED
from filterd.base.value_class import frozen
from filterd.policy.firewall_settings import FirewallSettings
from filterd.policy.log_levels import QueryLog
from filterd.policy.reporting_settings import AlertSettings, ReportSettings  # noqa: TC001

if TYPE_CHECKING:
    from collections.abc import Iterable

    from filterd.lists.rules import Pin, Protection, SafeSearchRewrite

STAFF, GUEST = "staff", "guest"
GRADES = ("preschool", *(str(n) for n in range(1, 13)), "continuing", STAFF, GUEST)
"""All grades, in the order in which people list them."""

SERVICE, LIST = "service:", "list:"
"""Prefixes of services and lists where their ids stand together with categories."""

TIERS = "preschool", "primary", "lower-secondary", "upper-secondary", "continuing", STAFF, "guest"

TIER_OF_GRADE = {
    **dict.fromkeys(map(str, range(1, 6)), "primary"),
    **dict.fromkeys(map(str, range(6, 10)), "lower-secondary"),
    **dict.fromkeys(map(str, range(10, 13)), "upper-secondary"),
    **{one: one for one in ("preschool", "continuing", STAFF, "guest")},
}

DAY_S = 86_400
EXPECTED = "expectation:"  # the prefix of ids of rules that hold a site to one


@frozen
class Expectation:
    """An expectation of the school: a name passes, or is blocked, for an audience.

    ``audience`` is a tier (every grade and class of it), a grade (every class of it), a class, a
    network (the grade there then) or everybody. When: at the Unix time ``at``; or when the school's
    clock shows ``second`` after midnight on the next ``weekday`` (0 is Monday); or, where all
    three are None, schedules apart. ``written`` is its text in the file.
    ``shipped``: it comes with filterd, and yields to the school's own exceptions.
    """

    name: bytes
    blocked: bool
    audience: Audience
    whom: str
    written: str
    path: str
    line: int
    at: float | None = None
    weekday: int | None = None
    second: int | None = None
    shipped: bool = False


class BlockResponse(StrEnum):
    """The kind of answer for a block."""

    NXDOMAIN = "nxdomain"
    NODATA = "nodata"
    SINKHOLE = "sinkhole"


class Tls(StrEnum):
    """The use of TLS with an upstream (RFC 8310 §5).

    ``NO``: by UDP, and TCP where that is not enough. ``STRICT``: by TLS to a
    server that proves its name, or not at all. ``OPPORTUNISTIC``: by TLS
    without proof of a name, and as by ``NO`` where TLS cannot be had.
    """

    NO = "no"
    STRICT = "strict"
    OPPORTUNISTIC = "opportunistic"


class LeaseFormat(StrEnum):
    """The format of a lease file, by DHCP server."""

    DNSMASQ = "dnsmasq"
    KEA = "kea"


class Audience(StrEnum):
    """The audience of a rule, from the widest to the narrowest."""

    EVERYBODY = "everybody"
    TIER = "tier"
    GRADE = "grade"
    CLASS = "class"
    NETWORK = "network"
    CLIENT = "client"


@frozen
class Category:
    """A category of lists, as the catalogue publishes it.

    ``min_age`` is the age in years from which it suits; None where age does not matter.
    ``locked``: closed to everybody. ``ordered``: closed by a legal order, which outranks even
    protection. ``security``: blocked as dangerous (EDE 15), not as unsuitable (EDE 17).
    ``sinkhole``: False where a block must look like a name that does not exist. ``rating`` and
    ``legal_basis`` are for people. ``confidential``: no name of it is ever logged or shown, and its
    totals are of the whole school only. ``guarded``, ``part_of`` (empty for no part): see
    ``guarded_categories``, ``category_parts``.
    """

    id: str
    name_vi: str
    name_en: str
    min_age: int | None = None
    locked: bool = False
    ordered: bool = False
    security: bool = False
    sinkhole: bool = True
    rating: str = field(default="", metadata={ADDED: True})
    legal_basis: tuple[str, ...] = field(default=(), metadata={ADDED: True})
    confidential: bool = field(default=False, metadata={ADDED: True})
    guarded: bool = field(default=False, metadata={ADDED: True})
    part_of: str = field(default="", metadata={ADDED: True})


@frozen
class Service:
    """A service: a product known to people, and its domain names, with their subtrees.

    ``group``: the id of a category. ``terms_date``: the day of the terms that name ``min_age``.
    In the index it is the list ``service:<id>``.
    """

    id: str
    name_vi: str
    name_en: str
    group: str
    min_age: int | None = None
    names: tuple[bytes, ...] = ()
    terms_date: str = field(default="", metadata={ADDED: True})
    note_vi: str = field(default="", metadata={ADDED: True})
    note_en: str = field(default="", metadata={ADDED: True})


@frozen
class Scheduled:
    """A thing that a schedule opens or closes: a category, service, list or tier.

    ``target`` is its id. A tier that is closed sees only what an allow lets through.
    """

    schedule: str
    opens: bool
    kind: str
    target: str
    audience: Audience = Audience.EVERYBODY
    whom: str = ""


@frozen
class GradePolicy:
    """The policy of a grade, or of one class of it: the tier's file and what differs.

    ``closed`` are the ids of all categories closed to it, locked ones included, and
    ``service:<id>`` and ``list:<id>`` for single services and lists. ``opened`` are services and
    lists, in the same words, that are open although their category is closed: a service, against
    all lists of that category; a list, only itself. ``allow_only``: it sees nothing but what a pin
    or a local allow lets through; ``exam`` is then the id of the exam, empty for none. ``variant``
    distinguishes devices of one network or address from others of the same grade, for which other
    things are closed at the moment. ``paused``: blocks of names that the school has set do not
    hold. ``class_id`` is the class, empty for the grade itself. ``guarded`` are the guarded
    categories that the shipped tier closes to it.
    """

    grade: str
    tier: str
    age: int
    closed: frozenset[str]
    response: BlockResponse
    sinkhole_ipv4: str = "0.0.0.0"  # noqa: S104 -- an answer, not a socket
    sinkhole_ipv6: str = "::"
    client_ttl_max_s: int = 600
    safe_search: str = "off"
    youtube: str = "off"
    strip_ech: bool = False
    opened: frozenset[str] = frozenset()
    allow_only: bool = False
    variant: str = ""
    exam: str = ""
    paused: bool = field(default=False, metadata={ADDED: True})
    class_id: str = field(default="", metadata={ADDED: True})
    guarded: frozenset[str] = field(default=frozenset(), metadata={ADDED: True})

    @property
    def key(self) -> str:
        """The key in ``Policy.grades``, unique for each class and variant."""
        named = self.class_id or self.grade
        return f"{named}@{self.variant}" if self.variant else named


@frozen
class SchoolClass:
    """A class (lớp): its grade, and the users of the gateway who teach it."""

    id: str
    grade: str
    teachers: tuple[str, ...] = ()


@frozen
class Network:
    """A network: the marks of its clients, and their grade or class.

    ``grade`` is the key of a grade or class in ``Policy.grades``. A ``room`` is one whose grade
    changes, by its ``timetable``, ``on_holidays`` too, or by command. ``macs`` precede ranges.
    """

    id: str
    grade: str
    cidrs: tuple[str, ...] = ()
    interfaces: tuple[str, ...] = ()
    macs: tuple[str, ...] = ()  # as 02:00:5e:10:00:01
    timetable: tuple[Period, ...] = ()
    room: bool = False
    on_holidays: bool = False


@frozen
class LocalRule:
    """A dated local allow or block of ``name`` and everything beneath it.

    ``starts_at`` and ``ends_at`` are Unix times, None for no edge; the rule holds in the half-open
    interval between them. ``exam`` is the id of the exam that it belongs to; its participants have
    no other allows.
    """

    id: str
    name: bytes
    allow: bool
    audience: Audience
    whom: str
    reason: str
    author: str = ""
    starts_at: float | None = None
    ends_at: float | None = None
    exam: str = ""


@frozen
class ZoneRecord:
    """One record of a local zone; ``rdata`` is uncompressed wire."""

    owner: bytes
    rtype: int
    ttl_s: int
    rdata: bytes


@frozen
class LocalZone:
    """A zone that filterd answers completely: a name not in it does not exist."""

    name: bytes
    records: tuple[ZoneRecord, ...]


@frozen
class UpstreamServer:
    """An upstream server: address, TLS, and how far it is trusted.

    ``address`` is a literal; ``system`` stands for resolv.conf's servers. ``tls_name``
    is the name that its certificate must have. ``trusted``: it validates, and the path
    to it is safe, so that its AD bit may be passed on (RFC 6840 §5.8).
    ``randomise_case``: it keeps the letter case of a question (0x20).
    """

    address: str
    port: int = 53
    tls: Tls = Tls.NO
    tls_name: str = ""
    trusted: bool = False
    randomise_case: bool = False


@frozen
class DelegatedZone:
    """A zone that only its own servers may be asked about, such as Active Directory's."""

    name: bytes
    servers: tuple[UpstreamServer, ...]


@frozen
class ListenAddress:
    """An address literal and a port to answer on."""

    address: str
    port: int = 53


@frozen
class LeaseFile:
    """A file in which a DHCP server keeps its leases; ``path`` is absolute."""

    path: str
    format: LeaseFormat


@frozen
class RateLimit:
    """The rate limit of one client: a burst of queries, and then so many a second."""

    queries_a_second: int = 200
    burst: int = 2_000


@frozen
class Policy:
    """The policy of a site: all its files, checked and merged.

    ``lan_interfaces``: the interfaces whose directly connected prefixes are allowed; where none is
    named, those that look like the school's side of the gateway. ``lease_zone`` is the local zone
    in which devices have the names that they gave to the DHCP server, None for nowhere.
    ``private_answers`` are names that may lead to private addresses. ``rewrites`` are names that
    safe modes replace.

    ``grades`` are by ``GradePolicy.key``, classes among them, and so is the grade of a network. The
    id of no class in ``classes`` is a grade. ``kept_closed`` are categories and services, as in
    ``GradePolicy.closed``, that stay closed where they are closed, whatever a grade or an exception
    sets. ``clients``: by the address of a client, the grade that replaces which grade. ``lessons``,
    ``holidays``, ``schedules`` and ``scheduled``, and the timetables of rooms, are the school's
    week; a policy that holds at one moment (``filterd.policy.effective_policy``) has none of them.
    """

    school: str
    time_zone: str
    language: str
    listen: tuple[ListenAddress, ...]
    allow_from: tuple[str, ...]
    upstreams: tuple[UpstreamServer, ...]
    local_zones: tuple[LocalZone, ...]
    delegated_zones: tuple[DelegatedZone, ...]
    categories: dict[str, Category]
    grades: dict[str, GradePolicy]
    unknown_grade: str
    networks: tuple[Network, ...]
    rules: tuple[LocalRule, ...]
    pins: tuple[Pin, ...]
    protections: tuple[Protection, ...]
    top_level: tuple[bytes, ...] = ()
    """Top-level domains, to distinguish a single label that is one from a typo."""
    workers: int = 1
    rate_limit: RateLimit = RateLimit()
    log: QueryLog = field(default_factory=QueryLog)
    cache_octets: int = 32 * 1024 * 1024
    lan_interfaces: tuple[str, ...] = ()
    leases: tuple[LeaseFile, ...] = ()
    lease_zone: bytes | None = None
    private_answers: tuple[bytes, ...] = ()
    rewrites: tuple[SafeSearchRewrite, ...] = ()
    services: dict[str, Service] = field(default_factory=dict)
    kept_closed: frozenset[str] = frozenset()
    clients: dict[str, dict[str, str]] = field(default_factory=dict)
    lessons: tuple[Lesson, ...] = ()
    holidays: tuple[Holiday, ...] = ()
    schedules: tuple[Schedule, ...] = ()
    scheduled: tuple[Scheduled, ...] = ()
    expectations: tuple[Expectation, ...] = ()  # results that it must have to become active
    feed: str = ""  # the address of the feed that the site follows, empty for none
    classes: tuple[SchoolClass, ...] = field(default=(), metadata={ADDED: True})
    alerts: AlertSettings | None = field(default=None, metadata={ADDED: True})
    report: ReportSettings | None = field(default=None, metadata={ADDED: True})
    contact: str = field(default="", metadata={ADDED: True})  # for pupils, as the school writes it
    listen_tls: tuple[ListenAddress, ...] | None = field(default=None, metadata={ADDED: True})
    firewall: FirewallSettings = field(default_factory=FirewallSettings, metadata={ADDED: True})


def strictest(grades: Iterable[GradePolicy]) -> GradePolicy:
    """Return the grade with most closed categories; of equals the youngest, the first.

    A grade for which everything is closed that is not allowed counts as the strictest.
    """
    return max(grades, key=lambda grade: (grade.allow_only, len(grade.closed), -grade.age))


@frozen
class Client:
    """A client's grade, and the network that gave it (None: an unknown client).

    ``address`` is None where a question is about a grade and not a device
    (``filterd check --grade 6``). ``mac`` is that of the device that has the
    address, None where it is not known. ``is_probe``: the daemon asks as this grade to
    test itself; such a question is counted nowhere.
    """

    grade: GradePolicy
    network: str | None = None
    address: str | None = None
    mac: str | None = None
    is_probe: bool = False

    def is_meant_by(self, rule: LocalRule) -> bool:
        """Return whether a local rule applies to this client.

        During an exam only the exam's own allows apply to a participant, but all blocks do.
        In a pause no block does, except those to which an expectation holds the site.
        """
        if self.grade.paused and not rule.allow and not rule.id.startswith(EXPECTED):
            return False
        if rule.exam != self.grade.exam and (rule.allow or rule.exam):
            return False
        return self.is_of(rule.audience, rule.whom)

    def is_of(self, audience: Audience, whom: str) -> bool:
        """Return whether this client belongs to an audience."""
        match audience:
            case Audience.EVERYBODY:
                return True
            case Audience.TIER:
                return whom == self.grade.tier
            case Audience.GRADE:
                return whom == self.grade.grade
            case Audience.CLASS:
                return whom == self.grade.class_id
            case Audience.NETWORK:
                return whom == self.network
            case Audience.CLIENT:
                return whom == self.address


@frozen
class Lesson:
    """A named time of the school's day (tiết): ``starts_s`` to just before ``ends_s``."""

    id: str
    starts_s: int
    ends_s: int


@frozen
class Window:
    """A time of day on some days.

    ``weekdays``: 0 is Monday. ``ends_s`` above a day: it ends on the day after,
    and belongs to the day on which it began. ``first`` and ``last`` are ISO
    dates, both within; None for no bound. ``holidays``: True for holidays only,
    False for none of them, None whatever the day.
    """

    weekdays: frozenset[int]
    starts_s: int
    ends_s: int
    first: str | None = None
    last: str | None = None
    holidays: bool | None = None


@frozen
class Schedule:
    """Named windows; it is open while any of them is."""

    id: str
    windows: tuple[Window, ...]


@frozen
class Holiday:
    """Days without school, from ``first`` to ``last``, ISO dates, both within."""

    first: str
    last: str
    name_vi: str
    name_en: str


@frozen
class Period:
    """One cell of a room's timetable: the grade or class in a lesson of a weekday.

    ``teacher`` is a user of the gateway, or a name for people only.
    """

    weekday: int
    lesson: str
    grade: str
    teacher: str = field(default="", metadata={ADDED: True})
