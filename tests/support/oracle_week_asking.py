# SPDX-License-Identifier: Apache-2.0
"""Questions of a school's week: before, at and after every edge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from filterd.policy.model import Lesson, Period
from tests.support import oracle_messages as wire
from tests.support.oracle import Listing
from tests.support.oracle_changes import Until
from tests.support.oracle_rules import LAB, PUPIL
from tests.support.oracle_servers import Mood
from tests.support.oracle_steps import Ask, Say, Turn, Wait
from tests.support.oracle_upstream import Saying
from tests.support.oracle_week import second_of_day

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.oracle import Person
    from tests.support.oracle_steps import Step
    from tests.support.oracle_week_script import WeekScript as Script

    WeekScene: TypeAlias = Callable[[Script], Iterator[Step]]

DAY_S = 86_400
EVERY_DAY = frozenset(range(7))
LISTED = "b.example"
"""What lists are about, and below it ``b.b.example``, which is a service."""
CHAT = "chat.free"
WHOM = {
    "everybody": "",
    "tier": PUPIL.tier,
    "grade": "6",
    "network": LAB.network,
    "client": LAB.address,
}


def asks(script: Script, *names: str, whom: tuple[Person, ...] = (LAB, PUPIL)) -> list[Ask]:
    """Return questions for names: each repeated, and for a new name beneath."""
    chance = script.chance
    found: list[Ask] = []
    for name in names:
        for who in whom:
            worker = chance.randrange(2)
            asked = Ask(who, name, wire.A, worker, size=chance.choice((512, 1_232)))
            cold = f"n{chance.randrange(100_000)}.{name}"
            found += [asked, asked, asked._replace(name=cold)]
    return found


def around(script: Script, at: float, *names: str, **more: Any) -> Iterator[Step]:
    """Ask before, at and after an edge, also if the upstream answers only after it."""
    yield Until(at - 1.25)
    yield from asks(script, *names, **more)
    yield Until(at - 0.25)
    yield from asks(script, *names, **more)
    yield Turn(Mood.HELD)
    yield from (ask for ask in asks(script, *names, **more) if ask.name.startswith("n"))
    yield Until(at)
    if script.chance.random() < 0.7:
        yield Turn(Mood.PROMPT)
        yield from asks(script, *names, **more)
    yield Wait(0.5)
    yield Turn(Mood.PROMPT)
    yield from asks(script, *names, **more)


def a_start(script: Script, *, before_s: int = 5) -> float:
    """Return a whole second soon, so that a day does not end in the next minutes."""
    start = float(int(script.wall) + before_s)
    left = DAY_S - second_of_day(start)
    return start if left > 1_000 else start + left + 3_600


def lessons_from(start: float) -> tuple[Lesson, ...]:
    """Return two lessons of half a minute with a break between them."""
    second = second_of_day(start)
    return Lesson("tiet-1", second, second + 30), Lesson("tiet-2", second + 40, second + 70)


def periods(first: str, second: str) -> tuple[Period, ...]:
    """Return the same two grades for every day."""
    both = (("tiet-1", first), ("tiet-2", second))
    return tuple(Period(day, lesson, which) for day in range(7) for lesson, which in both)


def games(name: str = LISTED) -> Listing:
    """Return an entry of a third party's list of games."""
    return Listing("games", "games", own=False, name=name)


def leads(script: Script, target: str) -> Iterator[Step]:
    """Make a name without rules an alias of a target."""
    yield Say("alias.free", Saying("alias", script.chance.choice((5, 300)), target))
    yield Say(target, Saying("data", 300))
