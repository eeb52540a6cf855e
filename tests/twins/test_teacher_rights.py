# SPDX-License-Identifier: Apache-2.0
"""Each role, audience, operation and time: whom a change reaches that a teacher may make.

What is compared is what clients get: the policy of each before and after, over the day. Whose
pupil a client is comes from the timetable, read by this test itself.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from filterd.base.errors import FilterdError
from filterd.overrides.rights.permissions import Classroom
from filterd.overrides.rights.roles import Author, Rank
from filterd.overrides.rights.teaching import Teaching
from filterd.policy import effective_policy
from filterd.policy.model import Client, Network, Period, Policy
from tests.support.changes import Book, check_permission
from tests.support.week import MONDAY, OFFICE, SEVEN, timetabled, with_classes

if TYPE_CHECKING:
    from filterd.policy.temporary_rules import Overrides

EVENING = MONDAY + 24 * 3600
LESSONS = ((25_200, 27_900), (28_200, 30_900))
TIMES = (SEVEN - 600, SEVEN + 60, SEVEN + 2_800, SEVEN + 3_100, SEVEN + 6_000)
"""Before the lessons, in the first, between them, in the second, after them."""

LAB = Network("lab", "6", ("192.0.2.0/25",), room=True)
TIMETABLE = {"tiet-1": "6A", "tiet-2": "9B"}
NETWORKS = (
    replace(LAB, timetable=tuple(Period(0, *item) for item in TIMETABLE.items())),
    Network("p-6a", "6A", ("192.0.2.128/25",)),
    Network("p-6b", "6B", ("198.51.100.0/26",)),
    Network("wifi-6", "6", ("198.51.100.64/26",)),
    Network("wifi-7", "7", ("198.51.100.128/26",)),  # a grade without classes
    Network("staff-room", "staff", ("203.0.113.0/26",), room=True),
    Network("visitors", "guest", ("203.0.113.64/26",)),
    OFFICE,
)
ADDRESSES = {
    "192.0.2.7": "lab",
    "192.0.2.200": "p-6a",
    "198.51.100.7": "p-6b",
    "198.51.100.70": "wifi-6",
    "198.51.100.200": "office",
    "203.0.113.7": "staff-room",
    "203.0.113.70": "visitors",
}
THE_BOX = ("127.0.0.1", "::1")
UNKNOWN = "203.0.113.200"
OWN = {"lan": {"6A"}, "minh": {"6B"}, "hoa": {"9B"}}

AUDIENCES = [
    ("everybody", ""),
    *product(["tier"], ["lower-secondary", "staff", "guest", "preschool"]),
    *product(["grade"], ["6", "7", "9", "staff", "guest", "preschool"]),
    *product(["class"], ["6A", "6B", "9B"]),
    *product(["network"], [one.id for one in NETWORKS]),
    *product(["client"], [*ADDRESSES, *THE_BOX, UNKNOWN]),
]
TARGETS = [("name", "google.com"), ("category", "games"), ("service", "play")]


Place = tuple[str, str | None]
"""A network, "" for none, and an address, None for any other."""


class Try(NamedTuple):
    """A change, by whom and when; ``former``: set as an administrator, taken back as a teacher."""

    teacher: str
    now: float
    kind: str
    payload: dict[str, Any]
    former: bool


def a_site() -> Policy:
    return with_classes(replace(timetabled(), networks=NETWORKS))


def _exceptions(now: float) -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
    def made(audience: Any, target: Any, allow: bool, for_s: float) -> tuple[str, dict[str, Any]]:
        return "exception", {
            "target_kind": target[0],
            "target": target[1],
            "allow": allow,
            "audience": audience[0],
            "whom": audience[1],
            "ends_at": now + for_s,
        }

    return st.builds(
        made, st.sampled_from(AUDIENCES), st.sampled_from(TARGETS), st.booleans(), _LENGTHS
    )


_LENGTHS = st.sampled_from((300.0, 2_400.0, 5 * 3600.0))
_ROOMS = st.sampled_from([one.id for one in NETWORKS])
_SEATS = st.sampled_from(["6A", "6B", "9B", "6", "7", "staff", "guest", "preschool"])


def _pauses(now: float) -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
    return st.sampled_from(AUDIENCES).map(
        lambda one: ("pause", {"audience": one[0], "whom": one[1], "ends_at": now + 1_200})
    )


def _rooms(now: float) -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
    return st.builds(
        lambda room, grade, for_s: ("room", {"room": room, "grade": grade, "ends_at": now + for_s}),
        _ROOMS,
        _SEATS,
        _LENGTHS,
    )


def _exams(now: float) -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
    return st.builds(
        lambda room, for_s: (
            "exam",
            {"room": room, "names": ["thi.example"], "ends_at": now + for_s},
        ),
        _ROOMS,
        _LENGTHS,
    )


@st.composite
def tries(draw: st.DrawFn) -> Try:
    now = draw(st.sampled_from(TIMES))
    kind, payload = draw(st.one_of(_exceptions(now), _pauses(now), _rooms(now), _exams(now)))
    return Try(draw(st.sampled_from(sorted(OWN))), now, kind, payload, draw(st.booleans()))


def _clients(moment: effective_policy.EffectivePolicy) -> dict[Place, Client]:
    policy = moment.policy
    found: dict[Place, Client] = {
        (network.id, address): Client(policy.grades[network.grade], network.id, address)
        for network in policy.networks
        for address in (*(a for a, there in ADDRESSES.items() if there == network.id), None)
        if address is not None or network.id not in ADDRESSES.values()
    }
    unknown = policy.grades[policy.unknown_grade]
    return found | {("", one): Client(unknown, None, one) for one in (*THE_BOX, UNKNOWN)}


def _seen(policy: Policy, overrides: Overrides, at: float) -> dict[Place, object]:
    """Return, for each client, all that its answers depend on."""
    moment = effective_policy.at(policy, overrides, at)
    return {
        place: (
            replace(client.grade, variant=""),
            [
                (rule.name, rule.allow)
                for rule in moment.policy.rules
                if client.is_meant_by(rule)
                and (rule.starts_at is None or rule.starts_at <= at)
                and (rule.ends_at is None or at < rule.ends_at)
            ],
        )
        for place, client in _clients(moment).items()
    }


def reached(policy: Policy, before: Overrides, after: Overrides, now: float) -> set[Any]:
    """Return the clients that a change reaches, each with the time."""
    found = set()
    for at in sorted({now, *(one for one in TIMES if one > now)}):
        was, becomes = _seen(policy, before, at), _seen(policy, after, at)
        found |= {(*place, at) for place in was if was[place] != becomes[place]}
    return found


def is_own(teacher: str, network: str, at: float, brought: str = "") -> bool:
    """Return whether the clients of a network are the teacher's pupils, or may be no one's.

    Args:
        teacher: a user.
        network: its id, "" for none.
        at: Unix time, on the Monday.
        brought: the class or grade that a command has brought there, "" for none.
    """
    if brought:
        return brought in OWN[teacher] | {one[:-1] for one in OWN[teacher]}
    if network == "lab":
        second = at - MONDAY
        lessons = zip(TIMETABLE.values(), LESSONS, strict=True)
        on = [seat for seat, (first, last) in lessons if first <= second < last]
        return not on or on[0] in OWN[teacher]
    home = next((one.grade for one in NETWORKS if one.id == network), "")
    return home in OWN[teacher] or (home == "9" and teacher == "hoa")


def _judge(one: Try) -> tuple[bool, set[Any]]:
    """Return whether a teacher may make the change, and whom of others it reaches."""
    may, whom, before = _made(one)
    brought = {
        (room.room, at): room.grade
        for room in before.rooms
        for at in TIMES
        if room.starts_at <= at and (room.ends_at is None or at < room.ends_at)
    }
    others = {
        place
        for place in whom
        if not is_own(one.teacher, place[0], place[2], brought.get((place[0], place[2]), ""))
    }
    return may, others


def _made(one: Try) -> tuple[bool, set[Any], Overrides]:
    """Return whether a teacher may make the change, whom it reaches, and what was set before."""
    policy = a_site()
    book = Book(one.now)
    kind, payload = one.kind, one.payload
    if one.former:
        book.make(kind, author=one.teacher, **payload)
        kind, payload = "undo", {"number": 1}
    before = book.overrides
    classroom = Classroom(policy, before, one.now, EVENING, ADDRESSES.get)
    try:
        check_permission(Author(one.teacher, Rank.TEACHER), kind, payload, classroom, book)
    except FilterdError:
        return False, set(), before
    book.make(kind, author=one.teacher, **payload)
    return True, reached(policy, before, book.overrides, one.now), before


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(tries())
def test_no_change_of_a_teacher_reaches_others_than_own_pupils(one: Try) -> None:
    _, others = _judge(one)
    assert not others


def _of_staff(audience: str, whom: str) -> Try:
    payload = {"target_kind": "name", "target": "google.com", "allow": False}
    times = {"audience": audience, "whom": whom, "ends_at": SEVEN + 600}
    return Try("lan", SEVEN + 60, "exception", payload | times, former=False)


@pytest.mark.control
def test_control_a_grade_without_classes_would_be_every_teacher_s(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def of_an_empty_set(self: Teaching, grade: str) -> bool:
        return all(one.id in self.classes for one in a_site().classes if one.grade == grade)

    assert _judge(_of_staff("grade", "staff")) == (False, set())
    monkeypatch.setattr(Teaching, "has_grade", of_an_empty_set)
    monkeypatch.setattr(Teaching, "is_of_pupils", lambda *_: True)
    may, whom = _judge(_of_staff("grade", "staff"))
    assert may
    assert {place[0] for place in whom} >= {"office", "staff-room"}


def test_it_sees_whom_a_change_reaches() -> None:
    """Else it would pass where nothing is reached at all."""
    own = [
        ("exception", {**_of_staff("class", "6A").payload}, {"lab", "p-6a"}),
        ("exception", {**_of_staff("network", "p-6a").payload}, {"p-6a"}),
        ("exception", {**_of_staff("client", "192.0.2.200").payload}, {"p-6a"}),
        ("exam", {"room": "lab", "names": ["a.example"], "ends_at": SEVEN + 600}, {"lab"}),
        ("room", {"room": "lab", "grade": "6A", "ends_at": SEVEN + 3_000}, {"lab"}),
    ]
    for kind, payload, networks in own:
        may, whom, _ = _made(Try("lan", SEVEN + 60, kind, payload, former=False))
        assert may
        assert {place[0] for place in whom} == networks


@pytest.mark.parametrize(
    ("audience", "whom"),
    [
        ("grade", "staff"),
        ("grade", "guest"),
        ("grade", "preschool"),
        ("grade", "7"),
        ("network", "office"),
        ("network", "staff-room"),
        ("network", "wifi-7"),
        ("client", "127.0.0.1"),
        ("client", "::1"),
        ("client", UNKNOWN),
        ("client", "198.51.100.200"),
    ],
)
def test_staff_guests_unknown_clients_and_the_box_are_no_teacher_s(
    audience: str, whom: str
) -> None:
    assert _judge(_of_staff(audience, whom)) == (False, set())
