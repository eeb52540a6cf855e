# SPDX-License-Identifier: Apache-2.0
"""Scenes in which a thousand questions wait while the rules change."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tests.support import oracle_messages as wire
from tests.support.oracle import Law
from tests.support.oracle_rules import PUPIL, some_rules
from tests.support.oracle_scenes import TYPES, a_crowd, led_to
from tests.support.oracle_servers import Mood
from tests.support.oracle_steps import MANY, Ask, Change, Release, Turn
from tests.support.worlds import SPOKEN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.oracle_scripts import Script
    from tests.support.oracle_steps import Step

_EACH = 90
"""So many ask for a name."""


def bell(script: Script) -> Iterator[Step]:
    """A thousand wait, and the rules change."""
    yield Turn(Mood.HELD)
    names = [f"n{n}.{name}" for n in range(5) for name in SPOKEN]
    asked = [script.question(script.chance.choice(names)) for _ in range(MANY // 4)]
    passing = [one._replace(who=PUPIL, rd=True, qtype=wire.TXT, by_tcp=False) for one in asked]
    calm = replace(script.rules.world, guards=(), laws=(), listings=())
    yield Change(replace(script.rules, world=calm))
    for _ in range(4):
        yield from passing
    yield Ask(PUPIL, "www.free", wire.TXT)
    rules = some_rules(script.chance, script.wall)
    closed = Law(script.chance.choice(SPOKEN[:2]), allow=False)
    world = replace(rules.world, guards=(), laws=(*rules.world.laws, closed))
    script.rules = replace(rules, world=world)
    yield Change(script.rules)
    yield Turn(Mood.PROMPT)
    yield from asked


def open_bell(script: Script) -> Iterator[Step]:
    """A thousand wait for open names, and what these lead to is closed to some."""
    chance = script.chance
    target = chance.choice(SPOKEN)
    calm = replace(script.rules.world, guards=(), laws=(), listings=())
    yield Change(replace(script.rules, world=calm, outsiders=False))
    yield from led_to(script, target)
    yield Turn(Mood.HELD)
    crowd: list[Step] = []
    while len(crowd) < MANY:
        name = f"n{len(crowd)}.alias.free"
        kinds = {"qtype": chance.choice(TYPES), "edns": True, "by_tcp": False}
        asked = a_crowd(script, name, do=False, cd=False, **kinds)
        crowd += asked * (_EACH // len(asked))
    yield from crowd
    rules = some_rules(chance, script.wall)
    laws = (Law(target, False, "grade", chance.choice(("6", "staff"))),)
    script.rules = replace(rules, world=replace(rules.world, guards=(), laws=laws, listings=()))
    yield Change(script.rules)
    yield Release(3)
    yield Turn(Mood.PROMPT)
    yield from crowd[:: _EACH // 8]
