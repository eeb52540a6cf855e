# SPDX-License-Identifier: Apache-2.0
"""Changes by command: as steps of a school's life, and in a naive ledger.

Steps refer to a change by a word of their own, because its number is known only after
it was made. A change that filterd refuses has no effect; one that it accepts stays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from filterd.policy.model import Audience
from filterd.policy.temporary_rules import (
    Exam,
    GradeSetting,
    LocalException,
    Overrides,
    RoomSetting,
    TargetKind,
)
from tests.support.oracle_steps import MANY, Wait
from tests.support.oracle_week import ROOM

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.oracle_steps import Ask
    from tests.support.oracle_week import WeekRules
    from tests.support.oracle_week_school import WeekSchool

Thing: TypeAlias = LocalException | RoomSetting | Exam | GradeSetting
_REASON, _AUTHOR = "bài học", "lan"


class _Made(NamedTuple):
    took: tuple[Thing, ...] = ()
    put: tuple[Thing, ...] = ()


class Ledger:
    """What is set, by adding and taking away."""

    def __init__(self) -> None:
        self._things: list[Thing] = []
        self._made: dict[int, _Made] = {}

    @property
    def said(self) -> Overrides:
        """What is set."""

        def of(kind: type) -> Any:
            return tuple(thing for thing in self._things if isinstance(thing, kind))

        return Overrides(
            exceptions=of(LocalException),
            rooms=of(RoomSetting),
            exams=of(Exam),
            grades=of(GradeSetting),
        )

    def put(self, number: int, thing: Thing, now: float) -> None:
        """Set a thing, in the place of what it leaves no room for."""
        took = [one for one in self._things if _is_replaced(one, thing, now)]
        self._note(number, _Made(tuple(took), (thing,)))

    def take(self, number: int, taken: int) -> None:
        """Take away what has a number."""
        self._note(number, _Made(tuple(thing for thing in self._things if thing.id == taken)))

    def undo(self, number: int, undone: int) -> None:
        """Take a change back."""
        made = self._made[undone]
        self._note(number, _Made(made.put, made.took))

    def _note(self, number: int, made: _Made) -> None:
        self._made[number] = made
        self._things = [thing for thing in self._things if thing not in made.took] + list(made.put)
        self._things.sort(key=lambda one: one.id)


def _is_replaced(thing: Thing, by: Thing, now: float) -> bool:
    """Return whether something never counts any more once another is set."""
    if isinstance(thing, GradeSetting) and isinstance(by, GradeSetting):
        return (thing.grade, thing.kind, thing.target) == (by.grade, by.kind, by.target)
    if isinstance(thing, RoomSetting) and isinstance(by, RoomSetting):
        lasts = by.ends_at is None or (thing.ends_at is not None and thing.ends_at <= by.ends_at)
        return lasts and by.starts_at <= max(thing.starts_at, now)
    return False


class Given(NamedTuple):
    """What a change is made under: its number, when, and the rules before it."""

    number: int
    now: float
    rules: WeekRules


class Command(NamedTuple):
    """Something is set. ``about``: the command's request to the daemon.

    ``called``: the word for this change. ``restart``: the worker that is restarted
    when it is recorded and not yet in force. ``asks``: the questions when it is in
    force and no worker has been notified.
    """

    kind: str
    about: tuple[tuple[str, Any], ...]
    called: str
    asks: tuple[Ask, ...] = ()
    restart: int | None = None

    def request(self, _school: WeekSchool) -> dict[str, Any]:
        """Return what is asked of the daemon."""
        return {"kind": self.kind, "reason": _REASON, **dict(self.about)}

    def note(self, ledger: Ledger, given: Given, _numbers: dict[str, int]) -> None:
        """Set it in a ledger."""
        ledger.put(given.number, _MAKERS[self.kind](given, dict(self.about)), given.now)

    async def take(self, school: Any) -> None:
        """Give the command."""
        await Crowded().take(school)
        await school.command(self)


class TakeBack(NamedTuple):
    """A change is ended by its number (``revoke``, ``exam-stop``) or taken back (``undo``)."""

    kind: str
    what: str
    called: str = ""
    asks: tuple[Ask, ...] = ()
    restart: int | None = None

    def request(self, school: WeekSchool) -> dict[str, Any] | None:
        """Return what is asked of the daemon, None where there is no such change."""
        number = school.numbers.get(self.what)
        if number is None:
            return None
        field = "number" if self.kind == "undo" else "id"
        return {"kind": self.kind, field: number}

    def note(self, ledger: Ledger, given: Given, numbers: dict[str, int]) -> None:
        """Take it away in a ledger."""
        act = ledger.undo if self.kind == "undo" else ledger.take
        act(given.number, numbers[self.what])

    async def take(self, school: Any) -> None:
        """Give the command."""
        await school.command(self)


class Crowded(NamedTuple):
    """Where a thousand wait, each of them is one of many."""

    async def take(self, school: Any) -> None:
        """Note it."""
        for asked in school.waiting.values():
            asked.among_many = len(school.waiting) >= MANY


class Until(NamedTuple):
    """Time passes until the wall clock shows something, or the clock is set back to it."""

    wall: float

    async def take(self, school: Any) -> None:
        """Let it pass."""
        if self.wall > school.clock.wall():
            await Wait(self.wall - school.clock.wall()).take(school)
        school.clock.set_wall(self.wall - school.clock.wall())


def _an_exception(given: Given, about: dict[str, Any]) -> LocalException:
    kind, (starts_at, ends_at) = TargetKind(about["target_kind"]), _term(given, about)
    return LocalException(
        given.number,
        kind,
        about["target"],
        about["allow"],
        Audience(about.get("audience", "everybody")),
        about.get("whom", ""),
        _REASON,
        _AUTHOR,
        starts_at,
        ends_at,
    )


def _a_room(given: Given, about: dict[str, Any]) -> RoomSetting:
    term = _term(given, about)
    return RoomSetting(given.number, about["room"], about["grade"], _REASON, _AUTHOR, *term)


def _an_exam(given: Given, about: dict[str, Any]) -> Exam:
    starts_at, ends_at = _term(given, about)
    assert ends_at is not None
    names, services = about.get("names", ()), about.get("services", ())
    lists = tuple(names), tuple(services)
    return Exam(given.number, about["room"], *lists, _REASON, _AUTHOR, starts_at, ends_at)


def _a_grade(given: Given, about: dict[str, Any]) -> GradeSetting:
    kind = TargetKind(about["target_kind"])
    what = about["grade"], kind, about["target"], about["opens"]
    return GradeSetting(given.number, *what, _REASON, _AUTHOR, given.now)


def _term(given: Given, about: dict[str, Any]) -> tuple[float, float | None]:
    """Return from when until when; what would have begun earlier begins now."""
    starts_at = max(given.now, about.get("starts_at", given.now))
    if about.get("lesson"):
        ends_at = given.rules.lesson_ends_at(starts_at)
        assert ends_at is not None, "no lesson is on"
        return starts_at, ends_at
    return starts_at, about.get("ends_at")


_MAKERS: dict[str, Callable[[Given, dict[str, Any]], Thing]] = {
    "exception": _an_exception,
    "room": _a_room,
    "exam": _an_exam,
    "grade": _a_grade,
}


def exception(target: str, called: str = "it", *, allow: bool, **more: Any) -> Command:
    """Return the command that allows or blocks ``kind:target``, or a name."""
    kind, _, bare = target.rpartition(":")
    about = {"target_kind": kind or "name", "target": bare, "allow": allow, **more}
    return Command("exception", tuple(about.items()), called)


def room(grade: str, called: str = "room", **more: Any) -> Command:
    """Return the command that gives the room a grade."""
    return Command("room", tuple({"room": ROOM, "grade": grade, **more}.items()), called)


def exam(names: tuple[str, ...], called: str = "exam", **more: Any) -> Command:
    """Return the command that begins an exam in the room."""
    return Command("exam", tuple({"room": ROOM, "names": list(names), **more}.items()), called)


def grade(which: str, target: str, called: str = "grade", *, opens: bool) -> Command:
    """Return the command that opens or closes ``kind:target`` to a grade."""
    kind, _, bare = target.rpartition(":")
    about = {"grade": which, "target_kind": kind, "target": bare, "opens": opens}
    return Command("grade", tuple(about.items()), called)
