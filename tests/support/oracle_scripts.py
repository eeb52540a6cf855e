# SPDX-License-Identifier: Apache-2.0
"""Random lives, from a seed: scenes that provoke, and idle questions.

Steps are made beforehand and do not depend on events, so the same seed is the same
life, and a failing life can be shortened by leaving steps out.
"""

from __future__ import annotations

import random
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from tests.support import oracle_messages as wire
from tests.support.oracle import Law, Listing
from tests.support.oracle_rules import (
    ALL_NAMES,
    GRADES,
    OUTSIDE,
    PEOPLE,
    PRINTER,
    PUPIL,
    SEARCH,
    TWIN,
    ZONE,
    some_rules,
)
from tests.support.oracle_scenes import SCENES, TYPES, a_crowd, led_to
from tests.support.oracle_scenes_upstream import SCENES_OF_UPSTREAMS
from tests.support.oracle_school import RESTART_S
from tests.support.oracle_servers import Mood
from tests.support.oracle_steps import (
    MANY,
    Ask,
    Change,
    Release,
    Restart,
    Say,
    SetClock,
    Turn,
    Vouch,
    Wait,
)
from tests.support.oracle_upstream import Home, Saying
from tests.support.policies import NOW
from tests.support.worlds import NAMES, SPOKEN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

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


QTYPES = (wire.A, wire.A, wire.A, wire.AAAA, wire.TXT, wire.HTTPS, wire.ANY)
SIZES = (512, 700, 1232, 4096)
TTLS_S = (0, 1, 5, 20, 300, 3_000, 100_000)
KINDS = ("data", "data", "data", "nodata", "nxdomain", "alias", "alias", "big", "huge")
OPTIONS = (0, 0, 0, 3, 10, 12)
_BELLS = 2
"""So many of the scenes, the first ones, take as long as all others."""
_WEIGHTS = (0.05, 0.05, 0.3, 24.0, 8.0, 2.0)
"""Of the scenes that are listed first; all others weigh 1."""


class Script:
    """Makes up a life. ``wall`` is the time that it will be, as far as is known beforehand.

    Attributes:
        chance: what decides.
        rules: those that will be in force.
    """

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.wall = NOW
        self.rules = some_rules(self.chance, NOW)
        self.first_rules = self.rules
        self._favourites = [self.question() for _ in range(12)]

    def steps(self, count: int) -> list[Step]:
        """Return at least so many steps, whole scenes."""
        found: list[Step] = [Say(name, self.saying()) for name in ALL_NAMES]
        while len(found) < count:
            scenes = self._scenes()
            weights = [*_WEIGHTS, *[1.0] * (len(scenes) - len(_WEIGHTS))]
            (scene,) = self.chance.choices(scenes, weights)
            found += self._in_time(scene())
        return found

    def every_scene(self, *, bells: bool = True) -> list[Step]:
        """Return each scene once; the rarest last, and those in which a thousand wait if wanted."""
        scenes = self._scenes() if bells else self._scenes()[_BELLS:]
        return [step for scene in reversed(scenes) for step in self._in_time(scene())]

    def _in_time(self, steps: Iterable[Step]) -> Iterator[Step]:
        for step in steps:
            yield step
            if isinstance(step, (Wait, SetClock)):
                self.wall += step.seconds
            elif isinstance(step, Restart) or (isinstance(step, Change) and step.restarts):
                self.wall += RESTART_S

    def _scenes(self) -> list[Callable[[], Iterable[Step]]]:
        return [
            partial(bell, self),
            partial(open_bell, self),
            self._day,
            self.talk,
            self._idle,
            self.new_rules,
            self._edge,
            self._edge_passes_by_setting,
            self._exceptions,
            self._flags,
            self._listed_target,
            self._old,
            self._restarts,
            self._rewritten,
            self._sizes,
            self._types,
            self._wrong_turn,
            self._zero,
            self._failing,
            self._slow,
            *(partial(scene, self) for scene in (*SCENES, *SCENES_OF_UPSTREAMS)),
        ]

    # What people do all day.

    def question(self, name: str = "") -> Ask:
        """Make up a question."""
        chance = self.chance
        names = ALL_NAMES if chance.random() < 0.9 else (PRINTER, f"x.{ZONE}", SEARCH)
        return Ask(
            chance.choice(PEOPLE),
            name or chance.choice(names),
            chance.choice(QTYPES),
            chance.randrange(2),
            chance.random() < 0.25,
            chance.random() < 0.1,
            chance.random() < 0.97,
            chance.random() < 0.1,
            chance.random() < 0.8,
            chance.choice(SIZES),
            chance.choice((0, 0, 0, chance.getrandbits(16))),
            chance.choice(OPTIONS),
            chance.random() < 0.15,
        )

    def talk(self) -> Iterator[Step]:
        """A few questions, most of them asked before, each repeated."""
        chance = self.chance
        for _ in range(chance.randrange(1, 8)):
            if chance.random() < 0.25:
                self._favourites[chance.randrange(12)] = self.question()
            asked = chance.choice(self._favourites)
            for _ in range(chance.randrange(1, 5)):
                yield asked
                if chance.random() < 0.3:
                    asked = asked._replace(
                        capitals=chance.getrandbits(16), size=chance.choice(SIZES)
                    )

    def _idle(self) -> Iterator[Step]:
        yield Wait(self.chance.choice((0.01, 0.3, 0.7, 1.0, 2.5, 4.0, 11.0, 40.0, 290.0)))
        if self.chance.random() < 0.5:
            yield Say(self.chance.choice(ALL_NAMES), self.saying())
        if self.chance.random() < 0.2:
            yield Vouch(self.chance.random() < 0.7, self.chance.random() < 0.7)

    def saying(self) -> Saying:
        """Make up what is said of a name."""
        chance = self.chance
        return Saying(
            chance.choice(KINDS),
            chance.choice(TTLS_S),
            chance.choice((*SPOKEN, *OUTSIDE[:4])),
            chance.random() < 0.2,
            chance.choice((Home.NONE, Home.NONE, Home.NONE, Home.SOME, Home.ALL)),
            chance.random() < 0.3,
        )

    def new_rules(self) -> Iterator[Step]:
        """Put others in force, while people ask."""
        self.rules = some_rules(self.chance, self.wall)
        restart = self.chance.choice((None, None, 0, 1))
        asked = [self.chance.choice(self._favourites) for _ in range(6)]
        yield from asked
        yield Change(self.rules, restart, tuple(asked))

    def with_more(self, *more: Law | Listing, **changed: Any) -> Iterator[Step]:
        """Put the same rules in force with these besides, nothing else said of their names."""
        names = {one.name for one in more}
        world = self.rules.world
        world = replace(
            world,
            guards=(),
            laws=tuple(law for law in world.laws if law.name not in names),
            listings=tuple(listing for listing in world.listings if listing.name not in names),
        )
        laws = tuple(one for one in more if isinstance(one, Law))
        listings = tuple(one for one in more if isinstance(one, Listing))
        world = replace(world, laws=(*world.laws, *laws), listings=(*world.listings, *listings))
        self.rules = replace(self.rules, world=world, **changed)
        yield Change(self.rules)

    def only(self, *more: Law | Listing, **changed: Any) -> Iterator[Step]:
        """Activate these alone at times, so that other names have no rules."""
        if self.chance.random() < 0.6:
            world = replace(self.rules.world, laws=(), listings=())
            self.rules = replace(self.rules, world=world, homes=frozenset(), delegated="")
        yield from self.with_more(*more, **changed)

    # Scenes.

    def _edge(self) -> Iterator[Step]:
        """A law begins, and ends, while its name and names beneath are asked for."""
        chance = self.chance
        name = chance.choice(SPOKEN)
        law = Law(name, allow=False, starts_at=self.wall + 1.0, ends_at=self.wall + 4.0)
        yield from self.with_more(law)
        yield Say(name, Saying("data", 300))
        asked = [self.question(name)._replace(qtype=wire.A, rd=True) for _ in range(4)]
        for seconds in (0.75, 0.25, 2.75, 0.25):  # no TTL is less than a second
            yield from asked * 2
            yield Turn(Mood.HELD)
            for who in PEOPLE:
                beneath = f"n{chance.randrange(1_000)}.{name}"
                yield chance.choice(asked)._replace(who=who, name=beneath)
            yield Wait(seconds)
            yield Turn(Mood.PROMPT)
            yield from asked * 2

    def _edge_passes_by_setting(self) -> Iterator[Step]:
        """The clock is set over both edges of a law, to and fro, while people ask and wait."""
        name = self.chance.choice(SPOKEN)
        law = Law(name, allow=False, starts_at=self.wall + 100, ends_at=self.wall + 200)
        yield from self.with_more(law)
        yield Say(name, Saying("data", 3_000))
        asked = self.question(name)._replace(qtype=wire.A, rd=True, edns=True)
        far, back = self.chance.choice(((150.0, -150.0), (150.0, 100.0), (250.0, -100.0)))
        for seconds in (0.0, far, back, -far, -back):
            if seconds:
                yield SetClock(seconds)
            yield from [asked] * 3
        yield SetClock(250.0)
        for seconds in (-100.0, 100.0, -100.0, -150.0):
            yield Turn(Mood.HELD)
            for who in PEOPLE:
                number = self.chance.randrange(1_000)
                yield asked._replace(who=who, name=f"n{number}.{name}")
            yield SetClock(seconds)
            yield Turn(Mood.PROMPT)

    def _exceptions(self) -> Iterator[Step]:
        """A name is closed and its child open, and the other way about."""
        chance = self.chance
        parent = chance.choice(SPOKEN[:2])
        child = f"{chance.choice('ab')}.{parent}"
        for listed, open_name in ((parent, child), (child, parent)):
            listing = Listing("games", "games", own=False, name=listed)
            excepts = Listing("games", "games", own=False, name=open_name, excepts=True)
            law = Law(open_name, allow=True)
            yield from self.with_more(listing, chance.choice((excepts, law)))
            for _ in range(2):
                for name in (parent, child, f"c.{child}", f"c.{parent}"):
                    yield self.question(name)._replace(who=PUPIL)

    def _flags(self) -> Iterator[Step]:
        """One name, with every combination of bits, again and again."""
        name, who = self.chance.choice(ALL_NAMES), self.chance.choice(PEOPLE)
        yield Say(name, Saying(self.chance.choice(("data", "nodata")), 300))
        asked = [
            Ask(who, name, wire.A, 0, bool(n & 1), bool(n & 2), not n & 4, bool(n & 8), not n & 16)
            for n in range(32)
        ]
        for _ in range(3):
            self.chance.shuffle(asked)
            yield from asked

    def _listed_target(self) -> Iterator[Step]:
        """An alias leads to a name that is listed, and another day does not."""
        chance = self.chance
        target = chance.choice(SPOKEN)
        yield from self.with_more(Listing("own-porn", "porn", own=True, name=target))
        for to in (target, "www.free", f"c.{target}"):
            yield Say("alias.free", Saying("alias", 5, to))
            yield Say("big.free", Saying("data", 5, to))
            for _ in range(3):
                yield self.question("alias.free")
                yield self.question("big.free")._replace(qtype=wire.HTTPS)
            yield Wait(6.0)

    def _old(self) -> Iterator[Step]:
        """No upstream answers any more, and expired answers are served."""
        name = self.chance.choice(ALL_NAMES)
        yield Say(name, Saying(self.chance.choice(("data", "alias", "nxdomain")), 5, "www.free"))
        asked = [self.question(name)._replace(rd=True) for _ in range(3)]
        yield from asked
        yield from asked
        yield Wait(self.chance.choice((6.0, 100.0, 86_000.0, 86_404.0, 86_406.0)))
        yield Turn(self.chance.choice((Mood.SILENT, Mood.FAILING, Mood.HELD)))
        for _ in range(4):
            yield from asked
            yield Wait(self.chance.choice((0.5, 2.0, 5.0)))
        if self.chance.random() < 0.4:
            yield from self.new_rules()
        yield from asked
        yield Turn(Mood.PROMPT)
        yield Wait(self.chance.choice((1.0, 31.0)))
        yield from asked
        yield from asked

    def _restarts(self) -> Iterator[Step]:
        yield from self.talk()
        if self.chance.random() < 0.5:
            yield Turn(Mood.HELD)
            yield from self.talk()
        yield Restart(self.chance.randrange(2))
        yield Turn(Mood.PROMPT)
        yield from self.talk()

    def _rewritten(self) -> Iterator[Step]:
        """A search engine's strict twin answers for some."""
        rules = replace(self.rules, twins_for=frozenset(self.chance.sample(GRADES, 3)))
        self.rules = rules
        yield Change(rules)
        yield Say(TWIN, Saying("data", self.chance.choice((0, 20, 300))))
        for _ in range(2):
            for who in PEOPLE:
                asked = self.question(SEARCH)._replace(who=who, rd=True)
                for qtype in (wire.A, wire.AAAA, wire.HTTPS, wire.TXT):
                    yield asked._replace(qtype=qtype)

    def _sizes(self) -> Iterator[Step]:
        """An answer that fits some and not others."""
        name, who = self.chance.choice(OUTSIDE), self.chance.choice(PEOPLE)
        yield Say(name, Saying("big", 300))
        asked = [Ask(who, name, wire.TXT, size=size) for size in SIZES]
        asked.append(Ask(who, name, wire.TXT, edns=False))
        for _ in range(3):
            self.chance.shuffle(asked)
            yield from asked

    def _types(self) -> Iterator[Step]:
        """A list closes a name for one type only."""
        name = self.chance.choice(SPOKEN)
        types = frozenset({self.chance.choice((wire.A, wire.AAAA))})
        other = self.chance.random() < 0.5
        listing = Listing("own-porn", "porn", own=True, name=name, types=types, other_types=other)
        yield from self.with_more(listing)
        for _ in range(2):
            for qtype in (wire.A, wire.AAAA, wire.HTTPS, wire.ANY):
                yield self.question(name)._replace(qtype=qtype)
                yield self.question(f"c.{name}")._replace(qtype=qtype)

    def _wrong_turn(self) -> Iterator[Step]:
        """Rules change while some wait."""
        yield Turn(Mood.HELD)
        for _ in range(12):
            yield self.question()
        yield Wait(self.chance.choice((0.1, 2.0)))
        yield from self.new_rules()
        yield Release(3)
        yield from self.talk()
        yield Turn(Mood.PROMPT)

    def _zero(self) -> Iterator[Step]:
        """An answer with TTL 0 is only for waiting clients."""
        name = self.chance.choice(("zero.free", *NAMES))
        yield Say(name, Saying("data", 0))
        asked = self.question(name)._replace(qtype=wire.A, rd=True)
        yield Turn(Mood.HELD)
        yield from [asked] * 3
        yield Wait(0.2)
        yield Turn(Mood.PROMPT)
        yield from [asked] * 3

    def _failing(self) -> Iterator[Step]:
        """The upstream fails for a while."""
        asked = [self.question() for _ in range(4)]
        yield Turn(self.chance.choice((Mood.FAILING, Mood.SILENT)))
        for _ in range(3):
            yield from asked
            yield Wait(self.chance.choice((0.5, 4.0, 9.0)))
        yield Turn(Mood.PROMPT)
        yield from asked
        yield Wait(self.chance.choice((5.0, 70.0)))
        yield from asked

    def _slow(self) -> Iterator[Step]:
        """Answers come one by one, in time or too late."""
        yield Turn(Mood.HELD)
        for _ in range(6):
            yield from self.talk()
            yield Wait(self.chance.choice((0.2, 1.0, 3.0)))
            yield Release(self.chance.randrange(1, 4))
        yield Turn(Mood.PROMPT)

    def _day(self) -> Iterator[Step]:
        """A day goes by."""
        yield from self.talk()
        yield Wait(90_000.0)
        yield from self.talk()
