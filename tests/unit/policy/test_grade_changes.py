# SPDX-License-Identifier: Apache-2.0
"""Changes of a grade apply in their time, and the strongest wins."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import pytest

from filterd.policy.calendar import ALWAYS, Interval
from filterd.policy.grade_changes import Changer, GradeChange, Layer, dated_changes, term
from filterd.policy.model import Audience, Client, Scheduled, Service
from filterd.policy.temporary_rules import GradeSetting, LocalException, Overrides, TargetKind
from tests.support.policies import a_grade, a_policy

CHAT = Service("chat", "Trò chuyện", "Chat", "social-media", 13)
EVERYBODY = (Audience.EVERYBODY, "")


def a_change(
    opens: bool,
    kind: str,
    target: str,
    group: tuple[Audience, str] = EVERYBODY,
    layer: Layer = Layer.SCHEDULE,
) -> GradeChange:
    """Return a change by something called ``a``."""
    return GradeChange(layer, "a", opens, kind, target, *group)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (9.9, (False, Interval(-inf, 10.0))),
        (10.0, (True, Interval(10.0, 20.0))),
        (19.9, (True, Interval(10.0, 20.0))),
        (20.0, (False, Interval(20.0, inf))),
    ],
)
def test_a_term_holds_from_its_first_moment_to_just_before_its_last(
    now: float, expected: tuple[bool, Interval]
) -> None:
    assert term(10.0, 20.0, now) == expected


def test_a_term_may_have_no_end_and_may_never_come() -> None:
    assert term(10.0, None, 11.0) == (True, Interval(10.0, inf))
    assert term(10.0, 10.0, 10.0) == (False, ALWAYS)


def test_the_weightiest_is_last() -> None:
    sixth, room = (Audience.GRADE, "6"), (Audience.NETWORK, "lab")
    in_order = [
        a_change(False, "service", "chat", room, Layer.SETTING),
        a_change(True, "category", "games"),
        a_change(False, "category", "games"),
        a_change(True, "category", "games", sixth),
        a_change(True, "category", "games", room),
        a_change(True, "service", "chat"),
        a_change(True, "category", "games", EVERYBODY, Layer.EXCEPTION),
    ]
    mixed = in_order[::2] + in_order[1::2]
    assert sorted(mixed, key=lambda one: one.weight) == in_order


def test_all_sorts_are_found_and_those_of_unknown_schedules_are_not() -> None:
    setting = GradeSetting(1, "6", TargetKind.SERVICE, "chat", True, "", "", 5.0)
    exceptions = [
        LocalException(2, kind, "games", True, *EVERYBODY, "", "", 0.0, 8.0) for kind in TargetKind
    ]
    policy = replace(
        a_policy(),
        scheduled=tuple(Scheduled(one, False, "category", "games") for one in ("a", "gone")),
    )
    opened = {"a": (True, Interval(3.0, 9.0))}
    found = dated_changes(policy, Overrides(tuple(exceptions), grades=(setting,)), opened, 4.0)
    assert [(one.change.layer, one.holds, one.span) for one in found] == [
        (Layer.SETTING, False, Interval(-inf, 5.0)),
        (Layer.SCHEDULE, True, Interval(3.0, 9.0)),
        (Layer.EXCEPTION, True, Interval(0.0, 8.0)),
    ]


def test_a_tier_is_closed_to_its_own_grades_only() -> None:
    change = a_change(False, "tier", "primary")
    assert change.concerns(Client(a_grade("3")))
    assert not change.concerns(Client(a_grade("6")))


@pytest.mark.parametrize(
    ("changes", "closed", "opened"),
    [
        ([], True, False),
        ([a_change(True, "category", "social-media")], False, False),
        ([a_change(True, "service", "chat")], False, True),
        ([a_change(True, "service", "chat"), a_change(False, "service", "chat")], True, False),
        ([a_change(True, "service", "gone")], True, False),
    ],
)
def test_a_category_stands_for_its_services(
    changes: list[GradeChange], closed: bool, opened: bool
) -> None:
    changer = Changer(replace(a_policy(), services={"chat": CHAT}))
    grade = changer.apply(a_grade("6"), changes)
    assert ("service:chat" in grade.closed, "service:chat" in grade.opened) == (closed, opened)


@pytest.mark.parametrize("kept", ["social-media", "service:chat"])
def test_what_is_kept_closed_stays_and_its_category_may_open_without_it(kept: str) -> None:
    changer = Changer(replace(a_policy(), services={"chat": CHAT}, kept_closed=frozenset({kept})))
    openings = [a_change(True, "category", "social-media"), a_change(True, "service", "chat")]
    grade = changer.apply(a_grade("6"), openings)
    assert "service:chat" in grade.closed
    assert "service:chat" not in grade.opened
    assert ("social-media" in grade.closed) is (kept == "social-media")


@pytest.mark.parametrize("target", ["porn", "law-ordered", "malware"])
def test_nothing_opens_what_is_locked_or_ordered(target: str) -> None:
    grade = Changer(a_policy()).apply(a_grade("staff"), [a_change(True, "category", target)])
    assert target in grade.closed
