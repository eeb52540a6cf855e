# SPDX-License-Identifier: Apache-2.0
"""Scenes about upstreams: their order, transports, and replies without any."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support import oracle_messages as wire
from tests.support.oracle import Law
from tests.support.oracle_rules import CAMPUS, DELEGATIONS, PUPIL
from tests.support.oracle_scenes import (
    SIZES,
    SOME,
    a_crowd,
    greeting,
    led_to,
    meanwhile,
    open_names,
    what_closes,
)
from tests.support.oracle_servers import Mood
from tests.support.oracle_steps import Ask, Say, Turn, Wait
from tests.support.oracle_upstream import Home, Saying
from tests.support.worlds import SPOKEN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.oracle_scenes import Scene
    from tests.support.oracle_scripts import Script
    from tests.support.oracle_steps import Step


def _failover(script: Script) -> Iterator[Step]:
    """One upstream is out of order, and the other answers, or neither."""
    chance = script.chance
    target = chance.choice(SPOKEN)
    yield from script.only(
        *what_closes(script, target), trusts=chance.choice(((False, False), (True, False)))
    )
    yield from led_to(script, target)
    bad = (Mood.SILENT, Mood.FAILING, Mood.REFUSING, Mood.TRUNCATING, Mood.LOST)
    for first in chance.sample(bad, 3):
        yield from greeting(script)
        yield Turn(first, chance.choice((*bad, Mood.PROMPT, Mood.PROMPT, Mood.PROMPT, Mood.HELD)))
        crowd = a_crowd(script, chance.choice(open_names(script)))
        for seconds in chance.choice(((0.4, 2.2), (2.5, 2.0), (4.3, 0.1))):
            yield from crowd
            yield Wait(seconds)
        yield Turn(Mood.PROMPT)
        yield from crowd
        yield Wait(chance.choice((0.1, 6.0, 70.0)))
        yield from crowd


def _long(script: Script) -> Iterator[Step]:
    """Answers too long for a datagram, or said to be, or as long as just can be."""
    chance = script.chance
    yield Turn(chance.choice((Mood.PROMPT, Mood.TRUNCATING)))
    name = open_names(script)[1]
    yield Say("big.free", Saying("huge", chance.choice((0, 300))))
    yield from a_crowd(script, name, qtype=wire.TXT)
    for octets in (511, 512, 513, 701, 1_232, 1_233):
        # Of its number the name has as many octets as another.
        name = f"n{chance.randrange(10_000, 100_000)}.big.free"
        yield Say("big.free", Saying("exact", 300, octets=octets))
        fits = min(SIZES, key=lambda size: abs(size - octets))
        asked = Ask(PUPIL, name, wire.TXT, size=fits, do=chance.random() < 0.3)
        for _ in range(3):
            yield asked._replace(who=chance.choice(SOME))
        yield asked._replace(edns=False, do=False)
        yield asked._replace(by_tcp=True)
    yield Say("big.free", Saying("exact", 300, octets=512 + 11))
    asked = Ask(PUPIL, f"n{chance.randrange(10_000)}.big.free", wire.TXT, edns=False)
    yield from [asked] * 3
    yield Turn(Mood.PROMPT)


def _zone(script: Script) -> Iterator[Step]:
    """A zone has servers of its own, and another day has none."""
    chance = script.chance
    zone = chance.choice(DELEGATIONS[1:])
    target = chance.choice(SPOKEN)
    for delegated in (zone, "", zone):
        closing = what_closes(script, target)
        yield from script.with_more(*closing, Law(zone, allow=True), delegated=delegated)
        for name in (zone, f"www.{zone}"):
            yield Say(name, chance.choice((Saying("alias", 300, target), script.saying())))
            yield Say(name, Saying("alias", chance.choice((5, 300)), target))
        name = f"n{chance.randrange(1_000)}.www.{zone}"
        yield Turn(chance.choice((Mood.HELD, Mood.PROMPT)))
        crowd = [*a_crowd(script, name), *a_crowd(script, f"www.{zone}")]
        yield from crowd
        if chance.random() < 0.4:
            yield from script.with_more(delegated="" if delegated else zone)
        yield Turn(Mood.PROMPT)
        yield from crowd
        yield Wait(6.0)
        yield Turn(Mood.PROMPT, zone=chance.choice((Mood.SILENT, Mood.FAILING, Mood.TRUNCATING)))
        yield from crowd
        yield Wait(4.5)
        yield Turn(Mood.PROMPT)
    yield Say(f"www.{CAMPUS}", Saying("data", 300, home=Home.ALL))
    yield from a_crowd(script, f"www.{CAMPUS}")


def _old_and_closed(script: Script) -> Iterator[Step]:
    """Stale answers go to clients that may have them, by the present rules."""
    chance = script.chance
    target = chance.choice(SPOKEN)
    yield from script.with_more(Law(target, allow=True))
    yield from led_to(script, target)
    yield Say("alias.free", Saying("alias", 5, target))
    names = open_names(script)[::2]
    crowds = [a_crowd(script, name, do=False, cd=False, qtype=wire.A) for name in names]
    for crowd in crowds:
        yield from crowd
        yield from crowd
    yield Wait(chance.choice((6.0, 400.0, 86_000.0)))
    closing = Law(target, False, "grade", chance.choice(("6", "staff")))
    yield from script.with_more(closing, trusts=script.rules.trusts)
    yield Turn(chance.choice((Mood.SILENT, Mood.FAILING, Mood.LOST)))
    for crowd in crowds:
        yield from crowd
        yield Wait(chance.choice((2.0, 4.5)))
        yield from crowd
    if chance.random() < 0.5:
        yield from meanwhile(script, target)
    for crowd in crowds:
        yield from crowd
    yield Turn(Mood.PROMPT)
    yield Wait(chance.choice((1.0, 31.0)))
    for crowd in crowds:
        yield from crowd


def _failed_for_all(script: Script) -> Iterator[Step]:
    """A name fails, and every client gets the failure, until it works again."""
    chance = script.chance
    target = chance.choice(SPOKEN)
    yield from script.only(*what_closes(script, target))
    yield from led_to(script, target)
    yield Turn(chance.choice((Mood.FAILING, Mood.REFUSING, Mood.SILENT)))
    crowd = a_crowd(script, open_names(script)[0], do=False, cd=False)
    for seconds in (4.4, 2.0, chance.choice((0.1, 6.0))):
        yield from crowd
        yield Wait(seconds)
    if chance.random() < 0.5:
        yield from meanwhile(script, target)
    yield from crowd
    yield Turn(Mood.PROMPT)
    yield from crowd
    yield Wait(chance.choice((6.0, 70.0)))
    yield from crowd


SCENES_OF_UPSTREAMS: tuple[Scene, ...] = (
    _failover,
    _long,
    _zone,
    _old_and_closed,
    _failed_for_all,
)
