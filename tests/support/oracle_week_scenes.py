# SPDX-License-Identifier: Apache-2.0
"""Scenes of a school's week: edges, and questions before, at and after each.

Questions are cold, repeated or through aliases, and wait for upstreams while an edge
passes, by time or by setting the clock. Those of rooms and exams are in
``oracle_week_scenes_rooms``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.policy.model import Audience, Holiday, Schedule, Scheduled, Window
from tests.support.oracle import NARROWNESS, Law, Listing
from tests.support.oracle_changes import TakeBack, exception, grade
from tests.support.oracle_rules import CHILD, CLASSMATE, LAB, PUPIL, STRANGER, TEACHER
from tests.support.oracle_week import Week, day_of, second_of_day
from tests.support.oracle_week_asking import (
    CHAT,
    DAY_S,
    EVERY_DAY,
    LISTED,
    WHOM,
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


def lessons(script: Script) -> Iterator[Step]:
    """One class leaves the room and another comes."""
    start = a_start(script)
    first, second = script.chance.choice((("6", "9"), ("9", "6"), ("staff", "6"), ("1", "staff")))
    day = Holiday(day_of(start), day_of(start), "lễ", "holiday")
    holidays = (day,) if script.chance.random() < 0.2 else ()
    week = Week(lessons_from(start), periods(first, second), holidays=holidays)
    yield script.week(games(), Listing("social", "social-media", own=False, name="a.a"), week=week)
    yield from leads(script, LISTED)
    for seconds in (0, 30, 40, 70):
        yield from around(script, start + seconds, LISTED, "alias.free")


def schedules(script: Script) -> Iterator[Step]:
    """Something is open, or closed, at times, for some."""
    chance, start = script.chance, a_start(script)
    audience = chance.choice(NARROWNESS)
    kind, target = chance.choice(
        (("category", "games"), ("category", "games"), ("service", "chat"), ("tier", PUPIL.tier))
    )
    opens = chance.random() < 0.5 and kind != "tier"
    second = second_of_day(start)
    windows = (
        Window(EVERY_DAY, second, second + 30, holidays=chance.choice((None, None, False, True))),
    )
    holidays = (Holiday(day_of(start), day_of(start), "lễ", "holiday"),)
    week = Week(
        lessons_from(start + 100),
        periods("9", "6"),
        schedules=(Schedule("s", windows),),
        scheduled=(Scheduled("s", opens, kind, target, Audience(audience), WHOM[audience]),),
        holidays=holidays if chance.random() < 0.5 else (),
    )
    yield script.week(games(), week=week, lab=chance.choice(("6", "staff")))
    yield from leads(script, CHAT if kind == "service" else LISTED)
    names = (LISTED, CHAT, "alias.free")
    for seconds in (0, 30):
        yield from around(script, start + seconds, *names, whom=(LAB, PUPIL, TEACHER))


def exceptions(script: Script) -> Iterator[Step]:
    """A name is allowed or blocked, for each audience, for a while."""
    chance = script.chance
    yield script.week(games(), lab="6")
    yield from leads(script, LISTED)
    for audience in NARROWNESS:
        allow = chance.random() < 0.6
        target = chance.choice((LISTED, "service:play", "category:games", "service:chat"))
        names = {"service:play": "play.free", "service:chat": CHAT}
        name = names.get(target, LISTED)
        yield from leads(script, name)
        start = float(int(script.wall) + 4)
        later = {"starts_at": start} if chance.random() < 0.4 else {}
        whom = {"audience": audience, "whom": WHOM[audience]} if WHOM[audience] else {}
        word = script.a_word()
        command = exception(target, word, allow=allow, ends_at=start + 20, **whom, **later)
        people = (LAB, PUPIL, TEACHER)
        yield command._replace(asks=tuple(asks(script, name, "alias.free")))
        yield from around(script, start, name, "alias.free", whom=people)
        yield from around(script, start + 20, name, "alias.free", whom=people)


def each_kind(script: Script) -> Iterator[Step]:
    """Each kind of thing is set for each audience, without an end, and taken back."""
    chance = script.chance
    yield script.week(games(), lab="6")
    yield from leads(script, LISTED)
    for target, name in ((LISTED, LISTED), ("service:chat", CHAT), ("category:games", LISTED)):
        for audience in NARROWNESS:
            whom = {"audience": audience, "whom": WHOM[audience]} if WHOM[audience] else {}
            word, undo = script.a_word(), script.a_word()
            allow = chance.random() < 0.7
            yield exception(target, word, allow=allow, **whom)._replace(
                asks=tuple(asks(script, name))
            )
            yield from asks(script, name, "alias.free", whom=(LAB, PUPIL, TEACHER))
            if chance.random() < 0.5:
                yield TakeBack("revoke", word)
            else:
                yield TakeBack("undo", word, undo, asks=tuple(asks(script, name)))
                yield from asks(script, name)
                yield TakeBack("undo", undo, "undo of undo")
                yield from asks(script, name, "alias.free")
                yield TakeBack("revoke", word)
            yield from asks(script, name, "alias.free")


def contest(script: Script) -> Iterator[Step]:
    """One allows what another blocks: the longer name, the narrower audience, the block."""
    chance = script.chance
    listed = (games(), Law(chance.choice(("b.b.example", "a.b.example")), chance.random() < 0.5))
    yield script.week(*listed[: chance.randrange(1, 3)], lab="6")
    words = []
    for _ in range(6):
        audience = chance.choice(NARROWNESS)
        whom = {"audience": audience, "whom": WHOM[audience]} if WHOM[audience] else {}
        target = chance.choice((LISTED, "a.b.example", "category:games", "service:chat"))
        words.append(script.a_word())
        yield exception(
            target, words[-1], allow=chance.random() < 0.5, ends_at=script.wall + 300, **whom
        )
        yield from asks(script, LISTED, "a.b.example", whom=(LAB, PUPIL))
        yield from asks(script, "b.b.example", whom=(TEACHER, CLASSMATE))
    for word in words:
        yield TakeBack("revoke", word)


def contest_of_categories(script: Script) -> Iterator[Step]:
    """Files, a schedule, a setting and exceptions for everybody disagree."""
    chance, second = script.chance, second_of_day(a_start(script))
    window = Window(EVERY_DAY, max(0, second - 600), min(DAY_S, second + 600))
    audience = chance.choice(NARROWNESS)
    week = Week(
        schedules=(Schedule("s", (window,)),),
        scheduled=(
            Scheduled(
                "s", chance.random() < 0.5, "category", "games", Audience(audience), WHOM[audience]
            ),
        ),
    )
    yield script.week(games(), week=week, lab="6")
    words = []
    for _ in range(8):
        audience = chance.choice(NARROWNESS)
        whom = {"audience": audience, "whom": WHOM[audience]} if WHOM[audience] else {}
        words.append(script.a_word())
        opens = chance.random() < 0.5
        if chance.random() < 0.3:
            yield grade("6", "category:games", words[-1], opens=opens)
        else:
            yield exception("category:games", words[-1], allow=opens, **whom)
        yield from asks(script, LISTED, "play.free", whom=(LAB, PUPIL, CLASSMATE, TEACHER))
        if chance.random() < 0.4:
            yield TakeBack("revoke", words.pop(chance.randrange(len(words))))
    for word in words:
        yield TakeBack("revoke", word)


def set_grades(script: Script) -> Iterator[Step]:
    """A grade is set, again, and back; what is locked or kept closed stays."""
    chance = script.chance
    kept = frozenset(chance.choice((("social-media",), ("service:chat",), (), ())))
    listings = (games(), Listing("social", "social-media", own=True, name="social.free"))
    week = Week(kept=kept)
    yield script.week(*listings, week=week, lab="6")
    words = []
    names = (LISTED, CHAT, "play.free", "social.free")
    yield grade("6", "service:chat", script.a_word(), opens=True)
    yield grade("6", "category:social-media", script.a_word(), opens=False)
    yield from asks(script, *names, whom=(PUPIL,))
    for _ in range(6):
        words.append(script.a_word())
        target = chance.choice(
            ("category:games", "category:social-media", "service:chat", "category:porn")
        )
        yield grade(
            chance.choice(("6", "6", "staff")), target, words[-1], opens=chance.random() < 0.7
        )
        yield from asks(script, *names, whom=(PUPIL,))
        yield from asks(script, *names[:2], whom=(TEACHER, LAB))
    yield exception("category:social-media", words[0], allow=True, ends_at=script.wall + 10)
    yield exception(CHAT, script.a_word(), allow=True, ends_at=script.wall + 10)
    yield from asks(script, *names)
    yield from around(script, float(int(script.wall) + 10), CHAT, "social.free")
    yield from (TakeBack("undo", word, script.a_word()) for word in reversed(words))
    yield from asks(script, *names)


def locked(script: Script) -> Iterator[Step]:
    """What is locked or kept closed stays so, whatever was set before it was."""
    chance = script.chance
    which = chance.choice(("own-porn", "order:court", "so-called-order"))
    category = "porn" if which == "own-porn" else "law-ordered"
    yield script.week(lab="6")
    yield from leads(script, LISTED)
    targets = (LISTED, "alias.free", f"category:{category}", f"entry:{LISTED}", "service:bad")
    words = [script.a_word() for _ in range(7)]
    for target, word in zip((*targets, "category:social-media", CHAT), words, strict=True):
        yield exception(target, word, allow=True)
    listing = Listing(which, category, own=which != "so-called-order", name=LISTED)
    social = Listing("social", "social-media", own=False, name="social.free")
    kept = frozenset(("social-media",))
    yield script.week(listing, social, week=Week(kept=kept), lab="6")
    names = (LISTED, "alias.free", "bad.free", "social.free", CHAT)
    yield from asks(script, *names, whom=(LAB, TEACHER, STRANGER))
    for word in words:
        yield TakeBack("revoke", word)


def covered(script: Script) -> Iterator[Step]:
    """An allow covers what its name leads to; an allow of what it leads to covers nothing."""
    chance = script.chance
    target = chance.choice(("a.a.free", LISTED))
    yield script.week(games(target), games("alias.free"), lab="6")
    yield from leads(script, target)
    words = [script.a_word() for _ in range(3)]
    start = float(int(script.wall) + 6)
    whom = chance.choice(({}, {"audience": "grade", "whom": "6"}))
    yield exception(target, words[0], allow=True, **whom)
    yield from asks(script, "alias.free", target, whom=(LAB, PUPIL, CHILD))
    yield exception("alias.free", words[1], allow=True, ends_at=start, **whom)
    yield TakeBack("revoke", words[0])
    yield from asks(script, "alias.free", target, whom=(LAB, PUPIL, CHILD))
    yield from around(script, start, "alias.free", target)
    yield script.week(lab="6")
    yield exception(target, words[2], allow=False, ends_at=start + 20, **whom)
    yield from around(script, start + 20, "alias.free", target)


def entry(script: Script) -> Iterator[Step]:
    """A list names something by mistake: that entry is suspended, no more, for a fortnight."""
    chance = script.chance
    porn = Listing("porn", "porn", own=False, name="b.b.example", at=True, beneath=False)
    other = Listing("social", "social-media", own=False, name="y.a.free")
    yield script.week(porn, games("a.free"), other, lab="6")
    yield from leads(script, "b.b.example")
    start = float(int(script.wall) + 12)
    ends_at = start if chance.random() < 0.6 else script.wall + 14 * DAY_S
    word = script.a_word()
    yield exception("entry:b.b.example", word, allow=True, ends_at=ends_at)
    yield exception("entry:a.free", script.a_word(), allow=True, ends_at=start)
    yield from asks(script, "b.b.example", "alias.free", "y.a.free", whom=(PUPIL, TEACHER))
    yield from around(script, start, "b.b.example", "a.free", "alias.free", whom=(PUPIL, TEACHER))
    if ends_at > start:
        yield from around(script, ends_at, "b.b.example", whom=(PUPIL, TEACHER))
