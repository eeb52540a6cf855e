# SPDX-License-Identifier: Apache-2.0
"""The rules of a school at one epoch, in two forms: for oracle and filterd."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from filterd.lists.rules import SafeSearchRewrite
from filterd.policy.model import (
    TIER_OF_GRADE,
    BlockResponse,
    DelegatedZone,
    ListenAddress,
    LocalZone,
    Network,
    RateLimit,
    UpstreamServer,
    ZoneRecord,
)
from tests.support.oracle import NARROWNESS, Guard, Law, Listing, Person, World, is_beneath
from tests.support.policies import CATEGORIES, a_grade, a_policy, wire
from tests.support.serving import NETWORKS
from tests.support.worlds import LISTS, NAMES, SPOKEN, guards_of, index_of, rules_of

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence
    from pathlib import Path

    from filterd.policy.model import Policy

A, AAAA = 1, 28
SEARCH, TWIN = "search.free", "strict.search.free"
"""A name that is replaced for some grades, and by what."""
PRINTER, ZONE = "printer.school", "school"
PRINTER_ADDRESS = bytes([192, 0, 2, 99])
CAMPUS = "campus.free"
OUTSIDE = (
    "www.free",
    "alias.free",
    "big.free",
    "zero.free",
    "home.free",
    CAMPUS,
    f"www.{CAMPUS}",
    SEARCH,
    TWIN,
)
"""Names that nothing is said of, but at times of the last five."""
DELEGATIONS = ("", CAMPUS, "b.a.example")
HOMES = ("home.free", "a.example")
"""Names that may lead to private addresses, at times."""
ALL_NAMES = (*NAMES, *OUTSIDE)
LONGEST_TTL_S = 600


def _person(address: str, grade: str, network: str) -> Person:
    closed = a_grade(grade).closed | {"category-of-tomorrow"}
    return Person(TIER_OF_GRADE[grade], grade, network, address, closed)


PUPIL, CLASSMATE = (_person(f"127.0.6.{n}", "6", "grade-6") for n in (1, 2))
TEACHER = _person("127.0.100.1", "staff", "staff")
CHILD = _person("127.0.1.1", "1", "grade-1")
STRANGER = _person("127.0.120.1", "preschool", "")
OUTSIDER = _person("127.0.200.1", "preschool", "")
LAB = _person("127.0.110.1", "6", "lab")
"""A client in a room; the rules have its grade."""
LENT = "127.0.126.1"
DEVICES = {
    "": _person(LENT, "preschool", ""),
    "02:00:5e:10:00:06": _person(LENT, "6", "tablets"),
    "02:00:5e:10:00:18": _person(LENT, "staff", "laptops"),
}
"""The holder, by MAC, of an address that devices have in turn; at first unknown."""
LINK = "127.0.126.0/24"
UNKNOWN = DEVICES[""]
PEOPLE = (PUPIL, CLASSMATE, TEACHER, CHILD, STRANGER, OUTSIDER, LAB, UNKNOWN)
GRADES = ("1", "6", "staff", "preschool")

_WHOM = {
    "everybody": ("",),
    "tier": (PUPIL.tier, TEACHER.tier),
    "grade": (PUPIL.grade, CHILD.grade),
    "network": (PUPIL.network, TEACHER.network, LAB.network, "tablets"),
    "client": (PUPIL.address, STRANGER.address, LAB.address, LENT),
}


@dataclass(frozen=True)
class Rules:
    """One epoch. By grade: form of blocks, highest TTL, safe search, removed ECH keys.

    ``outsiders``: whether ``OUTSIDER`` may ask. ``trusts``: of each upstream, the
    first one first, whether its AD is believed. ``lab``: the grade of the room.
    ``delegated``: the zone whose own server is asked. ``homes``: names that may
    lead to private addresses.
    """

    world: World
    responses: tuple[BlockResponse, ...] = (BlockResponse.NXDOMAIN,) * len(GRADES)
    longest_ttls_s: tuple[int, ...] = (LONGEST_TTL_S,) * len(GRADES)
    twins_for: frozenset[str] = frozenset()
    outsiders: bool = False
    trusts: tuple[bool, ...] = (False,)
    lab: str = LAB.grade
    delegated: str = ""
    homes: frozenset[str] = frozenset()
    strips_for: frozenset[str] = frozenset()

    @property
    def epoch(self) -> Rules:
        """What was put in force."""
        return self

    def at(self, _wall: float) -> Rules:
        """Return what is in force at a Unix time."""
        return self

    def edges(self, now: float, until: float) -> list[float]:
        """Return when anything may begin or end, from just after ``now``, in order."""
        laws = self.world.laws
        found = {edge for law in laws for edge in (law.starts_at, law.ends_at) if edge is not None}
        return sorted(one for one in found if now < one <= until)

    def admits(self, who: Person) -> bool:
        """Return whether a client is answered at all."""
        return who.address != OUTSIDER.address or self.outsiders

    def response(self, who: Person) -> BlockResponse:
        """Return the form of a block for a client."""
        return self.responses[GRADES.index(who.grade)]

    def longest_ttl_s(self, who: Person) -> int:
        """Return how long a client may keep an answer."""
        return self.longest_ttls_s[GRADES.index(who.grade)]

    def seen(self, who: Person) -> Person:
        """Return a client by these rules."""
        if who.network == LAB.network and who.grade != self.lab:
            return _person(LAB.address, self.lab, LAB.network)
        return who

    def whom(self, name: str) -> str:
        """Return the zone whose own server is asked about a name; empty for none."""
        zone = self.delegated
        return zone if zone and (name == zone or is_beneath(name, zone)) else ""

    def may_lead_home(self, name: str) -> bool:
        """Return whether a name may lead to private addresses."""
        return any(name == home or is_beneath(name, home) for home in self.homes)

    def trusts_server(self, number: int) -> bool:
        """Return whether the AD of an upstream is believed."""
        return number < len(self.trusts) and self.trusts[number]

    def policy(self, servers: Sequence[tuple[str, int]]) -> Policy:
        """Return the same as filterd knows it.

        Args:
            servers: where they are: the two upstreams, and the zone's own.
        """
        pins, protections = guards_of(self.world)
        policy = a_policy(
            networks=(
                *NETWORKS,
                Network(LAB.network, self.lab, (f"{LAB.address}/32",)),
                *(
                    Network(one.network, one.grade, macs=(mac,))
                    for mac, one in DEVICES.items()
                    if mac
                ),
            ),
            rules=rules_of(self.world),
            pins=pins,
            protections=protections,
            upstreams=[
                UpstreamServer(*server, trusted=trusted)
                for server, trusted in zip(servers, self.trusts, strict=False)
            ],
            delegated_zones=[
                DelegatedZone(wire(one), (UpstreamServer(*servers[-1]),))
                for one in (self.delegated,)
                if one
            ],
            allow_from=["127.0.0.0/8" if self.outsiders else "127.0.0.0/17"],
            local_zones=[
                LocalZone(wire(ZONE), (ZoneRecord(wire(PRINTER), A, 60, PRINTER_ADDRESS),))
            ],
        )
        grades = {
            grade: replace(
                policy.grades[grade],
                response=response,
                client_ttl_max_s=ttl_s,
                safe_search="on" if grade in self.twins_for else "off",
                strip_ech=grade in self.strips_for,
            )
            for grade, response, ttl_s in zip(
                GRADES, self.responses, self.longest_ttls_s, strict=True
            )
        }
        return replace(
            policy,
            grades=policy.grades | grades,
            listen=(ListenAddress("127.0.0.1", 0),),
            rate_limit=RateLimit(1_000_000_000, 1_000_000_000),
            private_answers=tuple(map(wire, sorted(self.homes))),
            rewrites=(SafeSearchRewrite("safe_search", "on", wire(TWIN), (wire(SEARCH),)),),
        )

    def compile_lists(self, folder: Path) -> Path:
        """Compile the lists in a folder and return the index."""
        folder.mkdir(parents=True, exist_ok=True)
        pins, protections = guards_of(self.world)
        index_of(self.world, folder, pins=pins, protections=protections)
        return folder / "index"


def some_rules(chance: random.Random, now: float) -> Rules:
    """Make up rules whose edges of time lie around Unix time ``now``."""
    world = World(
        CATEGORIES,
        guards=tuple(_a_guard(chance) for _ in range(chance.choice((0, 0, 1, 2)))),
        laws=tuple(a_law(chance, now) for _ in range(chance.randrange(6))),
        listings=tuple(dict.fromkeys(_a_listing(chance) for _ in range(chance.randrange(2, 9)))),
    )
    responses = [chance.choice(list(BlockResponse)) for _ in GRADES]
    ttls = [chance.choice((LONGEST_TTL_S, LONGEST_TTL_S, 60, 7)) for _ in GRADES]
    return Rules(
        world,
        tuple(responses),
        tuple(ttls),
        frozenset(grade for grade in GRADES if chance.random() < 0.5),
        chance.random() < 0.5,
        chance.choice(((False,), (True,), (False, False), (True, False), (False, True))),
        chance.choice(GRADES),
        chance.choice((*DELEGATIONS, "")),
        frozenset(one for one in HOMES if chance.random() < 0.3),
        frozenset(grade for grade in GRADES if chance.random() < 0.5),
    )


def a_law(chance: random.Random, now: float) -> Law:
    """Make up a law; half of them begin or end within minutes."""
    audience = chance.choice(NARROWNESS)
    starts_at, ends_at = (
        chance.choice((None, None, now - 9, now + 2, now + 30, now + 200, now + 900))
        for _ in range(2)
    )
    return Law(
        chance.choice(SPOKEN[:6]),
        chance.random() < 0.5,
        audience,
        chance.choice(_WHOM[audience]),
        starts_at,
        ends_at,
    )


def _a_guard(chance: random.Random) -> Guard:
    """Make up a guard of a subtree: of one of a single host the compiler of lists makes more."""
    name, pins = chance.choice(SPOKEN), chance.random() < 0.5
    but = frozenset({"games"}) if not pins and chance.random() < 0.5 else frozenset[str]()
    return Guard(name, pins, subtree=True, but=but)


def _a_listing(chance: random.Random) -> Listing:
    list_id = chance.choice(sorted(LISTS))
    category, list_format, own = LISTS[list_id]
    name, excepts = chance.choice(SPOKEN), chance.random() < 0.3
    if list_format == "rpz":
        at = chance.random() < 0.5
        return Listing(list_id, category, own, name, at, not at, excepts, specific=excepts)
    if list_format == "dnsmasq":
        return Listing(list_id, category, own, name, excepts=excepts, specific=excepts)
    at, beneath = chance.choice(((True, True), (True, True), (True, False), (False, True)))
    types = chance.choice((frozenset[int](), frozenset[int](), frozenset({A}), frozenset({AAAA})))
    leaves = frozenset(chance.sample(SPOKEN, chance.choice((0, 0, 0, 1, 2))))
    return Listing(
        list_id,
        category,
        own,
        name,
        at,
        beneath,
        excepts,
        important=chance.random() < 0.2,
        types=types,
        other_types=bool(types) and chance.random() < 0.5,
        leaves=leaves,
    )
