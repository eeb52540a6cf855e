# SPDX-License-Identifier: Apache-2.0
"""A naive third model of decisions, to compare the engine with.

Names are text. The model looks at every rule, one after the other, and follows the
order of rules by removing and ranking. It shares no index, table or function with
filterd, only the plain data of rules and categories.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeAlias

    from filterd.policy.model import Category

    Thing: TypeAlias = "Guard | Law | Listing"

NARROWNESS = ("everybody", "tier", "grade", "network", "client")
SERVICE = "service:"
"""So begin the ids of lists that are services."""


@dataclass(frozen=True)
class Guard:
    """A pin or a protection; a protection does not hold against the categories ``but``.

    ``entry_only``: it holds against nothing but entries that give exactly its name.
    """

    name: str
    pins: bool
    subtree: bool
    but: frozenset[str] = frozenset()
    entry_only: bool = False

    def is_about(self, name: str) -> bool:
        """Return whether it guards ``name``."""
        return name == self.name or (self.subtree and is_beneath(name, self.name))


@dataclass(frozen=True)
class Law:
    """A rule of the site: its audience and its time; ``exam``: the exam that it is of."""

    name: str
    allow: bool
    audience: str = "everybody"
    whom: str = ""
    starts_at: float | None = None
    ends_at: float | None = None
    exam: str = ""

    def is_about(self, name: str) -> bool:
        """Return whether it covers ``name``; one without a name covers everything."""
        return not self.name or name == self.name or is_beneath(name, self.name)


@dataclass(frozen=True)
class Listing:
    """One entry of one list. ``at`` and ``beneath`` select its names."""

    list_id: str
    category: str
    own: bool
    name: str
    at: bool = True
    beneath: bool = True
    excepts: bool = False
    important: bool = False
    specific: bool = False
    types: frozenset[int] = frozenset()
    other_types: bool = False
    leaves: frozenset[str] = frozenset()

    def is_about(self, name: str, qtype: int) -> bool:
        """Return whether it covers this question."""
        here = (self.at and name == self.name) or (self.beneath and is_beneath(name, self.name))
        left = any(name == leave or is_beneath(name, leave) for leave in self.leaves)
        typed = not self.types or (qtype in self.types) != self.other_types
        return here and typed and not left


@dataclass(frozen=True)
class Person:
    """A client; ``closed`` are the categories and services closed to its grade.

    ``shut``: gets only allowed names. ``exam``: the exam that it sits.
    """

    tier: str
    grade: str
    network: str
    address: str
    closed: frozenset[str]
    shut: bool = False
    exam: str = ""


@dataclass(frozen=True)
class World:
    """All rules.

    ``kept`` are categories and services that the school keeps closed, ``zones``
    its own zones, which are never closed.
    """

    categories: dict[str, Category]
    guards: tuple[Guard, ...] = ()
    laws: tuple[Law, ...] = ()
    listings: tuple[Listing, ...] = ()
    kept: frozenset[str] = frozenset()
    zones: tuple[str, ...] = ()

    def without(self, thing: Thing) -> World:
        """Return the same world in which one thing was never said."""
        return replace(
            self,
            guards=tuple(guard for guard in self.guards if guard is not thing),
            laws=tuple(law for law in self.laws if law is not thing),
            listings=tuple(listing for listing in self.listings if listing is not thing),
        )


@dataclass(frozen=True)
class Question:
    """One lookup at one moment."""

    who: Person
    name: str
    qtype: int
    now: float


SHUT = Law("", allow=False)
"""Decides for clients that are shut out."""


def is_beneath(name: str, other: str) -> bool:
    """Return whether ``name`` is a proper descendant of ``other``."""
    return name.endswith("." + other)


def kind(world: World, who: Person, listing: Listing) -> str:
    """Return the meaning of a listing for a client, as in ``Rule.label``."""
    if listing.excepts:
        return "list-exception"
    category = world.categories.get(listing.category)
    if category is None:
        return "category"
    if category.ordered or category.locked:
        return "ordered" if category.ordered and listing.list_id.startswith("order:") else "locked"
    of_all = listing.category in who.closed
    is_service = listing.list_id.startswith(SERVICE)
    closed = listing.list_id in who.closed if is_service else of_all
    if (of_all and listing.category in world.kept) or (closed and listing.list_id in world.kept):
        return "locked"
    return "category" if closed else "list-exception" if of_all else "open"


def label(world: World, who: Person, thing: Thing) -> str:
    """Return the ``Rule.label`` of anything."""
    if isinstance(thing, Guard):
        return "pin" if thing.pins else "protected"
    return "local" if isinstance(thing, Law) else kind(world, who, thing)


def blocks(world: World, who: Person, thing: Thing) -> bool:
    """Return whether a thing, where it decides, keeps people from the name."""
    if isinstance(thing, Law):
        return not thing.allow
    return label(world, who, thing) in {"ordered", "locked", "category"}


def deciders(world: World, question: Question) -> list[Thing]:
    """Return what decides; more than one thing where the order of rules makes no difference."""
    who = question.who
    pins = _guards(world, question, pins=True)
    protections = _guards(world, question, pins=False)
    listings = [
        listing for listing in world.listings if listing.is_about(question.name, question.qtype)
    ]

    def of(wanted: str, among: Sequence[Listing] = listings) -> list[Listing]:
        return [one for one in among if kind(world, who, one) == wanted]

    blocking = [listing for listing in listings if blocks(world, who, listing)]
    taken = [one for one in blocking if any(_takes(guard, one) for guard in protections)]
    taken = [one for one in taken if kind(world, who, one) != "ordered"]
    standing = [one for one in blocking if one not in taken]
    spared = [
        one
        for one in of("category", standing)
        if any(_spares(e, one) for e in of("list-exception"))
    ]
    closed = [one for one in of("category", standing) if one not in spared]
    is_shut_out = _is_shut_out(world, question)
    ranks: list[Callable[[], Sequence[Thing]]] = [
        lambda: pins,
        lambda: of("ordered"),
        lambda: of("locked", standing),
        lambda: [one for one in laws_in_force(world, question)[:1] if not one.allow],
        lambda: closed and (laws_in_force(world, question)[:1] or closed),
        lambda: (laws_in_force(world, question)[:1] or [SHUT]) if is_shut_out else [],
        lambda: [guard for guard in protections if any(_takes(guard, one) for one in taken)],
        lambda: laws_in_force(world, question)[:1],
        lambda: [e for e in of("list-exception") if any(_spares(e, one) for one in spared)],
        lambda: of("open"),
    ]
    for rank in ranks:
        if found := rank():
            longest = max(len(thing.name) for thing in found)
            return [thing for thing in found if len(thing.name) == longest]
    return []


def _guards(world: World, question: Question, *, pins: bool) -> list[Guard]:
    guards = [guard for guard in world.guards if guard.pins is pins]
    return [guard for guard in guards if guard.is_about(question.name)]


def _is_shut_out(world: World, question: Question) -> bool:
    is_own = any(zone == question.name or is_beneath(question.name, zone) for zone in world.zones)
    return question.who.shut and not is_own


def _takes(protection: Guard, listing: Listing) -> bool:
    if protection.entry_only and protection.name != listing.name:
        return False
    return not listing.own and listing.category not in protection.but


def _spares(exception: Listing, block: Listing) -> bool:
    if exception.category != block.category or (block.important and not exception.important):
        return False
    return not (exception.specific and is_beneath(block.name, exception.name))


def laws_for(world: World, question: Question) -> list[Law]:
    """Return the laws about this name for this person, whether in force or not."""
    who = question.who
    his = {
        "everybody": "",
        "tier": who.tier,
        "grade": who.grade,
        "network": who.network,
        "client": who.address,
    }
    about = [law for law in world.laws if law.is_about(question.name)]
    # A client in an exam has only its allows, and the blocks of all.
    meant = [one for one in about if one.exam == who.exam or not (one.allow or one.exam)]
    return [one for one in meant if one.whom == his[one.audience]]


def laws_in_force(world: World, question: Question) -> list[Law]:
    """Return the laws in force, the one that outranks the others first."""
    in_force = [
        one
        for one in laws_for(world, question)
        if (one.starts_at is None or one.starts_at <= question.now)
        and (one.ends_at is None or one.ends_at > question.now)
    ]
    return sorted(
        in_force,
        key=lambda one: (
            len(one.name),
            bool(one.exam),
            NARROWNESS.index(one.audience),
            not one.allow,
        ),
        reverse=True,
    )


def valid_until(world: World, question: Question) -> float | None:
    """Return the next edge of any law that may come to matter."""
    laws = laws_for(world, question)
    edges = [edge for law in laws for edge in (law.starts_at, law.ends_at) if edge is not None]
    return min((edge for edge in edges if edge > question.now), default=None)


def is_blocked(world: World, question: Question) -> bool:
    """Return whether the person is kept from the name."""
    found = deciders(world, question)
    return bool(found) and blocks(world, question.who, found[0])


def target_is_blocked(world: World, question: Question, target: str) -> bool:
    """Return whether a target keeps the person from a name that passes itself.

    What is covered is taken out of the world; then the target is a name like any other.
    """
    if _guards(world, question, pins=True):
        return False
    protections = _guards(world, question, pins=False)
    allowed = any(law.allow for law in laws_in_force(world, question)[:1])
    covered = replace(question.who, shut=question.who.shut and not allowed)

    def is_covered(thing: Thing) -> bool:
        what = label(world, question.who, thing)
        if isinstance(thing, Listing) and what in {"locked", "category"}:
            by_protection = any(_takes(guard, thing) for guard in protections)
            return by_protection or (allowed and what == "category")
        return allowed and isinstance(thing, Law) and not thing.allow

    left = replace(
        world,
        laws=tuple(law for law in world.laws if not is_covered(law)),
        listings=tuple(listing for listing in world.listings if not is_covered(listing)),
    )
    return is_blocked(left, replace(question, who=covered, name=target))
