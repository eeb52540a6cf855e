# SPDX-License-Identifier: Apache-2.0
"""Small random worlds in two forms: for the oracle, and for filterd.

There are few labels, so that names meet: rules may name fourteen names, and each has a
child without a rule.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from filterd.policy.engine import Engine
from filterd.policy.model import Audience, Client, LocalRule
from tests.support.oracle import NARROWNESS, Guard, Law, Listing, Person, World
from tests.support.policies import (
    CATEGORIES,
    NOW,
    a_grade,
    a_pin,
    a_policy,
    a_protection,
    an_index,
    wire,
)

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.lists.index import Index
    from filterd.lists.rules import Pin, Protection

A, AAAA = 1, 28
TYPES = (A, AAAA)
_TYPE_TEXT = {A: "A", AAAA: "AAAA"}

SPOKEN = tuple(
    ".".join((*labels, "example")) for count in (1, 2, 3) for labels in product("ab", repeat=count)
)
NAMES = (*SPOKEN, *(f"c.{name}" for name in SPOKEN))

LISTS = {
    "order:court": ("law-ordered", "adblock", True),
    "so-called-order": ("law-ordered", "adblock", False),
    "own-porn": ("porn", "adblock", True),
    "porn": ("porn", "rpz", False),
    "own-games": ("games", "adblock", True),
    "games": ("games", "adblock", False),
    "games-rpz": ("games", "rpz", False),
    "games-dnsmasq": ("games", "dnsmasq", False),
    "social": ("social-media", "adblock", False),
    "ads": ("ads-trackers", "adblock", False),
    "new": ("category-of-tomorrow", "adblock", False),
}
"""By id: category, format, own."""

PUPIL = Person(
    "lower-secondary", "6", "lab", "192.0.2.6", a_grade("6").closed | {"category-of-tomorrow"}
)
TEACHER = Person(
    "staff", "staff", "office", "192.0.2.99", a_grade("staff").closed | {"category-of-tomorrow"}
)

_names = st.sampled_from(SPOKEN)
_names_of_laws = st.sampled_from(SPOKEN[:6])  # fewer, so that laws meet as often as entries do
_edges = st.sampled_from((None, None, None, NOW - 9, NOW, NOW + 5, NOW + 9))
_whom = {
    "everybody": ("",),
    "tier": (PUPIL.tier, TEACHER.tier),
    "grade": (PUPIL.grade, "7"),
    "network": (PUPIL.network, TEACHER.network),
    "client": (PUPIL.address, TEACHER.address),
}


@st.composite
def _listings(draw: st.DrawFn) -> Listing:
    list_id = draw(st.sampled_from(sorted(LISTS)))
    category, list_format, own = LISTS[list_id]
    name, excepts = draw(_names), draw(st.booleans())
    match list_format:
        case "rpz":
            at = draw(st.booleans())
            return Listing(list_id, category, own, name, at, not at, excepts, specific=excepts)
        case "dnsmasq":
            return Listing(list_id, category, own, name, excepts=excepts, specific=excepts)
    at, beneath = draw(st.sampled_from(((True, True), (True, True), (True, False), (False, True))))
    types = draw(st.sampled_from((frozenset[int](), frozenset[int](), frozenset({A}))))
    return Listing(
        list_id,
        category,
        own,
        name,
        at,
        beneath,
        excepts,
        important=draw(st.booleans()),
        types=types,
        other_types=bool(types) and draw(st.booleans()),
        leaves=draw(st.one_of(st.just(frozenset()), st.frozensets(_names, max_size=2))),
    )


@st.composite
def _laws(draw: st.DrawFn) -> Law:
    audience = draw(st.sampled_from(NARROWNESS))
    whom = draw(st.sampled_from(_whom[audience]))
    return Law(
        draw(_names_of_laws), draw(st.booleans()), audience, whom, draw(_edges), draw(_edges)
    )


_pins = st.builds(Guard, _names, st.just(value=True), st.booleans())
_protections = st.builds(
    Guard,
    _names,
    st.just(value=False),
    st.booleans(),
    st.sampled_from((frozenset[str](), frozenset({"games"}))),
)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Draw a world; guards and laws are rarer than entries of lists."""
    return World(
        CATEGORIES,
        guards=tuple(
            draw(st.lists(_pins, max_size=1))
            + draw(st.lists(_protections, max_size=2, unique=True))
        ),
        laws=tuple(draw(st.lists(_laws(), max_size=5))),
        listings=tuple(draw(st.lists(_listings(), max_size=7, unique=True))),
    )


def engine_of(world: World, folder: Path, *, guarded: bool = False) -> Engine:
    """Return an engine for the same world; ``guarded``: the compiler knows pins and protections."""
    pins, protections = guards_of(world)
    policy = a_policy(rules=rules_of(world), pins=pins, protections=protections)
    guards = {"pins": pins, "protections": protections} if guarded else {}
    return Engine(policy, index_of(world, folder, **guards))  # type: ignore[arg-type]


def guards_of(world: World) -> tuple[list[Pin], list[Protection]]:
    """Return its guards as filterd knows them."""
    pins = [a_pin(guard.name, subtree=guard.subtree) for guard in world.guards if guard.pins]
    protections = [
        a_protection(guard.name, subtree=guard.subtree, but=guard.but)
        for guard in world.guards
        if not guard.pins
    ]
    return pins, protections


def rules_of(world: World) -> list[LocalRule]:
    """Return its laws as filterd knows them."""
    return [
        LocalRule(
            str(law),
            wire(law.name),
            law.allow,
            Audience(law.audience),
            law.whom,
            "",
            "",
            law.starts_at,
            law.ends_at,
        )
        for law in world.laws
    ]


def index_of(world: World, folder: Path, **guards: list[Pin] | list[Protection]) -> Index:
    """Return its lists, written in ``folder`` as text and compiled to the file ``index``.

    Of a list that is none of ``LISTS`` every entry is a name and its subtree: a service.
    """
    lists = {
        list_id: (category, list_format, own, _lines(world, list_id, list_format))
        for list_id, (category, list_format, own) in LISTS.items()
    }
    for listing in world.listings:
        if listing.list_id not in LISTS:
            lists.setdefault(listing.list_id, (listing.category, "domains", listing.own, []))[
                3
            ].append(listing.name)
    return an_index(folder, lists, **guards)  # type: ignore[arg-type]


def client_of(engine: Engine, person: Person) -> Client:
    """Return the same person as the engine knows them."""
    return Client(engine.policy.grades[person.grade], person.network, person.address)


def _lines(world: World, list_id: str, list_format: str) -> list[str]:
    entries = [listing for listing in world.listings if listing.list_id == list_id]
    return [_WRITERS[list_format](entry) for entry in entries]


def _adblock(entry: Listing) -> str:
    start = "||*." if not entry.at else "||" if entry.beneath else "|"
    modifiers = ["important"] if entry.important else []
    if entry.types:
        sign = "~" if entry.other_types else ""
        modifiers.append("dnstype=" + "|".join(sign + _TYPE_TEXT[one] for one in entry.types))
    if entry.leaves:
        modifiers.append("denyallow=" + "|".join(sorted(entry.leaves)))
    options = "$" + ",".join(modifiers) if modifiers else ""
    return f"{'@@' if entry.excepts else ''}{start}{entry.name}^{options}"


def _rpz(entry: Listing) -> str:
    return (
        f"{'' if entry.at else '*.'}{entry.name} CNAME {'rpz-passthru.' if entry.excepts else '.'}"
    )


def _dnsmasq(entry: Listing) -> str:
    return f"server=/{entry.name}/{'#' if entry.excepts else ''}"


_WRITERS = {"adblock": _adblock, "rpz": _rpz, "dnsmasq": _dnsmasq}
