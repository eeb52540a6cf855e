# SPDX-License-Identifier: Apache-2.0
"""Changes of a grade apply in their time, and the strongest wins."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import pytest

from filterd.policy.calendar import ALWAYS, Calendar, Interval
from filterd.policy.grade_changes import (
    Changer,
    Dated,
    GradeChange,
    Layer,
    Rooms,
    Seat,
    Why,
    dated_changes,
    term,
    with_devices,
)
from filterd.policy.model import (
    DAY_S,
    Audience,
    Client,
    Holiday,
    Lesson,
    Network,
    Period,
    Scheduled,
    Service,
)
from filterd.policy.temporary_rules import (
    GradeSetting,
    LocalException,
    Overrides,
    RoomDevices,
    RoomSetting,
    TargetKind,
)
from tests.support.policies import CATEGORIES, a_category, a_grade, a_policy

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
        (Layer.PAUSE, True, Interval(0.0, 8.0)),
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


MONDAY = 1_772_384_400.0
"""Monday 2026-03-02, 00:00 in Vietnam."""

LESSONS = (Lesson("tiet-1", 25_200, 27_900),)
LAB = Network("lab", "staff", timetable=(Period(0, "tiet-1", "6"), Period(1, "tiet-1", "9")))


def seat(
    network: Network,
    *settings: RoomSetting,
    now: float,
    holidays: tuple[Holiday, ...] = (),
    **grades: str,
) -> Seat:
    """Return the seat of a network; ``grades`` have something more closed, as ``g6="games"``."""
    policy = replace(a_policy(networks=[network]), lessons=LESSONS, holidays=holidays)
    effective = dict(policy.grades)
    for key, closed in grades.items():
        effective[key[1:]] = a_grade(key[1:], also_closed=closed.split())
    rooms = Rooms(policy, Overrides(rooms=settings), Calendar(policy.time_zone), now)
    return rooms.seat(network, effective)


def test_a_network_that_is_no_room_keeps_its_grade() -> None:
    found = seat(Network("office", "staff"), now=MONDAY)
    assert (found.grade, found.why, found.span.until) == ("staff", Why.OWN, inf)


def test_a_room_with_unknown_grades_in_its_timetable_keeps_its_own() -> None:
    room = replace(LAB, timetable=(Period(0, "tiet-1", "44"),))
    assert seat(room, now=MONDAY + 25_200).why is Why.OWN


@pytest.mark.parametrize(
    ("closed", "strictest"), [("", "6"), ("ads-trackers games social-media", "9")]
)
def test_between_lessons_it_is_the_strictest_as_grades_are_at_the_moment(
    closed: str, strictest: str
) -> None:
    assert seat(LAB, now=MONDAY, g9=closed).grade == strictest


@pytest.mark.parametrize(("on_holidays", "why"), [(False, Why.BETWEEN), (True, Why.LESSON)])
def test_a_room_has_no_lessons_on_a_holiday_unless_the_site_sets_some(
    on_holidays: bool, why: Why
) -> None:
    room = replace(LAB, on_holidays=on_holidays)
    holiday = Holiday("2026-03-03", "2026-03-03", "Nghỉ", "Day off")
    of_grade_9 = MONDAY + DAY_S + 25_200
    found = seat(room, now=of_grade_9, holidays=(holiday,))
    assert (found.why, found.grade) == (why, "9" if on_holidays else "6")
    assert seat(room, now=of_grade_9).why is Why.LESSON
    assert seat(room, now=of_grade_9 + 7 * DAY_S, holidays=(holiday,)).why is Why.LESSON


def test_the_newest_setting_that_is_in_force_counts() -> None:
    settings = [
        RoomSetting(3, "lab", "1", "", "", MONDAY + 60, MONDAY + 120),
        RoomSetting(2, "lab", "2", "", "", MONDAY, None),
        RoomSetting(1, "lab", "3", "", "", MONDAY, None),
        RoomSetting(4, "other", "4", "", "", MONDAY, None),
    ]
    found = [seat(LAB, *settings, now=MONDAY + later) for later in (-1, 0, 60, 120)]
    assert [one.grade for one in found] == ["6", "2", "1", "2"]
    assert [one.span.until - MONDAY for one in found] == [0, 60, 120, inf]


def test_a_device_stands_where_it_was_learned_last_and_nowhere_else() -> None:
    networks = [Network("a", "6", macs=("1", "2")), Network("b", "9", macs=("3",))]
    devices = (RoomDevices("a", ("3", "4")), RoomDevices("b", ("4",)), RoomDevices("gone", ("3",)))
    found = with_devices(a_policy(networks=networks), Overrides(devices=devices))
    assert [one.macs for one in found] == [("3",), ("4",)]


def test_a_learned_device_leaves_the_network_of_the_files() -> None:
    networks = [Network("a", "6"), Network("b", "9", macs=("3",))]
    found = with_devices(
        a_policy(networks=networks), Overrides(devices=(RoomDevices("a", ("3",)),))
    )
    assert [one.macs for one in found] == [("3",), ()]


def test_without_learned_devices_networks_stay_as_they_are() -> None:
    policy = a_policy(networks=[LAB])
    assert with_devices(policy, Overrides()) is policy.networks


@pytest.mark.parametrize("last", ["opens", "closes"])
def test_changes_are_in_the_order_of_their_weight_whatever_their_order(last: str) -> None:
    """A setting is numbered: of two of one target the newer one is applied last."""
    settings = tuple(
        GradeSetting(number, "6", TargetKind.CATEGORY, "games", opens, "", "", 0.0)
        for number, opens in ((2, last == "opens"), (1, last != "opens"))
    )
    found = dated_changes(a_policy(), Overrides(grades=settings), {}, 4.0)
    assert [one.change.source for one in found] == ["1", "2"]
    grade = Changer(a_policy()).apply(a_grade("6"), [one.change for one in found])
    assert ("games" in grade.closed) is (last == "closes")


@pytest.mark.parametrize(
    ("ends_at", "until"), [(None, 3600.0), (7_200.0, 3600.0), (3600.0, 3600.0), (60.0, 60.0)]
)
def test_a_pause_lasts_an_hour_at_most(ends_at: float | None, until: float) -> None:
    pause = LocalException(2, TargetKind.PAUSE, "", True, *EVERYBODY, "", "", 0.0, ends_at)
    (found,) = dated_changes(a_policy(), Overrides((pause,)), {}, 4.0)
    assert (found.holds, found.span) == (True, Interval(0.0, until))
    assert dated_changes(a_policy(), Overrides((replace(pause, allow=False),)), {}, 4.0) == []


PAUSE = a_change(True, "pause", "", layer=Layer.PAUSE)
CLOSED_TIER = a_change(False, "tier", "lower-secondary")
AROUND = replace(a_category("around", 18), guarded=True)
"""Names that lead around the filter: they are guarded, so that a pause does not open them."""


def test_a_pause_opens_all_but_what_is_locked_or_guarded() -> None:
    policy = replace(a_policy(categories=CATEGORIES | {"around": AROUND}), services={"chat": CHAT})
    before = a_grade("6", categories=policy.categories)
    paused = Changer(policy).apply(before, [CLOSED_TIER, PAUSE])
    assert paused.closed == {"law-ordered", "porn", "malware", "around"}
    assert (paused.paused, paused.allow_only) == (True, False)
    after = Changer(policy).apply(before, [PAUSE, a_change(False, "category", "games")])
    assert "games" in after.closed


def test_a_tier_that_is_closed_hides_no_change_after_it() -> None:
    found = Changer(a_policy()).apply(
        a_grade("6"), [CLOSED_TIER, a_change(True, "category", "games")]
    )
    assert (found.allow_only, "games" in found.closed) == (True, False)
    again = Changer(a_policy()).apply(
        found, [a_change(True, "tier", "lower-secondary"), a_change(True, "list", "one")]
    )
    assert (again.allow_only, set(again.opened)) == (False, {"list:one"})


OPEN_GAMES = a_change(True, "category", "games")
CLOSE_GAMES = a_change(False, "category", "games")


@pytest.mark.parametrize(
    ("changes", "category", "list_id", "opens", "cause"),
    [
        ([], "games", "some", True, None),
        ([OPEN_GAMES], "games", "some", True, 0),
        ([OPEN_GAMES], "games", "some", False, None),  # it was closed before
        ([OPEN_GAMES], "ads-trackers", "some", True, None),
        ([CLOSE_GAMES, OPEN_GAMES], "games", "some", True, 1),
        ([OPEN_GAMES, OPEN_GAMES], "games", "some", True, 1),  # the last
        ([PAUSE], "games", "some", True, 0),
        ([a_change(True, "list", "some")], "games", "some", True, 0),
        ([a_change(True, "list", "other")], "games", "some", True, None),
        ([a_change(False, "category", "ads-trackers")], "ads-trackers", "some", False, 0),
        ([a_change(False, "category", "ads-trackers")], "ads-trackers", "some", True, None),
        ([a_change(False, "list", "some")], "ads-trackers", "some", False, 0),
        ([a_change(True, "service", "chat")], "social-media", "service:chat", True, 0),
        ([a_change(True, "category", "social-media")], "social-media", "service:chat", True, 0),
        ([a_change(True, "service", "chat")], "social-media", "some", True, None),
        ([a_change(True, "category", "social-media")], "games", "service:chat", True, 0),
    ],
)
def test_the_cause_is_the_last_change_that_made_it_so(
    changes: list[GradeChange], category: str, list_id: str, opens: bool, cause: int | None
) -> None:
    changer = Changer(replace(a_policy(), services={"chat": CHAT}))
    made = [Dated(change, True, ALWAYS) for change in changes]
    found = changer.cause(a_grade("6"), made, category, list_id, opens=opens)
    assert found is (None if cause is None else made[cause])
    over = [replaced._replace(holds=False) for replaced in made]
    assert changer.cause(a_grade("6"), over, category, list_id, opens=opens) is None


def test_what_is_of_one_grade_between_lessons_is_not_shared() -> None:
    one_grade = replace(LAB, timetable=(Period(0, "tiet-1", "6"), Period(1, "tiet-1", "6")))
    assert not seat(one_grade, now=MONDAY).is_shared
    assert seat(LAB, now=MONDAY).is_shared
    assert not seat(LAB, now=MONDAY + 25_200).is_shared


@pytest.mark.parametrize(
    ("change", "closes"),
    [
        (a_change(False, "tier", "primary"), True),
        (a_change(True, "tier", "primary"), False),
        (a_change(False, "category", "games"), False),
        (PAUSE, False),
    ],
)
def test_a_tier_alone_closes_all_but_what_is_allowed(change: GradeChange, closes: bool) -> None:
    assert change.closes_tier is closes


@pytest.mark.parametrize(
    ("kind", "target", "group", "grade", "concerned"),
    [
        ("tier", "lower-secondary", EVERYBODY, "6", True),
        ("tier", "primary", EVERYBODY, "6", False),
        ("category", "primary", EVERYBODY, "6", True),  # a category of the name of a tier
        ("category", "games", (Audience.GRADE, "6"), "6", True),
        ("category", "games", (Audience.GRADE, "7"), "6", False),
        ("tier", "lower-secondary", (Audience.GRADE, "7"), "6", False),
    ],
)
def test_a_change_concerns_its_audience_and_of_tiers_its_own(
    kind: str, target: str, group: tuple[Audience, str], grade: str, concerned: bool
) -> None:
    assert a_change(True, kind, target, group).concerns(Client(a_grade(grade))) is concerned


@pytest.mark.parametrize(("kind", "target"), [("category", "gone"), ("service", "gone")])
def test_what_the_site_does_not_have_changes_nothing(kind: str, target: str) -> None:
    changer, grade = Changer(a_policy()), a_grade("6")
    for opens in (True, False):
        assert changer.apply(grade, [a_change(opens, kind, target)]) == changer.apply(grade, [])


def test_the_newest_setting_of_a_room_counts_in_whatever_order_they_are() -> None:
    settings = [RoomSetting(number, "lab", str(number), "", "", MONDAY) for number in (2, 3, 1)]
    found = seat(LAB, *settings, now=MONDAY)
    assert (found.grade, found.setting) == ("3", settings[1])
