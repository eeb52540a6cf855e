# SPDX-License-Identifier: Apache-2.0
"""Scenes about names without rules, and the names that they lead to.

Many clients of several grades ask for such a name at once. One answer comes back for
all of them, and has another meaning for each grade. Any event can happen while the
upstreams let them wait.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from tests.support import oracle_messages as wire
from tests.support.oracle import Law, Listing
from tests.support.oracle_rules import (
    CHILD,
    CLASSMATE,
    DEVICES,
    GRADES,
    LAB,
    PUPIL,
    STRANGER,
    TEACHER,
    UNKNOWN,
)
from tests.support.oracle_servers import Mood
from tests.support.oracle_steps import (
    Ask,
    Change,
    Lend,
    Release,
    Restart,
    Say,
    SetClock,
    Turn,
    Wait,
)
from tests.support.oracle_upstream import Home, Saying
from tests.support.worlds import SPOKEN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from tests.support.oracle_scripts import Script
    from tests.support.oracle_steps import Step

    Scene: TypeAlias = Callable[[Script], Iterator[Step]]

SOME = (PUPIL, CLASSMATE, TEACHER, CHILD, STRANGER, LAB, UNKNOWN)
TYPES = (wire.A, wire.A, wire.AAAA, wire.HTTPS, wire.TXT)
SIZES = (512, 700, 1_232, 4_096)
_MACS = tuple(DEVICES)


def open_names(script: Script) -> list[str]:
    """Return names without earlier questions."""
    names = [f"n{script.chance.randrange(100_000)}.{one}" for one in ("alias.free", "big.free")]
    return [*names, "alias.free", "big.free"]


def a_crowd(script: Script, name: str, **same: Any) -> list[Step]:
    """Return one question of every client, some of them in another form."""
    chance = script.chance
    like = Ask(PUPIL, name, chance.choice(TYPES), chance.randrange(2))
    asked = []
    for who in chance.sample(SOME, len(SOME)):
        dress = {
            "capitals": chance.choice((0, 0, chance.getrandbits(16))),
            "size": chance.choice(SIZES),
            "edns": chance.random() < 0.85,
            "ad": chance.random() < 0.2,
            "by_tcp": chance.random() < 0.15,
            "do": chance.random() < 0.15,
            "cd": chance.random() < 0.05,
        }
        asked.append(like._replace(who=who, **(dress | same)))
    return [*asked, chance.choice(asked)]


def greeting(script: Script) -> list[Step]:
    """Return questions that make every client known to workers: new ones take the long way."""
    everybody = script.chance.sample(SOME, len(SOME))
    return [Ask(who, "www.free", worker=worker) for who in everybody for worker in range(2)]


def what_closes(script: Script, target: str) -> list[Law | Listing]:
    """Make up something that keeps some from a target, and perhaps something that lets some in."""
    chance = script.chance
    some: list[Law | Listing] = [
        *[Listing("games", "games", own=False, name=target)] * 3,
        Listing("own-games", "games", own=True, name=target),
        Listing("own-porn", "porn", own=True, name=target),
        Law(target, False, "grade", chance.choice(GRADES)),
        Law(target, False, "network", chance.choice(("grade-6", "staff", "lab", "tablets"))),
        Law(target, False, "client", chance.choice(SOME).address),
        Law(target, False, "tier", chance.choice((PUPIL.tier, TEACHER.tier))),
        Law(target, False),
    ]
    found = [chance.choice(some)]
    if isinstance(found[0], Listing) and chance.random() < 0.5:
        found.append(
            chance.choice(
                (
                    Listing("games", "games", own=False, name=f"a.{target}", excepts=True),
                    Law(target, True, "grade", chance.choice(GRADES)),
                    Law(target, True, "client", chance.choice(SOME).address),
                )
            )
        )
    return found


def led_to(script: Script, target: str) -> Iterator[Step]:
    """Let the open names lead to a target, by one alias or two, or by service bindings."""
    chance, ttl_s = script.chance, script.chance.choice((0, 5, 30, 300, 300))
    if chance.random() < 0.4:
        yield Say("zero.free", Saying("alias", ttl_s, target))
        yield Say("alias.free", Saying("alias", 300, "zero.free"))
    else:
        yield Say("alias.free", Saying("alias", ttl_s, target))
    yield Say("big.free", Saying("data", ttl_s, target, ech=chance.random() < 0.5))
    yield Say(target, Saying(chance.choice(("data", "data", "nodata", "big")), 300))


def meanwhile(script: Script, target: str) -> Iterator[Step]:
    """Cause an event that changes the audience of names."""
    chance = script.chance
    match chance.randrange(8):
        case 0:
            yield from script.with_more(*what_closes(script, target))
        case 1:
            yield from script.new_rules()
        case 2:
            yield SetClock(chance.choice((-150.0, -20.0, 20.0, 150.0)))
        case 3:
            yield from script.with_more(lab=chance.choice(GRADES))
        case 4:
            yield Lend(chance.choice(_MACS))
        case 5:
            yield Wait(chance.choice((0.3, 1.3, 2.0)))
        case 6:
            yield Restart(chance.randrange(2))
        case _:
            yield Say(target, script.saying())


def _flight(script: Script) -> Iterator[Step]:
    """All clients wait for one answer, which only some may have."""
    chance = script.chance
    target = chance.choice(SPOKEN)
    yield from script.only(*what_closes(script, target))
    to = chance.choice((target, target, f"c.{target}", f"a.{target}"))
    yield from led_to(script, to)
    for name in chance.sample(open_names(script), 3):
        yield from greeting(script)
        yield Turn(Mood.HELD)
        crowd = a_crowd(script, name)
        yield from crowd
        if chance.random() < 0.5:
            yield from meanwhile(script, target)
        yield Turn(chance.choice((Mood.PROMPT, Mood.PROMPT, Mood.TWICE, Mood.GARBLED)))
        for _ in range(2):
            yield from crowd
    yield Turn(Mood.PROMPT)


def _target_changes(script: Script) -> Iterator[Step]:
    """A target is closed, opened, and closed to others, while clients wait for an alias to it."""
    chance = script.chance
    target = chance.choice(SPOKEN)
    yield from script.with_more(Law(target, allow=False, starts_at=script.wall + 9_000))
    yield from led_to(script, target)
    for law in (
        Law(target, allow=False),
        Law(target, allow=True),
        Law(target, False, "grade", LAB.grade),
        Law(target, False, "grade", TEACHER.grade),
    ):
        yield from greeting(script)
        yield Turn(Mood.HELD)
        crowd = [*a_crowd(script, open_names(script)[0]), *a_crowd(script, open_names(script)[1])]
        yield from crowd
        yield from script.only(law, lab=chance.choice(GRADES))
        yield Release(chance.choice((0, 1)))
        yield Turn(Mood.PROMPT)
        yield from crowd


def _target_at_an_edge(script: Script) -> Iterator[Step]:
    """A law about a target begins and ends, by time or by setting the clock, while people wait."""
    chance = script.chance
    target = chance.choice(SPOKEN)
    starts_at = script.wall + 20.0
    yield from script.with_more(
        Law(target, allow=False, starts_at=starts_at, ends_at=starts_at + 20.0)
    )
    yield from led_to(script, target)
    steps = (Wait(3.0), SetClock(16.5), Wait(2.0), SetClock(-25.0), SetClock(25.0), SetClock(20.0))
    crowds = [a_crowd(script, name) for name in open_names(script)]
    for step in (*steps, SetClock(-20.0)):
        yield from greeting(script)
        yield Turn(Mood.HELD)
        for crowd in (a_crowd(script, open_names(script)[0]), chance.choice(crowds)):
            yield from crowd
        yield step
        yield Turn(Mood.PROMPT)
        yield from chance.choice(crowds)


def _covered(script: Script) -> Iterator[Step]:
    """An allow of the name covers its targets, for its audience."""
    chance = script.chance
    target = chance.choice(SPOKEN)
    listing = Listing("games", "games", own=False, name=target)
    law = Law("alias.free", True, *chance.choice((("grade", "6"), ("everybody", ""))))
    yield from script.with_more(listing, law)
    yield from led_to(script, target)
    for name in open_names(script)[::2]:
        for _ in range(2):
            yield from a_crowd(script, name)
    rules = replace(script.rules.world, laws=())
    script.rules = replace(script.rules, world=rules)
    excepts = Listing("games", "games", own=False, name=f"a.{target}", excepts=True)
    yield from script.with_more(excepts)
    yield from script.with_more(listing, lab="6")
    world = script.rules.world
    world = replace(world, listings=(*world.listings, excepts))
    script.rules = replace(script.rules, world=world)
    yield Change(script.rules)
    for to in (f"a.{target}", f"b.{target}"):
        yield from led_to(script, to)
        for name in open_names(script):
            yield from a_crowd(script, name)


def _private(script: Script) -> Iterator[Step]:
    """Public names lead into the school's network, some of them with leave."""
    chance = script.chance
    homes = frozenset(chance.choice(((), ("home.free",))))
    yield from script.only(homes=homes)
    for home in (Home.ALL, Home.SOME):
        yield from greeting(script)
        yield Say("home.free", Saying("data", chance.choice((0, 30, 300)), home=home))
        yield Say("alias.free", Saying("alias", 300, "home.free"))
        number = chance.randrange(100_000)
        for name in (f"n{number}.home.free", f"n{number}.alias.free"):
            for qtype in (wire.A, wire.AAAA, wire.HTTPS):
                yield Turn(Mood.HELD)
                crowd = a_crowd(script, name, qtype=qtype)
                yield from crowd
                if chance.random() < 0.3:
                    yield from script.with_more(homes=frozenset({"home.free"}) - homes)
                yield Turn(Mood.PROMPT)
                yield from crowd


def _keys(script: Script) -> Iterator[Step]:
    """Some get no keys for Encrypted Client Hello."""
    chance = script.chance
    yield from script.only(strips_for=frozenset(chance.sample(GRADES, 2)))
    yield Say("big.free", Saying("data", chance.choice((0, 300)), ech=True))
    for name in (open_names(script)[1], "big.free"):
        crowd = a_crowd(script, name, qtype=wire.HTTPS)
        yield from crowd
        yield from crowd


def _lent(script: Script) -> Iterator[Step]:
    """One device after another has an address, while it waits."""
    chance = script.chance
    target = chance.choice(SPOKEN)
    closing = (
        Listing("games", "games", own=False, name=target),
        Law(target, False, "network", "tablets"),
        Law(target, False, "grade", "preschool"),
    )
    yield from script.only(chance.choice(closing))
    yield from led_to(script, target)
    for mac in (*_MACS[1:], *chance.sample(_MACS, 3)):
        name = chance.choice((*open_names(script), target))
        yield Turn(chance.choice((Mood.HELD, Mood.PROMPT)))
        asked = Ask(UNKNOWN, name, chance.choice(TYPES))
        yield from (asked, asked._replace(who=PUPIL), asked._replace(who=TEACHER))
        yield Lend(mac)
        yield asked
        yield Turn(Mood.PROMPT)
        yield from (asked, asked, asked._replace(who=TEACHER))


SCENES: tuple[Scene, ...] = (
    _flight,
    _target_changes,
    _target_at_an_edge,
    _covered,
    _private,
    _keys,
    _lent,
)
