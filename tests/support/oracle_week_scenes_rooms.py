# SPDX-License-Identifier: Apache-2.0
"""Scenes of rooms and exams, and of edges with an obstacle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.policy.model import Holiday, Schedule, Scheduled, Window
from tests.support import oracle_messages as wire
from tests.support.oracle import Guard, Law, Listing
from tests.support.oracle_changes import Crowded, TakeBack, Until, exam, exception, room
from tests.support.oracle_rules import CLASSMATE, LAB, PUPIL, TEACHER, UNKNOWN
from tests.support.oracle_servers import Mood
from tests.support.oracle_steps import MANY, Ask, Restart, Say, SetClock, Turn
from tests.support.oracle_upstream import Saying
from tests.support.oracle_week import Week, day_of, second_of_day
from tests.support.oracle_week_asking import (
    CHAT,
    DAY_S,
    EVERY_DAY,
    LISTED,
    a_start,
    around,
    asks,
    games,
    leads,
    lessons_from,
    periods,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.oracle_steps import Step
    from tests.support.oracle_week_script import WeekScript as Script


def room_set(script: Script) -> Iterator[Step]:
    """The room is given another grade; the newest counts."""
    chance, start = script.chance, a_start(script)
    week = Week(lessons_from(start), periods("6", "9"))
    yield script.week(games(), week=week if chance.random() < 0.6 else Week(), lab="6")
    yield from leads(script, LISTED)
    yield Until(start)
    first, second, third = (script.a_word() for _ in range(3))
    yield room("staff", first, ends_at=start + 20)._replace(asks=tuple(asks(script, LISTED)))
    yield from asks(script, LISTED, "alias.free")
    yield room("1", second, starts_at=start + 8, ends_at=start + 14)
    for seconds in (8, 14, 20):
        yield from around(script, start + seconds, LISTED, "alias.free")
    yield room("9", third)
    yield from asks(script, LISTED)
    yield TakeBack(chance.choice(("revoke", "undo")), third, script.a_word())
    yield from asks(script, LISTED, "alias.free")


def exam_is_held(script: Script) -> Iterator[Step]:
    """An exam begins and ends: only its names, pins and locked names keep their rules."""
    chance, start = script.chance, a_start(script)
    pin = Guard("pin.free", pins=True, subtree=True)
    protected = Guard("b.a.example", pins=False, subtree=True)
    listed = games("a.example")
    porn = Listing("porn", "porn", own=False, name="b.example", at=False)
    yield script.week(listed, porn, guards=(pin, protected), lab=chance.choice(("9", "6", "staff")))
    word, open_before, closed = (script.a_word() for _ in range(3))
    whom = chance.choice(({}, {"audience": "client", "whom": LAB.address}))
    target = chance.choice(("category:games", "www.free", "service:play"))
    yield exception(target, open_before, allow=True, **whom)
    blocked = chance.choice(("x.exam.free", "exam.free"))
    yield exception(blocked, closed, allow=False, audience="client", whom=LAB.address)
    yield from leads(script, chance.choice(("exam.free", "www.free", "a.example")))
    later = {"starts_at": start} if chance.random() < 0.6 else {}
    yield exam(("exam.free", "big.free"), word, services=["chat"], ends_at=start + 30, **later)
    yield Say("big.free", Saying("alias", 300, chance.choice(("www.free", "c.b.example"))))
    names = ("exam.free", "www.free", "pin.free", "a.example", "alias.free", "big.free")
    yield from around(script, start, *names, whom=(LAB, PUPIL))
    for name in ("x.exam.free", CHAT, "play.free", "b.a.example", "c.b.example"):
        yield from asks(script, name)
    yield Turn(Mood.HELD)
    yield from asks(script, "www.free", "big.free")
    if chance.random() < 0.3:
        yield TakeBack("exam-stop", word)
        yield Turn(Mood.PROMPT)
        yield from asks(script, *names)
    yield Turn(Mood.PROMPT)
    yield from around(script, start + 30, *names, whom=(LAB, PUPIL))
    yield TakeBack("exam-stop", word)
    yield exam(("exam.free",), word, ends_at=script.wall + 600)
    yield Restart(chance.randrange(2))
    yield from asks(script, *names)
    yield TakeBack("exam-stop", word)
    yield from asks(script, *names)
    yield TakeBack("revoke", open_before)
    yield TakeBack("revoke", closed)


def exam_covers(script: Script) -> Iterator[Step]:
    """What an exam's name leads to is open while it is held, and not before or after."""
    start = a_start(script, before_s=30)
    yield script.week(games("a.example"), lab="6")
    yield Say("exam.free", Saying("alias", 300, "a.example"))
    yield exam(("exam.free",), script.a_word(), starts_at=start, ends_at=start + 30)
    yield from asks(script, "exam.free", "www.free")
    for at in (start, start + 30):
        yield from around(script, at, "exam.free", "www.free")
    yield Say("exam.free", Saying("data", 300))


def clock_is_set(script: Script) -> Iterator[Step]:
    """The clock is set over edges, to and fro, while people ask and wait."""
    start = a_start(script, before_s=100)
    week = Week(lessons_from(start), periods("6", "9"))
    yield script.week(games(), week=week)
    yield from leads(script, LISTED)
    yield Until(start - 60)
    word = script.a_word()
    whom = {"audience": "network", "whom": LAB.network}
    yield exception(
        "category:games", word, allow=True, starts_at=start + 10, ends_at=start + 20, **whom
    )
    yield exam(("exam.free",), script.a_word(), starts_at=start + 50, ends_at=start + 60)
    stops = (start + 15, start - 30, start + 45, start + 15, start + 55, start + 25, start + 80)
    for at in stops:
        yield Turn(Mood.HELD)
        yield from asks(script, LISTED, "alias.free", "www.free")
        yield SetClock(at - script.wall)
        yield Turn(Mood.PROMPT)
        yield from asks(script, LISTED, "alias.free", "www.free")


def nothing_is_lost(script: Script) -> Iterator[Step]:
    """Workers are restarted and files reloaded while something is set; it ends all the same."""
    chance = script.chance
    yield script.week(games(), lab="6")
    yield from leads(script, LISTED)
    start = float(int(script.wall) + 20)
    word, other = script.a_word(), script.a_word()
    whom = {"audience": "network", "whom": LAB.network}
    first = exception("category:games", word, allow=True, ends_at=start, **whom)
    yield first._replace(restart=chance.randrange(2))
    yield from asks(script, LISTED, "alias.free")
    yield room("staff", other)
    yield Restart(chance.randrange(2))
    yield from asks(script, LISTED, "alias.free")
    change = script.week(games(), Law("social.free", allow=False), lab="6")
    yield change._replace(asks=tuple(asks(script, LISTED)), restart=chance.choice((None, 0, 1)))
    yield from asks(script, LISTED, "alias.free", "social.free")
    yield TakeBack("revoke", other, restart=chance.choice((None, 1)))
    yield from asks(script, LISTED, "alias.free")
    yield from around(script, float(int(script.wall) + 3), LISTED)
    yield from around(script, max(start, float(int(script.wall) + 3)), LISTED, "alias.free")


def until_the_bell(script: Script) -> Iterator[Step]:
    """A teacher opens something until the bell, in a break in vain."""
    start = a_start(script)
    week = Week(lessons_from(start), periods("6", "9"))
    yield script.week(games(), week=week)
    yield from leads(script, CHAT)
    yield Until(start - 2)
    whom = {"audience": "network", "whom": LAB.network}
    yield exception("service:chat", script.a_word(), allow=True, lesson=True, **whom)
    yield Until(start + 25)
    yield exception("service:chat", script.a_word(), allow=True, lesson=True, **whom)
    yield from around(script, start + 30, CHAT, "alias.free", LISTED)
    yield Until(start + 45)
    yield exception("category:social-media", script.a_word(), allow=False, lesson=True, **whom)
    yield room("staff", script.a_word(), ends_at=start + 60)
    yield from around(script, start + 60, CHAT, LISTED)
    yield from around(script, start + 70, CHAT, LISTED)


def one_device(script: Script) -> Iterator[Step]:
    """One device has what its neighbours have not, for a time that has yet to come."""
    start = float(int(script.wall) + 30)
    who = script.chance.choice((LAB, PUPIL, CLASSMATE, UNKNOWN))
    yield script.week(games(), lab="6")
    yield from leads(script, LISTED)
    whom = {"audience": "client", "whom": who.address}
    word = script.a_word()
    allow = script.chance.random() < 0.5
    listed = "category:games" if allow else "category:ads-trackers"
    yield script.week(games(), Listing("ads", "ads-trackers", own=False, name="a.free"), lab="6")
    yield exception(listed, word, allow=allow, starts_at=start, ends_at=start + 20, **whom)
    people = (CLASSMATE, PUPIL, LAB, UNKNOWN)
    yield from asks(script, LISTED, "a.free", "alias.free", whom=people)
    for at in (start, start + 20):
        yield from around(script, at, LISTED, "a.free", "alias.free", whom=people)


def exam_bell(script: Script) -> Iterator[Step]:
    """A thousand wait in the room, and an exam begins: by its time, or by command."""
    chance, start, word = script.chance, a_start(script), script.a_word()
    is_later = chance.random() < 0.5
    yield script.week(games(), lab="staff")
    for worker in range(2):  # known clients take the short way
        yield from (Ask(who, "www.free", wire.A, worker) for who in (LAB, TEACHER))
    if is_later:
        yield exam(("exam.free",), word, starts_at=start, ends_at=start + 60)
    yield Until(start - 0.5)
    yield Turn(Mood.HELD)
    names = [f"n{n}.{name}" for n in range(8) for name in ("www.free", "exam.free", "a.free")]
    waiting = [
        Ask(who, chance.choice(names), wire.A, chance.randrange(2))
        for who in (LAB, TEACHER)
        for _ in range(MANY // 2)
    ]
    yield from waiting
    if is_later:
        yield Crowded()
        yield Until(start)
    else:
        yield exam(("exam.free",), word, ends_at=start + 60)
    yield Turn(Mood.PROMPT)
    yield from waiting[:: MANY // 20]
    yield TakeBack("exam-stop", word)
    yield from waiting[:: MANY // 20]


def night(script: Script) -> Iterator[Step]:
    """A window reaches over midnight; the day after is a holiday."""
    chance = script.chance
    midnight = a_start(script) + DAY_S - second_of_day(a_start(script))
    window = Window(EVERY_DAY, DAY_S - 40, DAY_S + 40, holidays=chance.choice((None, False, True)))
    week = Week(
        schedules=(Schedule("s", (window,)),),
        scheduled=(Scheduled("s", chance.random() < 0.5, "category", "games"),),
        holidays=(Holiday(day_of(midnight), day_of(midnight), "lễ", "holiday"),),
    )
    yield script.week(games(), week=week)
    for at in (midnight - 40, midnight):
        yield from around(script, at, LISTED, whom=(PUPIL, TEACHER))
    yield from (Restart(0), Restart(1))  # a start at night reads the day before
    for at in (midnight + 40, midnight + DAY_S - 40, midnight + DAY_S + 40):
        yield from around(script, at, LISTED, whom=(PUPIL, TEACHER))
