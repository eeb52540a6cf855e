# SPDX-License-Identifier: Apache-2.0
"""A school with a room, an office and three services, and changes to it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from filterd.policy.model import (
    Audience,
    Lesson,
    Network,
    Period,
    Policy,
    Schedule,
    Scheduled,
    SchoolClass,
    Service,
    Window,
)
from filterd.policy.temporary_rules import Exam, LocalException, TargetKind
from tests.support.policies import a_policy, wire

if TYPE_CHECKING:
    from filterd.policy.effective_policy import EffectivePolicy
    from filterd.policy.model import GradePolicy

MONDAY = 1_772_384_400.0
"""Monday 2026-03-02, 00:00 in Vietnam."""

SEVEN = MONDAY + 7 * 3600
ALL_DAYS = frozenset(range(7))
A = 1

SERVICES = {
    "chat": Service("chat", "Trò chuyện", "Chat", "social-media", 13, (wire("chat.example"),)),
    "play": Service(
        "play",
        "Chơi",
        "Play",
        "games",
        12,
        tuple(map(wire, ("play.example", "play.test", "mp3.zing.example"))),
    ),
    "bad": Service("bad", "Xấu", "Bad", "porn", 18, (wire("bad.example"),)),
}
ROOM = Network("lab", "6", ("192.0.2.0/24",), macs=("02:00:5e:00:00:01",), room=True)
OFFICE = Network("office", "staff", ("198.51.100.0/24",))
PUPIL_PC = "192.0.2.7"


def a_school(**changes: Any) -> Policy:
    """Return a school with a room, an office and three services."""
    policy = a_policy(networks=[ROOM, OFFICE])
    return replace(policy, services=SERVICES, **changes)


def timetabled(first: str = "6", second: str = "9", **changes: Any) -> Policy:
    """Return a school whose room has grade 6 and then, after a break, grade 9 on Mondays."""
    periods = (Period(0, "tiet-1", first), Period(0, "tiet-2", second))
    lessons = (Lesson("tiet-1", 25_200, 27_900), Lesson("tiet-2", 28_200, 30_900))
    networks = (replace(ROOM, timetable=periods), OFFICE)
    return replace(a_school(), lessons=lessons, networks=networks, **changes)


def with_classes(policy: Policy) -> Policy:
    """Return a school with the classes 6A of Lan, 6B of Minh and 9B of Hoa."""
    classes = (
        SchoolClass("6A", "6", ("lan",)),
        SchoolClass("6B", "6", ("minh",)),
        SchoolClass("9B", "9", ("hoa",)),
    )
    policies = {one.id: replace(policy.grades[one.grade], class_id=one.id) for one in classes}
    return replace(policy, classes=classes, grades=policy.grades | policies)


def scheduled(*what: Scheduled, starts_s: int = 25_200, ends_s: int = 28_800) -> Policy:
    """Return a school with a schedule ``a`` from seven to eight, and what is scheduled."""
    schedule = Schedule("a", (Window(ALL_DAYS, starts_s, ends_s),))
    return a_school(schedules=(schedule,), scheduled=what)


def an_exception(target: str, *, allow: bool = True, **how: Any) -> LocalException:
    """Return an exception from seven on; by default for an hour and for everybody."""
    fields: dict[str, Any] = {
        "id": 1,
        "kind": TargetKind.NAME,
        "audience": Audience.EVERYBODY,
        "whom": "",
        "reason": "bài học",
        "author": "lan",
        "starts_at": SEVEN,
        "ends_at": SEVEN + 3600,
    }
    return LocalException(target=target, allow=allow, **(fields | how))


def an_exam(**how: Any) -> Exam:
    """Return an exam in the room from seven on, for an hour."""
    fields: dict[str, Any] = {
        "id": 9,
        "room": "lab",
        "names": ("exam.example",),
        "services": (),
        "reason": "thi",
        "author": "lan",
        "starts_at": SEVEN,
        "ends_at": SEVEN + 3600,
    }
    return Exam(**(fields | how))


def grade_in(
    moment: EffectivePolicy, network: str | None, address: str | None = None
) -> GradePolicy:
    """Return the grade that a client has, as ``clients.identifier`` finds it."""
    policy = moment.policy
    keys = {one.id: one.grade for one in policy.networks}
    key = keys[network] if network else policy.unknown_grade
    return policy.grades[policy.clients.get(address or "", {}).get(key, key)]
