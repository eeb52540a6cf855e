# SPDX-License-Identifier: Apache-2.0
"""Conflicts: settings that do not mean what they seem to are reported."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filterd.policy.conflicts import (
    Idle,
    contradictions,
    distance,
    disturbs,
    idle,
    is_open,
    meant_by,
    overlaps,
    services_with,
)
from filterd.policy.engine import Engine
from filterd.policy.model import Audience, Network, Period, Service
from filterd.policy.temporary_rules import (
    Exam,
    LocalException,
    Overrides,
    RoomSetting,
    TargetKind,
)
from tests.support.policies import NOW, a_category, a_pin, a_policy, an_index, wire
from tests.support.week import SEVEN, a_school, timetabled
from tests.support.week import an_exam as set_exam
from tests.support.week import an_exception as set_exception

if TYPE_CHECKING:
    from pathlib import Path


LAB = Network("lab", "6", ("192.0.2.0/24",), timetable=(Period(0, "tiet-1", "9"),), room=True)
OFFICE = Network("office", "staff")
SERVICES = {
    "play": Service("play", "Chơi", "Play", "games", 12, (wire("play.example"),)),
    "bad": Service("bad", "Xấu", "Bad", "porn", 18, (wire("bad.example"),)),
    "odd": Service("odd", "Lạ", "Odd", "no such category", 18, ()),
}


def an_exception(target: str = "a.example", **how: Any) -> LocalException:
    """Return an allow of a name for everybody, for an hour, if nothing else is said."""
    fields: dict[str, Any] = {
        "id": 1,
        "kind": TargetKind.NAME,
        "allow": True,
        "audience": Audience.EVERYBODY,
        "whom": "",
        "reason": "",
        "author": "lan",
        "starts_at": NOW,
        "ends_at": NOW + 3600,
    }
    return LocalException(target=target, **(fields | how))


def an_exam(number: int = 9, *, after_s: int = 0, room: str = "lab") -> Exam:
    """Return an exam of an hour."""
    times = (NOW + after_s, NOW + after_s + 3600)
    return Exam(number, room, (), (), "", "lan", *times)


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    """Return a school with lists of all sorts."""
    policy = a_policy(networks=[LAB, OFFICE], pins=[a_pin("pin.example")])
    policy = replace(policy, services=SERVICES, kept_closed=frozenset({"social-media"}))
    lists = {
        "order:court": ("law-ordered", "adblock", True, ["||ordered.example^"]),
        "porn": ("porn", "adblock", False, ["||porn.example^", "||www.mistake.example^"]),
        "own-porn": ("porn", "adblock", True, ["||own.example^"]),
        "games": ("games", "adblock", False, ["||games.example^"]),
        "social": ("social-media", "adblock", False, ["||social.example^"]),
    }
    return Engine(policy, an_index(tmp_path, lists))


@pytest.mark.parametrize(
    ("exception", "expected"),
    [
        (an_exception("www.ordered.example"), Idle.ORDERED),
        (an_exception("porn.example"), Idle.LOCKED),
        (an_exception("porn.example", audience=Audience.NETWORK, whom="lab"), Idle.LOCKED),
        (an_exception("social.example", audience=Audience.GRADE, whom="6"), Idle.KEPT_CLOSED),
        (an_exception("social.example", audience=Audience.GRADE, whom="12"), None),
        # Grades 8 and 9 of the tier have it anyway, the others may not: it is of use to none.
        (
            an_exception("social.example", audience=Audience.TIER, whom="lower-secondary"),
            Idle.KEPT_CLOSED,
        ),
        (an_exception("social.example"), Idle.KEPT_CLOSED),
        (an_exception("games.example"), None),
        (an_exception("new.example", allow=False), None),
        (an_exception("pin.example", allow=False), Idle.PINNED),
        (an_exception("porn.example", audience=Audience.CLIENT, whom="192.0.2.7"), Idle.LOCKED),
        (an_exception("a.example", audience=Audience.NETWORK, whom="gone"), Idle.UNKNOWN),
        (an_exception("a.example", audience=Audience.GRADE, whom="44"), Idle.UNKNOWN),
        (an_exception("no..name"), Idle.UNKNOWN),
    ],
)
def test_an_exception_of_a_name_that_changes_nothing_explains_why(
    exception: LocalException, expected: Idle | None, engine: Engine
) -> None:
    assert idle(engine, exception, NOW) is expected


@pytest.mark.parametrize(
    ("kind", "target", "allow", "expected"),
    [
        ("category", "law-ordered", True, Idle.ORDERED),
        ("category", "porn", True, Idle.LOCKED),
        ("category", "porn", False, Idle.LOCKED),
        ("category", "social-media", True, Idle.KEPT_CLOSED),
        ("category", "social-media", False, None),
        ("category", "games", True, None),
        ("category", "gone", True, Idle.UNKNOWN),
        ("service", "play", True, None),
        ("service", "bad", True, Idle.LOCKED),
        ("service", "bad", False, None),
        ("service", "gone", True, Idle.UNKNOWN),
        ("service", "odd", True, Idle.UNKNOWN),
    ],
)
def test_an_exception_of_a_group_that_changes_nothing_explains_why(
    kind: str, target: str, allow: bool, expected: Idle | None, engine: Engine
) -> None:
    exception = an_exception(target, kind=TargetKind(kind), allow=allow)
    assert idle(engine, exception, NOW) is expected


@pytest.mark.parametrize(
    ("target", "how", "expected"),
    [
        ("porn.example", {}, None),
        ("ordered.example", {}, Idle.NOT_LISTED),
        ("www.porn.example", {}, Idle.NOT_LISTED),
        ("mistake.example", {}, Idle.NOT_LISTED),
        ("www.mistake.example", {}, None),
        ("own.example", {}, Idle.NOT_LISTED),
        ("porn.example", {"audience": Audience.GRADE, "whom": "6"}, Idle.NOT_FOR_ALL),
        ("porn.example", {"allow": False}, Idle.NOT_FOR_ALL),
    ],
)
def test_an_entry_that_cannot_be_suspended_explains_why(
    target: str, how: dict[str, Any], expected: Idle | None, engine: Engine
) -> None:
    assert idle(engine, an_exception(target, kind=TargetKind.ENTRY, **how), NOW) is expected


@pytest.mark.parametrize(
    ("how", "meets"),
    [
        ({}, True),
        ({"audience": Audience.NETWORK, "whom": "lab"}, True),
        ({"audience": Audience.NETWORK, "whom": "office"}, False),
        ({"audience": Audience.GRADE, "whom": "6"}, False),
        ({"audience": Audience.GRADE, "whom": "9"}, False),
        ({"audience": Audience.GRADE, "whom": "3"}, True),
        ({"audience": Audience.GRADE, "whom": "12"}, False),
        ({"audience": Audience.TIER, "whom": "primary"}, True),
        ({"audience": Audience.TIER, "whom": "staff"}, False),
        ({"audience": Audience.CLIENT, "whom": "192.0.2.7"}, True),
        ({"ends_at": None}, True),
        ({"starts_at": NOW - 9, "ends_at": NOW}, False),
        ({"starts_at": NOW + 3600}, False),
    ],
)
def test_an_exam_is_overlapped_by_what_reaches_its_room_in_its_time(
    how: dict[str, Any], meets: bool
) -> None:
    exception = an_exception(**how)
    setting = RoomSetting(5, "lab", "3", "", "", NOW)
    overrides = Overrides((exception,), rooms=(setting,), exams=(an_exam(),))
    found = overlaps(a_policy(networks=[LAB, OFFICE]), overrides, an_exam())
    assert found.exceptions == ((exception,) if meets else ())
    assert found.exams == ()


@pytest.mark.parametrize(("minutes", "grades"), [(30, "6"), (90, "69"), (600, "69")])
def test_only_exceptions_of_grades_in_the_lessons_of_an_exam_overlap(
    minutes: int, grades: str
) -> None:
    """The room has grade 6, then after a break grade 9; in between the stricter of the two."""
    policy = timetabled()
    exam = set_exam(ends_at=SEVEN + minutes * 60)
    exceptions = tuple(
        an_exception(
            audience=Audience.GRADE, whom=whom, id=int(whom), starts_at=SEVEN, ends_at=None
        )
        for whom in "679"
    )
    found = overlaps(policy, Overrides(exceptions), exam)
    assert "".join(exception.whom for exception in found.exceptions) == grades


@pytest.mark.parametrize(
    ("target", "how", "disturbed"),
    [
        ("other.example", {}, True),
        ("exam.example", {}, False),
        ("www.exam.example", {}, False),
        ("example", {}, True),
        ("pinned.example", {}, False),
        ("www.pinned.example", {}, True),
        ("www.help.example", {}, False),
        ("chat", {"kind": TargetKind.SERVICE}, False),
        ("play", {"kind": TargetKind.SERVICE}, True),
        ("games", {"kind": TargetKind.CATEGORY}, True),
    ],
)
def test_an_allow_of_what_is_open_in_an_exam_anyway_is_not_disturbed(
    target: str, how: dict[str, Any], disturbed: bool
) -> None:
    pins = (a_pin("pinned.example"), a_pin("help.example", subtree=True))
    policy = replace(a_school(), pins=pins)
    exam = set_exam(services=("chat",))
    assert disturbs(policy, set_exception(target, **how), exam) is disturbed


def test_exams_overlap_in_one_room_only() -> None:
    exams = (an_exam(), an_exam(10, after_s=60), an_exam(11, after_s=3600), an_exam(12, room="b"))
    found = overlaps(a_policy(networks=[LAB]), Overrides(exams=exams), exams[0])
    assert found.exams == (exams[1],)


def test_opposite_exceptions_of_one_thing_contradict_each_other_while_both_hold() -> None:
    first = an_exception()
    opposite = an_exception(id=2, allow=False, starts_at=NOW + 60)
    later = an_exception(id=3, allow=False, starts_at=NOW + 3600, ends_at=None)
    elsewhere = an_exception(id=4, allow=False, audience=Audience.GRADE, whom="6")
    overrides = Overrides((first, opposite, later, elsewhere))
    assert contradictions(overrides) == [(first, opposite)]


@pytest.mark.parametrize(
    ("allow", "block", "meet"),
    [
        ({}, {"audience": Audience.GRADE, "whom": "6"}, False),
        ({}, {"target": "b.example"}, False),
        ({}, {"kind": TargetKind.SERVICE}, False),
        ({"ends_at": NOW + 60}, {"starts_at": NOW + 60}, False),
        ({"ends_at": NOW + 61}, {"starts_at": NOW + 60}, True),
        ({"ends_at": None}, {"starts_at": NOW + 9_999, "ends_at": None}, True),
        ({"starts_at": NOW + 60}, {"ends_at": NOW + 60}, False),
        ({"starts_at": NOW + 60}, {"ends_at": NOW + 61}, True),
    ],
)
def test_a_contradiction_is_of_one_target_one_audience_and_one_time(
    allow: dict[str, Any], block: dict[str, Any], meet: bool
) -> None:
    pair = an_exception(**allow), an_exception(id=2, allow=False, **block)
    assert contradictions(Overrides(pair)) == ([pair] if meet else [])


@pytest.mark.parametrize(
    ("exception", "expected"),
    [
        (an_exception("games.example"), False),
        (an_exception("games.example", audience=Audience.GRADE, whom="12"), True),
        (an_exception("games.example", audience=Audience.NETWORK, whom="office"), True),
        (an_exception("games.example", audience=Audience.NETWORK, whom="lab"), False),
        (an_exception("new.example"), True),
        (an_exception("games", kind=TargetKind.CATEGORY), False),  # to some, not to all
        (an_exception("games", kind=TargetKind.CATEGORY, audience=Audience.GRADE, whom="9"), True),
        (an_exception("games", kind=TargetKind.CATEGORY, audience=Audience.GRADE, whom="6"), False),
        (an_exception("ads-trackers", kind=TargetKind.CATEGORY), True),
        (an_exception("new.example", kind=TargetKind.ENTRY), False),
        (an_exception("", kind=TargetKind.PAUSE), False),
    ],
)
def test_a_target_is_open_already_if_all_of_it_is_open_to_all_that_it_is_for(
    engine: Engine, exception: LocalException, expected: bool
) -> None:
    assert is_open(engine, exception, NOW) is expected


def test_a_name_belongs_to_the_services_that_have_it_or_one_above_it() -> None:
    assert services_with(SCHOOL, wire("play.example")) == ["play"]
    assert services_with(SCHOOL, wire("www.play.example")) == ["play"]
    assert services_with(SCHOOL, wire("example")) == []
    assert services_with(SCHOOL, wire("other.example")) == []


@pytest.mark.parametrize("category", ["ordered-only", "locked-only"])
def test_a_name_of_a_category_that_nobody_may_have_is_locked(tmp_path: Path, category: str) -> None:
    only = a_category(category, locked=category == "locked-only", ordered=category != "locked-only")
    school = a_policy(categories={category: only}, also_closed=[category])
    lists = {"some": (category, "adblock", False, ["||some.example^"])}
    found = idle(Engine(school, an_index(tmp_path, lists)), an_exception("some.example"), NOW)
    assert found in (Idle.LOCKED, Idle.ORDERED)


SCHOOL = a_school(pins=[a_pin("thi.moet.example"), a_pin("zz.example")])
WORDS = st.text("abc", max_size=6)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("www.paly.example", "play.example"),
        ("plaay.example", "play.example"),
        ("paly.exmple", ""),  # two slips in a short name
        ("thi-moet.exampel", "thi.moet.example"),
        ("play.example", ""),
        ("www.play.example", ""),
        ("other.example", ""),
        ("zy.example", ""),
        ("pla.example", ""),  # shorter than four characters
        ("pley.example", "play.example"),  # four
        ("play.exampel", "play.example"),
        ("plays.exampl", ""),  # two slips before which there are fewer than eight
        ("thii.moet.examplee", "thi.moet.example"),
        ("thii.moett.examplee", ""),  # three
        ("tih.mote.example", "thi.moet.example"),
    ],
)
def test_the_name_that_was_meant_is_found(written: str, meant: str) -> None:
    assert meant_by(SCHOOL, wire(written)) == meant


def test_where_nothing_is_known_nothing_is_meant() -> None:
    assert meant_by(a_policy(), wire("paly.example")) == ""


def _slow(one: str, other: str) -> int:
    """Return the same distance by its definition."""
    if not one or not other:
        return len(one) + len(other)
    found = min(
        _slow(one[1:], other) + 1,
        _slow(one, other[1:]) + 1,
        _slow(one[1:], other[1:]) + (one[0] != other[0]),
    )
    if len(one) > 1 and one[0] == other[:2][-1] and one[1] == other[0] and len(other) > 1:
        found = min(found, _slow(one[2:], other[2:]) + 1)
    return found


@given(WORDS, WORDS, st.integers(0, 3))
def test_the_distance_is_that_of_its_definition(one: str, other: str, most: int) -> None:
    assert distance(one, other, most) == min(_slow(one, other), most + 1)


def test_of_the_sorts_of_clients_those_that_a_moment_sets_apart_are_left_out(
    engine: Engine,
) -> None:
    """A variant of a grade, to which more is closed at the moment, is no sort of its own."""
    apart = replace(engine.policy.grades["12"], variant="lab", closed=frozenset({"games"}))
    policy = replace(engine.policy, grades=engine.policy.grades | {apart.key: apart})
    other = Engine(policy, engine.index)
    allowed = an_exception("games.example", audience=Audience.GRADE, whom="12")
    assert is_open(other, allowed, NOW)
