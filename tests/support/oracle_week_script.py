# SPDX-License-Identifier: Apache-2.0
"""Random lives of a school with a week, mixed with those of all schools."""

from __future__ import annotations

from dataclasses import fields, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from filterd.policy.model import Lesson, Period
from tests.support import oracle_week_scenes as scenes
from tests.support import oracle_week_scenes_rooms as of_rooms
from tests.support.oracle import Law, Listing
from tests.support.oracle_changes import Until
from tests.support.oracle_rules import GRADES, Rules, some_rules
from tests.support.oracle_school import RESTART_S
from tests.support.oracle_scripts import Script
from tests.support.oracle_steps import Change, Say
from tests.support.oracle_upstream import Saying
from tests.support.oracle_week import Week, WeekRules, second_of_day

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tests.support.oracle_steps import Step
    from tests.support.oracle_week_asking import WeekScene

SCENES: tuple[WeekScene, ...] = (
    scenes.lessons,
    scenes.schedules,
    of_rooms.night,
    scenes.exceptions,
    scenes.each_kind,
    scenes.contest,
    scenes.contest_of_categories,
    of_rooms.until_the_bell,
    of_rooms.room_set,
    of_rooms.exam_is_held,
    of_rooms.exam_covers,
    scenes.set_grades,
    of_rooms.clock_is_set,
    of_rooms.nothing_is_lost,
    scenes.locked,
    scenes.covered,
    scenes.entry,
    of_rooms.one_device,
)
BELLS: tuple[WeekScene, ...] = (of_rooms.exam_bell,)
"""In which a thousand wait."""
_MOSTLY = 0.8
"""So many of the scenes of a long life are of the week."""


class WeekScript(Script):
    """Makes up a life in which commands are given and lessons begin and end."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.rules: Rules = with_week(self.rules, self._some_week())
        self.first_rules = self.rules
        self._called = 0

    def a_word(self) -> str:
        """Return a word by which no change was called yet."""
        self._called += 1
        return f"change {self._called}"

    def steps(self, count: int) -> list[Step]:
        """Return at least so many steps, whole scenes, most of them of the week."""
        found: list[Step] = list(self._sayings())
        of_the_week: list[Callable[[], Iterable[Step]]] = [partial(scene, self) for scene in SCENES]
        others = super()._scenes()[2:]  # without those in which a thousand wait
        while len(found) < count:
            is_of_week = self.chance.random() < _MOSTLY
            scene = self.chance.choice(of_the_week if is_of_week else others)
            found += self._in_time(scene())
        return found

    def every_scene(self, *, bells: bool = True) -> list[Step]:
        """Return each scene of the week once; those in which a thousand wait if wanted."""
        return self.of_scenes((*SCENES, *(BELLS if bells else ())))

    def of_scenes(self, wanted: Iterable[WeekScene]) -> list[Step]:
        """Return these scenes, one after the other."""
        found: list[Step] = list(self._sayings())
        for scene in wanted:
            found += self._in_time(scene(self))
        return found

    def week(self, *listings: Listing | Law, week: Week | None = None, **changed: Any) -> Change:
        """Activate lists, laws and a week, without other rules."""
        week = Week() if week is None else week
        world = replace(
            self.rules.world,
            guards=changed.pop("guards", ()),
            laws=tuple(listing for listing in listings if isinstance(listing, Law)),
            listings=tuple(listing for listing in listings if isinstance(listing, Listing)),
        )
        calm: dict[str, Any] = {"homes": frozenset[str](), "delegated": "", "outsiders": False}
        self.rules = replace(self.rules, world=world, week=week, **calm | changed)  # type: ignore[call-arg]
        return Change(self.rules)

    def new_rules(self) -> Iterator[Step]:
        """Put other files in force, while people ask; what is set stands."""
        self.rules = with_week(some_rules(self.chance, self.wall), self._some_week())
        asked = [self.chance.choice(self._favourites) for _ in range(6)]
        yield from asked
        yield Change(self.rules, self.chance.choice((None, None, 0, 1)), tuple(asked))

    def _sayings(self) -> Iterator[Step]:
        return (Say(name, Saying("data", 300)) for name in ("www.free", "alias.free", "big.free"))

    def _some_week(self) -> Week:
        """Make up lessons around the present, and the grades of the room."""
        chance, second = self.chance, second_of_day(self.wall)
        starts = sorted(chance.sample(range(second - 60, second + 600), 4))
        times = [start for start in starts if 0 <= start < 86_340]
        lessons = tuple(
            Lesson(f"tiet-{n}", time, min([time + 45, *times[n + 1 : n + 2]]))
            for n, time in enumerate(times)
        )
        grades = (*GRADES, "9")
        timetable = tuple(
            Period(day, lesson.id, chance.choice(grades))
            for lesson in lessons
            for day in range(7)
            if chance.random() < 0.8
        )
        return Week(lessons, timetable)

    def _in_time(self, steps: Iterable[Step]) -> Iterator[Step]:
        for step in steps:
            yield from super()._in_time((step,))
            if isinstance(step, Until):
                self.wall = step.wall
            elif getattr(step, "restart", None) is not None and not isinstance(step, Change):
                self.wall += RESTART_S

    def _scenes(self) -> list[Callable[[], Iterable[Step]]]:
        return [partial(scene, self) for scene in SCENES]


def with_week(rules: Rules, week: Week) -> WeekRules:
    """Return the same rules in a school with a week."""
    plain = {field.name: getattr(rules, field.name) for field in fields(Rules)}
    return WeekRules(**plain, week=week)
