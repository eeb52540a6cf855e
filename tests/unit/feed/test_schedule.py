# SPDX-License-Identifier: Apache-2.0
"""Whose turn it is, and when; ``tests/bench/feed_scale`` lets 54,000 of them run."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, time, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as some

from filterd.base.errors import DigestError, FetchError, StoreError
from filterd.feed.schedule import (
    CHECK_S,
    FIRST_S,
    FRESH_S,
    LISTS,
    LONGEST_S,
    LONGEST_SILENCE_S,
    MAKE_UP_S,
    PROGRAMS,
    RETRY_S,
    Ending,
    Night,
    Now,
    Place,
    ScheduledWork,
    ScheduleState,
    Work,
    after_check,
    after_failed_check,
    after_run,
    back_off_s,
    ending_of,
    fresh_due,
    may_take_at,
    next_step,
    place_of,
    ring_of,
)
from filterd.texts.i18n import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
NIGHT = Night("Asia/Ho_Chi_Minh")
PLACE = Place(slot=0.5, phase=0.25, start=0.75)
"""At midnight, two and a half minutes into the ten, 45 seconds after set-up."""

HOUR_S, DAY_S = 3_600.0, 86_400.0
AFTERNOON = datetime(2026, 11, 25, 15, 0, tzinfo=HANOI).timestamp()
MIDNIGHT = datetime(2026, 11, 26, 0, 0, tzinfo=HANOI).timestamp()
LAST_NIGHT = MIDNIGHT - DAY_S
THIS_MORNING = LAST_NIGHT + 4 * HOUR_S


class Appliance:
    """One appliance, its clocks set forward from step to step."""

    def __init__(
        self,
        wall: float = AFTERNOON,
        *,
        done_at: float | None = THIS_MORNING,
        place: Place = PLACE,
        night: Night = NIGHT,
    ) -> None:
        self.place, self.night = place, night
        self.monotonic, self.wall = 5_000.0, wall
        self.standing = ScheduleState(self.monotonic, done_at)

    @property
    def now(self) -> Now:
        return Now(self.monotonic, self.wall)

    def wait(self, seconds: float) -> None:
        self.monotonic += seconds
        self.wall += seconds

    def next(self) -> ScheduledWork:
        return next_step(self.place, self.night, self.standing, self.now)

    def until_run(self, *, set_clock: float = 0.0) -> float:
        """Do all light checks until a run is due; return the wall time then."""
        for _ in range(2_000):
            step = self.next()
            assert step.at >= self.monotonic
            self.wait(step.at - self.monotonic)
            if step.work is Work.RUN:
                return self.wall
            self.wall, set_clock = self.wall + set_clock, 0.0
        raise AssertionError("no run for two weeks")

    def ran(self, ending: Ending, *, random: float = 0.0, retry_after_s: float = 0.0) -> None:
        self.standing = after_run(
            self.standing, ending, self.now, random=random, retry_after_s=retry_after_s
        )

    def announced(self, urgent: int) -> None:
        self.standing = after_check(self.standing, urgent, self.now)


def about(seconds: float, give: float = 0.1) -> Any:
    return pytest.approx(seconds, rel=0, abs=give)


def places(count: int) -> Iterator[Place]:
    return (place_of(number.to_bytes(16, "big")) for number in range(count))


# -- the place


def test_a_place_follows_from_the_id_alone() -> None:
    assert place_of(b"a" * 16) == place_of(b"a" * 16)
    assert place_of(b"a" * 16) != place_of(b"b" * 16)


def test_parts_of_a_place_say_nothing_of_each_other() -> None:
    third = [place for place in places(3_000) if place.slot < 1 / 3]
    early = sum(place.phase < 0.5 for place in third)
    assert 0.44 < early / len(third) < 0.56


def test_5000_appliances_are_spread_over_the_night() -> None:
    runs = Counter(int(Appliance(place=place).until_run() // 60) for place in places(5_000))
    mean = 5_000 / (NIGHT.length_s / 60)
    assert min(runs) * 60 >= AFTERNOON + 6 * HOUR_S
    assert max(runs) * 60 < AFTERNOON + 12 * HOUR_S
    # Of 360 minutes with 14 each the fullest has 27 or so: chance alone. In hours it evens out.
    assert max(runs.values()) <= 2.3 * mean
    hours = Counter[int]()
    for minute, count in runs.items():
        hours[minute // 60] += count
    assert max(hours.values()) <= 1.15 * min(hours.values())


def test_without_places_all_come_in_one_minute() -> None:
    """The control: the same schedule, everybody at one place."""
    runs = Counter(int(Appliance().until_run() // 60) for _ in range(100))
    assert max(runs.values()) == 100


# -- the night's run


def test_the_night_has_one_run_at_its_slot() -> None:
    one = Appliance()
    assert one.until_run() == about(MIDNIGHT)
    one.ran(Ending.DONE)
    assert one.until_run() == about(MIDNIGHT + DAY_S)


def test_a_slot_is_at_the_schools_own_time() -> None:
    night = Night("Europe/Berlin")
    slot = datetime(2026, 11, 26, 0, 0, tzinfo=ZoneInfo("Europe/Berlin")).timestamp()
    assert Appliance(night=night, done_at=AFTERNOON).until_run() == about(slot)


@pytest.mark.parametrize("day", ["2026-03-28", "2026-10-24"])
def test_where_clocks_are_changed_there_is_one_run_each_night(day: str) -> None:
    zone = ZoneInfo("Europe/Berlin")
    noon = datetime.fromisoformat(day).replace(hour=12, tzinfo=zone)
    one = Appliance(noon.timestamp(), done_at=noon.timestamp(), night=Night("Europe/Berlin"))
    for nights in range(3):
        begins = datetime.combine(noon.date() + timedelta(days=nights), time(21), zone)
        assert one.until_run() == about(begins.timestamp() + 3 * HOUR_S)
        one.ran(Ending.DONE)


def test_a_night_that_was_slept_through_is_made_up_for_within_half_a_school_day() -> None:
    one = Appliance(done_at=LAST_NIGHT - DAY_S)
    assert one.until_run() == about(AFTERNOON + MAKE_UP_S * PLACE.start)


def test_a_night_that_comes_first_needs_no_making_up() -> None:
    one = Appliance(MIDNIGHT - HOUR_S, done_at=LAST_NIGHT - DAY_S)
    assert one.until_run() == about(MIDNIGHT)


def test_a_reboot_after_the_run_does_not_repeat_it() -> None:
    one = Appliance(MIDNIGHT + 2 * HOUR_S, done_at=MIDNIGHT + 10)
    assert one.until_run() == about(MIDNIGHT + DAY_S)


def test_power_that_comes_back_to_all_at_once_makes_no_herd() -> None:
    appliances = [Appliance(done_at=LAST_NIGHT - DAY_S, place=place) for place in places(4_000)]
    runs = Counter(int(appliance.until_run() // 60) for appliance in appliances)
    checks = Counter(int((_first_check(appliance) - 5_000) // 60) for appliance in appliances)
    assert max(runs.values()) <= 2.5 * 4_000 / (MAKE_UP_S / 60)
    assert max(checks.values()) <= 1.2 * 4_000 / (CHECK_S / 60)


def _first_check(appliance: Appliance) -> float:
    fresh = ScheduleState(5_000.0, AFTERNOON)
    return next_step(appliance.place, appliance.night, fresh, Now(5_000.0, AFTERNOON)).at


@pytest.mark.parametrize("start", [0.0, 0.5, 0.999])
def test_the_first_run_of_all_comes_within_a_minute(start: float) -> None:
    one = Appliance(done_at=None, place=Place(0.9, 0.9, start))
    assert one.until_run() - AFTERNOON == about(FIRST_S * start)


# -- light checks


def test_light_checks_come_every_ten_minutes_at_the_appliances_own_point() -> None:
    one, at = Appliance(), []
    for _ in range(20):
        step = one.next()
        assert step.work is Work.CHECK
        one.wait(step.at - one.monotonic)
        at.append(one.monotonic)
    assert at == [5_000 + CHECK_S * (PLACE.phase + number) for number in range(20)]


def test_a_check_that_took_long_is_followed_by_the_next_point_and_no_more() -> None:
    one = Appliance()
    one.wait(one.next().at - one.monotonic + 2.5 * CHECK_S)
    assert one.next().at == 5_000 + CHECK_S * (PLACE.phase + 3)


def test_something_urgent_is_taken_at_once() -> None:
    one = Appliance()
    one.announced(7)
    assert one.next() == (Work.RUN, one.monotonic)


def test_what_is_handled_already_is_not_urgent() -> None:
    one = Appliance()
    one.standing = ScheduleState(5_000.0, THIS_MORNING, handled=7)
    one.announced(7)
    assert one.next().work is Work.CHECK


def test_something_urgent_is_handled_once_though_it_announces_too_much() -> None:
    one = Appliance()
    one.announced(2**70)
    one.ran(Ending.DONE)
    one.announced(2**70)
    assert one.next().work is Work.CHECK


def test_something_urgent_does_not_wait_for_the_back_off_of_the_night() -> None:
    one = Appliance()
    one.until_run()
    for _ in range(6):
        one.ran(Ending.FAILED)
    one.announced(7)
    assert one.next() == (Work.RUN, one.monotonic)


def test_something_urgent_that_fails_backs_off_and_is_not_given_up() -> None:
    for ending in (Ending.FAILED, Ending.REFUSED):
        one = Appliance()
        one.announced(7)
        one.ran(ending)
        one.announced(7)  # the next check says it again
        assert one.until_run() - AFTERNOON == about(RETRY_S)


def test_a_run_takes_the_urgent_version_that_it_found_by_itself() -> None:
    one = Appliance()
    one.until_run()
    one.standing = after_run(one.standing, Ending.DONE, one.now, version=9, random=0.0)
    one.announced(9)
    assert one.next().work is Work.CHECK


# -- what fails


@pytest.mark.parametrize(
    ("failures", "least_s"),
    [(1, 900), (2, 1_800), (3, 3_600), (7, 57_600), (8, LONGEST_S), (5_000, LONGEST_S)],
)
def test_the_back_off_is_safe_browsings(failures: int, least_s: float) -> None:
    assert back_off_s(failures, 0.0) == least_s
    assert back_off_s(failures, 0.5) == min(1.5 * least_s, LONGEST_S)


def test_a_night_that_fails_is_tried_three_times_before_the_first_lesson() -> None:
    one, last_slot = Appliance(place=Place(0.999, 0.1, 0.1)), []
    one.until_run()
    for _ in range(3):
        one.ran(Ending.FAILED, random=0.999)
        last_slot.append(one.until_run())
    assert datetime.fromtimestamp(last_slot[-1], HANOI).time() < time(7)


def test_a_success_ends_the_back_off() -> None:
    one = Appliance()
    one.until_run()
    one.ran(Ending.FAILED)
    one.ran(Ending.DONE)
    assert one.standing.failures == 0
    assert one.until_run() == about(MIDNIGHT + DAY_S)


def test_what_must_not_be_trusted_is_not_asked_for_again_before_the_next_night() -> None:
    one = Appliance()
    one.until_run()
    one.ran(Ending.REFUSED)
    assert one.until_run() == about(MIDNIGHT + DAY_S)


def test_light_checks_go_on_while_runs_back_off() -> None:
    one = Appliance()
    one.until_run()
    for _ in range(9):
        one.ran(Ending.FAILED)
    assert one.next().work is Work.CHECK
    assert one.next().at - one.monotonic <= CHECK_S


def test_a_server_that_asks_for_it_is_left_alone() -> None:
    one = Appliance()
    one.until_run()
    one.ran(Ending.FAILED, retry_after_s=3_000)
    step = one.next()
    assert step.at - one.monotonic >= 3_000
    one.standing = after_failed_check(one.standing, one.now, retry_after_s=3_500, random=0.0)
    assert one.next().at - one.monotonic >= 3_500
    assert one.until_run() >= MIDNIGHT + 3_000


def test_appliances_with_the_same_moment_do_not_come_in_that_moment() -> None:
    for ending in (Ending.FAILED, Ending.REFUSED):
        runs = set()
        for number in range(20):
            one = Appliance()
            one.ran(ending, random=number / 20, retry_after_s=7_200)
            runs.add(one.standing.runs_from)
        assert len(runs) == 20


def test_a_server_delays_checks_by_an_hour_at_most_and_runs_by_a_day() -> None:
    one = Appliance()
    one.ran(Ending.FAILED, retry_after_s=1e12)
    assert one.next().at - one.monotonic <= LONGEST_SILENCE_S + CHECK_S
    assert one.standing.runs_from - one.monotonic <= LONGEST_S


def test_how_a_run_ended_follows_from_its_error() -> None:
    assert ending_of(None) is Ending.DONE
    assert ending_of(DigestError(quoted("x"))) is Ending.REFUSED
    assert ending_of(FetchError(quoted("x"))) is Ending.FAILED
    assert ending_of(StoreError(quoted("x"))) is Ending.FAILED


# -- clocks


def test_a_clock_that_starts_in_1970_and_is_set_has_its_run() -> None:
    one = Appliance(0.0, done_at=THIS_MORNING)
    assert one.until_run(set_clock=AFTERNOON) == about(MIDNIGHT, DAY_S)


def test_a_clock_that_stays_in_1970_has_a_run_a_day() -> None:
    one = Appliance(0.0, done_at=THIS_MORNING)
    runs = []
    for _ in range(4):
        runs.append(one.until_run())
        one.ran(Ending.DONE)
    assert runs[0] <= MAKE_UP_S
    assert [later - earlier for earlier, later in pairwise(runs[1:])] == [
        about(DAY_S),
        about(DAY_S),
    ]


def test_a_clock_that_was_twenty_years_ahead_does_not_end_the_runs() -> None:
    one = Appliance(done_at=AFTERNOON + 20 * 366 * DAY_S)
    assert one.until_run() <= AFTERNOON + MAKE_UP_S


def test_a_clock_that_is_set_back_a_little_after_a_run_does_not_repeat_it() -> None:
    one = Appliance()
    one.until_run()
    one.ran(Ending.DONE)
    one.wall -= 2.0
    assert one.until_run() == about(MIDNIGHT + DAY_S)


@given(
    steps=some.lists(
        some.tuples(
            some.sampled_from(["set", "done", "refused", "failed", "urgent", "silence", "late"]),
            some.floats(-20 * 366 * DAY_S, 20 * 366 * DAY_S),
            some.floats(0, 0.999),
        ),
        max_size=30,
    ),
    slot=some.floats(0, 0.999),
)
def test_whatever_happens_there_is_a_next_step_and_no_two_checks_are_near(
    steps: list[tuple[str, float, float]], slot: float
) -> None:
    one, last_check, urgent = Appliance(place=Place(slot, slot, slot)), 0.0, 0
    for what, amount, random in steps:
        step = one.next()
        assert one.monotonic <= step.at <= one.monotonic + LONGEST_SILENCE_S + CHECK_S
        one.wait(step.at - one.monotonic)
        if step.work is Work.CHECK:
            assert step.at - last_check > CHECK_S - 1e-3
            last_check = step.at
        if what == "set":
            one.wall = max(one.wall + amount, 0.0)
        elif what == "late":
            one.wait(abs(amount) % DAY_S)
        elif what == "urgent":
            urgent += 1
            one.announced(urgent)
        elif what == "silence":
            one.standing = after_failed_check(
                one.standing, one.now, retry_after_s=abs(amount), random=random
            )
        elif step.work is Work.RUN:
            one.ran(Ending(what), random=random)
            again = one.next()
            assert again.work is Work.CHECK or again.at > one.monotonic, "no run follows at once"


IDS = [b"appliance %d" % number for number in range(20_000)]


def test_one_in_a_hundred_is_first_and_nine_more_come_next() -> None:
    counted = Counter(ring_of(one, "7") for one in IDS)
    assert 150 < counted[0] < 250
    assert 1_650 < counted[1] < 1_950
    assert counted[2] == len(IDS) - counted[0] - counted[1]


def test_the_first_are_others_for_each_version() -> None:
    first = [{one for one in IDS if ring_of(one, version) == 0} for version in ("7", "8")]
    assert len(first[0] & first[1]) < 20


def test_rings_are_twelve_hours_apart() -> None:
    at = sorted({may_take_at(one, "7", 1_000.0, None) for one in IDS})
    assert at == [1_000.0, 1_000.0 + 12 * 3_600, 1_000.0 + 24 * 3_600]


def test_a_program_takes_five_days_to_reach_all() -> None:
    taken = [may_take_at(one, "1.2.0", 0.0, None, PROGRAMS) for one in IDS]
    assert sorted(set(taken)) == [0.0, 2 * DAY_S, 5 * DAY_S]
    assert 0.005 < taken.count(0.0) / len(IDS) < 0.015
    assert 0.08 < taken.count(2 * DAY_S) / len(IDS) < 0.10
    last = IDS[taken.index(5 * DAY_S)]
    assert may_take_at(last, "1.2.0", 1e9, 0.0, PROGRAMS) == 10 * DAY_S


def test_an_appliance_is_in_the_same_ring_whenever_it_is_asked() -> None:
    assert ring_of(IDS[0], "7") == ring_of(IDS[0], "7")


def test_a_publisher_that_never_rests_delays_no_run_for_ever() -> None:
    last = next(one for one in IDS if ring_of(one, "9") == 2)
    published_at = 1e6
    waiting_since = published_at - LISTS.longest_wait_s
    assert may_take_at(last, "9", published_at, waiting_since) == published_at
    assert may_take_at(last, "9", published_at, published_at) == published_at + LISTS.steps[2][1]


def test_lists_that_change_all_day_are_asked_for_every_four_hours() -> None:
    assert fresh_due(PLACE, 100.0, 5_000.0) == 5_000.0 + FRESH_S


def test_schools_that_are_switched_on_together_ask_within_four_hours_not_at_once() -> None:
    places = [place_of(number.to_bytes(16, "big")) for number in range(4_000)]
    dues = sorted(fresh_due(place, 0.0, None) for place in places)
    assert dues[0] >= 0
    assert dues[-1] <= FRESH_S
    in_ten_minutes = [sum(at <= due < at + 600 for due in dues) for at in range(0, 14_400, 600)]
    assert max(in_ten_minutes) < 2 * len(places) / len(in_ten_minutes)
