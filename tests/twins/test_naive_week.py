# SPDX-License-Identifier: Apache-2.0
"""The effective policy agrees with a naive model for every second it covers."""

from __future__ import annotations

from dataclasses import replace
from math import inf

from hypothesis import given, settings
from hypothesis import strategies as st

from filterd.policy.effective_policy import EffectivePolicy, at
from filterd.policy.model import (
    Audience,
    Holiday,
    Policy,
    Schedule,
    Scheduled,
    Window,
)
from filterd.policy.temporary_rules import (
    GradeSetting,
    LocalException,
    Overrides,
    RoomSetting,
    TargetKind,
)
from filterd.wire import name as names
from tests.support.naive_week import NaiveWeek, Sight
from tests.support.week import (
    ALL_DAYS,
    PUPIL_PC,
    SEVEN,
    an_exam,
    an_exception,
    grade_in,
    timetabled,
)

START = int(SEVEN)
MONDAY_OFF = Holiday("2026-03-02", "2026-03-02", "Nghỉ", "Day off")
STRETCH_S = 1_500
seconds = st.integers(-2, 26).map(lambda n: float(START + n * 60))
ends = st.none() | seconds
groups = st.sampled_from(
    (
        (Audience.EVERYBODY, ""),
        (Audience.TIER, "lower-secondary"),
        (Audience.GRADE, "6"),
        (Audience.GRADE, "9"),
        (Audience.CLASS, "6A"),
        (Audience.CLASS, "6B"),
        (Audience.NETWORK, "lab"),
        (Audience.NETWORK, "office"),
        (Audience.CLIENT, PUPIL_PC),
    )
)
categories = st.sampled_from(("games", "social-media", "ads-trackers", "porn"))
services = st.sampled_from(("chat", "play", "bad"))
targets = st.one_of(
    st.tuples(st.just("category"), categories), st.tuples(st.just("service"), services)
)


@st.composite
def exceptions(draw: st.DrawFn) -> LocalException:
    """Draw an exception, most often of a category."""
    kind = draw(st.sampled_from((TargetKind.CATEGORY, TargetKind.CATEGORY, *TargetKind)))
    of = {TargetKind.CATEGORY: categories, TargetKind.SERVICE: services}
    target = draw(of.get(kind, st.just("a.example")))
    audience, whom = draw(groups)
    return an_exception(
        target,
        allow=draw(st.booleans()),
        id=draw(st.integers(1, 10**6)),
        kind=kind,
        audience=audience,
        whom=whom,
        starts_at=draw(seconds),
        ends_at=draw(ends),
    )


@st.composite
def all_overrides(draw: st.DrawFn) -> Overrides:
    """Draw what people may have set about seven o'clock."""
    ids = iter(range(100, 200))
    rooms = st.builds(
        lambda room, grade, begins, end: RoomSetting(next(ids), room, grade, "", "", begins, end),
        st.sampled_from(("lab", "office")),
        st.sampled_from(("6", "9", "1", "6A")),
        seconds,
        ends,
    )
    exams = st.builds(
        lambda begins, end: an_exam(id=next(ids), starts_at=begins, ends_at=end), seconds, seconds
    )
    grades = st.builds(
        lambda grade, target, opens, begins: GradeSetting(
            next(ids), grade, TargetKind(target[0]), target[1], opens, "", "", begins
        ),
        st.sampled_from(("6", "9")),
        targets,
        st.booleans(),
        seconds,
    )
    return Overrides(
        tuple(draw(st.lists(exceptions(), max_size=5, unique_by=lambda one: one.id))),
        rooms=tuple(draw(st.lists(rooms, max_size=2))),
        exams=tuple(draw(st.lists(exams, max_size=2))),
        grades=tuple(draw(st.lists(grades, max_size=3))),
    )


@st.composite
def schools(draw: st.DrawFn) -> Policy:
    """Draw a school with lessons, schedules about seven o'clock and things kept closed."""
    of_day = st.integers(-2, 26).map(lambda n: 25_200 + n * 60)
    windows = st.builds(
        lambda begins, length: Window(ALL_DAYS, begins, begins + length),
        of_day | st.just(79_200),
        st.integers(1, 20).map(lambda n: n * 60) | st.just(32_460),
    )
    schedules = (
        Schedule("a", tuple(draw(st.lists(windows, min_size=1, max_size=2)))),
        Schedule("b", tuple(draw(st.lists(windows, max_size=2)))),
    )
    tiers = st.tuples(st.just("tier"), st.sampled_from(("lower-secondary", "staff")))
    what = st.builds(
        lambda schedule, opens, target, group: Scheduled(schedule, opens, *target, *group),
        st.sampled_from(("a", "b")),
        st.booleans(),
        targets | tiers,
        groups,
    )
    kept = st.frozensets(st.sampled_from(("games", "service:chat")), max_size=1)
    policy = timetabled(
        *draw(st.sampled_from((("6", "9"), ("6A", "9"), ("6A", "6B"), ("6A", "6A")))),
        schedules=schedules,
        scheduled=tuple(draw(st.lists(what, max_size=4))),
        kept_closed=draw(kept),
    )
    lab, office = policy.networks
    policy = replace(
        policy,
        holidays=tuple(draw(st.lists(st.just(MONDAY_OFF), max_size=1))),
        networks=(replace(lab, on_holidays=draw(st.booleans())), office),
    )
    opened = draw(st.frozensets(st.just("service:chat")))
    sixth = replace(
        policy.grades["6"], opened=opened, closed=policy.grades["6"].closed | {"service:play"}
    )
    classes = {one: replace(sixth, class_id=one) for one in ("6A", "6B")}
    return replace(policy, grades=policy.grades | {"6": sixth} | classes)


def seen(moment: EffectivePolicy, network: str | None, address: str | None) -> Sight:
    """Return what a client sees, as the decision table reads it."""
    grade, policy = grade_in(moment, network, address), moment.policy
    closed = set(grade.closed) & set(policy.categories)
    for service in policy.services.values():
        own_id = f"service:{service.id}"
        by_group = service.group in grade.closed and own_id not in grade.opened
        if own_id in grade.closed or by_group:
            closed.add(own_id)
    return Sight(grade.grade, frozenset(closed), grade.allow_only, grade.exam, grade.class_id)


@settings(max_examples=25, deadline=None)
@given(schools(), all_overrides(), st.integers(0, 60))
def test_every_second_equals_the_naive_model(
    policy: Policy, overrides: Overrides, step: int
) -> None:
    naive = NaiveWeek(policy, overrides)
    moment = at(policy, overrides, START)
    known: dict[tuple[str | None, str | None], tuple[Sight, float]] = {}
    for second in range(START, START + STRETCH_S, 1 if step == 0 else 20):
        if not moment.holds_at(second):
            assert second >= moment.until
            moment = at(policy, overrides, second)
        assert moment.holds_at(second)
        sights = naive.sights(second)
        for (network, address), sight in sights.items():
            assert seen(moment, network, address) == sight, (network, address)
            before, until = known.get((network, address), (sight, inf))
            assert before == sight or until <= second, "it changed before its edge"
            key = grade_in(moment, network, address).key
            known[network, address] = sight, moment.until_of(network, key, address)
        in_force = {
            rule.id
            for rule in moment.policy.rules
            if (rule.starts_at or 0) <= second and (rule.ends_at is None or second < rule.ends_at)
        }
        expected = naive.rules(second)
        assert in_force == expected
        protected = {names.to_text(protection.name) for protection in moment.policy.protections}
        assert protected == naive.suspended(second)


@settings(max_examples=40, deadline=None)
@given(schools(), all_overrides(), st.data())
def test_a_moment_is_the_same_whenever_within_it_one_asks(
    policy: Policy, overrides: Overrides, data: st.DataObject
) -> None:
    moment = at(policy, overrides, START + data.draw(st.integers(0, STRETCH_S)) + 0.5)
    first, last = max(moment.since, START - 10**6), min(moment.until, START + 10**6) - 0.001
    for now in (first, data.draw(st.floats(first, last)), last):
        again = at(policy, overrides, now)
        assert again.policy == moment.policy
        assert (again.since, again.until) == (moment.since, moment.until)
