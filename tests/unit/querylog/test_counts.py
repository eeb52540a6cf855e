# SPDX-License-Identifier: Apache-2.0
"""Counts of a worker are kept until acknowledged, and stay bounded."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from math import inf
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filterd.base.packet_room import PACKET_OCTETS
from filterd.policy.log_levels import LogLevel, QueryLog
from filterd.policy.model import Client
from filterd.querylog import OTHER, Batch, CountingRules, CountRow, Counts, counts, day_reach
from tests.support.clock import FakeClock
from tests.support.policies import a_policy

HOUR = 3600 * (int(FakeClock().wall()) // 3600)


def _counts(wall: float = HOUR) -> tuple[Counts, FakeClock]:
    clock = FakeClock(wall)
    return Counts(clock), clock


def test_answers_of_an_hour_are_added_up() -> None:
    counted, _ = _counts()
    for n in (1, 1, 5):
        counted.add("6", "games", "blocked", n)
    counted.add("6", "", "pass")
    assert counted.take().rows == (
        CountRow(HOUR, "6", "games", "blocked", 7),
        CountRow(HOUR, "6", "", "pass", 1),
    )
    counted.add("6", "", "pass")
    assert counted.sums == {("6", "games", "blocked"): 7, ("6", "", "pass"): 2}


@pytest.mark.parametrize(("late_s", "hour"), [(3599.999, HOUR), (3600, HOUR + 3600)])
def test_an_answer_belongs_to_the_hour_in_which_it_is_given(late_s: float, hour: int) -> None:
    counted, clock = _counts()
    counted.add("6", "", "pass")
    clock.advance(late_s)
    counted.add("6", "", "pass")
    assert [row.hour for row in counted.take().rows] == sorted({HOUR, hour})


def test_a_clock_that_is_set_back_counts_into_the_hour_that_it_shows() -> None:
    counted, clock = _counts()
    counted.add("6", "", "pass")
    clock.advance(-7200)
    counted.add("6", "", "pass")
    assert {row.hour for row in counted.take().rows} == {HOUR, HOUR - 7200}


def test_a_batch_is_given_again_until_it_is_acknowledged() -> None:
    counted, _ = _counts()
    counted.add("6", "", "pass")
    first = counted.take()
    assert not first.more
    counted.add("6", "", "pass")
    assert counted.take() == counted.take("", 0) == replace(first, more=True)
    second = counted.take(first.worker, first.number)
    assert (second.number, second.rows) == (first.number + 1, first.rows)
    assert counted.take(second.worker, second.number).rows == ()


def test_what_another_worker_gave_is_not_acknowledged_by_the_same_number() -> None:
    counted, _ = _counts()
    counted.add("6", "", "pass")
    first = counted.take()
    assert counted.take("predecessor", first.number) == first


def test_a_batch_is_the_same_behind_the_channel() -> None:
    counted, _ = _counts()
    counted.add("6", "", "pass")
    batch = counted.take()
    assert Batch.from_plain(json.loads(json.dumps(batch.to_plain()))) == batch


def test_many_rows_come_in_several_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts, "ROWS_A_BATCH", 4)
    counted, _ = _counts()
    for number in range(10):
        counted.add(str(number), "", "pass")
    batches = list(counted.take_all())
    assert [len(batch.rows) for batch in batches] == [4, 4, 2]
    assert [batch.more for batch in batches] == [True, True, False]
    assert len(counted) == 0


@given(st.data())
def test_no_batch_is_larger_than_a_packet_whatever_is_in_it(data: st.DataObject) -> None:
    longest = data.draw(st.sampled_from((3, 63, 300)), label="longest id")
    ids = data.draw(st.lists(st.text(min_size=1, max_size=longest), min_size=4, max_size=4))
    counted, _ = _counts()
    n = 400
    for number in range(n):
        category, network, blocker, class_id = (f"{one}{number}" for one in ids)
        where = {"network": network, "blocker": blocker, "class_id": class_id}
        counted.add("6", category, "pass", 1, devices=(number,), **where)
    batches = list(counted.take_all())
    assert all(len(json.dumps(batch.to_plain())) < PACKET_OCTETS for batch in batches)
    assert sum(row.n for batch in batches for row in batch.rows) == n
    assert [batch.more for batch in batches] == [True] * (len(batches) - 1) + [False]
    assert counted.lost == 0


def test_a_row_that_fits_no_packet_is_lost_and_said_and_holds_nothing_up(
    caplog: pytest.LogCaptureFixture,
) -> None:
    counted, _ = _counts()
    for number, category in enumerate(("a" * PACKET_OCTETS, "games", "b" * PACKET_OCTETS), 1):
        counted.add("6", category, "pass", number, devices=(1,))
    batch = counted.take()
    assert [(row.category, row.n) for row in batch.rows] == [("games", 2)]
    assert {row.category for row in batch.reach} == {"games", ""}, "of the school, too"
    assert not batch.more
    assert not counted.take(batch.worker, batch.number)
    assert counted.lost == 4
    assert caplog.text.count("fits no message, and is lost") == 6, "four of devices, two of answers"


@pytest.mark.parametrize("bounded", [True, False])
def test_hours_that_are_not_collected_are_given_up_and_counted(
    monkeypatch: pytest.MonkeyPatch, *, bounded: bool
) -> None:
    if bounded:  # the control: without the bound they pile up
        monkeypatch.setattr(counts, "MOST_ROWS", 50)
    counted, clock = _counts()
    for _ in range(300):
        counted.add("6", "", "pass", 2)
        clock.advance(3600)
    assert (len(counted) <= 52) is bounded
    assert counted.lost + sum(row.n for one in counted.take_all() for row in one.rows) == 600


def test_nothing_is_counted_where_the_log_is_off() -> None:
    counted, _ = _counts()
    counted.rules = CountingRules(off={"6"})
    counted.add("6", "", "pass")
    assert list(counted.take_all()) == []


def test_the_policy_sets_of_which_grades_nothing_is_counted() -> None:
    log = QueryLog(tiers={"lower-secondary": LogLevel.OFF}, least_devices=7)
    rules = CountingRules.of(replace(a_policy(), log=log), {"self-harm"})
    assert (sorted(rules.off), rules.least_devices) == (["6", "7", "8", "9"], 7)


@pytest.mark.parametrize("is_confidential", [True, False])
def test_control_a_confidential_category_is_of_the_whole_school_only(
    *, is_confidential: bool
) -> None:
    counted, _ = _counts()
    counted.rules = CountingRules(off={"7"}, confidential={"self-harm"} if is_confidential else ())
    for grade in ("6", "7", "9"):
        counted.add(
            grade, "self-harm", "blocked", network="lab", blocker="x", devices=(2,), class_id="6A"
        )
    batch = counted.take()
    if is_confidential:
        assert batch.rows == (CountRow(HOUR, "", "self-harm", "blocked", 2, devices=1),)
        assert [(row.scope, row.id) for row in batch.reach] == [("tier", ""), ("school", "")]
    else:  # the control: class and network of a few pupils are in it
        assert {row.class_id for row in batch.rows} == {"6A"}


def test_a_block_of_a_confidential_category_moves_no_figure_of_the_present() -> None:
    counted, clock = _counts()
    counted.rules = CountingRules(confidential={"self-harm"})
    counted.add("6", "games", "blocked", class_id="6A")
    before = counted.waiting, counted.sums.copy(), counted.blocks.copy(), counted.past_sums()
    counted.add("6", "self-harm", "blocked", 3, class_id="6A")
    counted.add("7", "self-harm", "blocked", path="fast")
    after = counted.waiting, counted.sums, counted.blocks, counted.past_sums()
    assert after == before
    assert counted.hidden == {"chain": 3, "fast": 1}
    assert counted.hidden_sources == {"blocked": 4}
    counted.hide("cached")
    assert counted.hidden == {"chain": 4, "fast": 1}
    assert counted.hidden_sources == {"blocked": 4, "cached": 1}
    assert (counted.waiting, counted.sums, counted.blocks) == before[:3]
    clock.advance(3600)
    assert counted.past_sums() == before[1]
    counted.know_from(2 * HOUR)
    counted.add("6", "self-harm", "blocked")
    assert (counted.undated, counted.waiting) == (0, before[0])
    counted.add("6", "games", "blocked")
    assert (counted.undated, counted.waiting) == (1, before[0] + 1)


def test_what_a_confidential_category_passes_is_an_answer_like_any_other() -> None:
    counted, _ = _counts()
    counted.rules = CountingRules(confidential={"self-harm"})
    counted.add("6", "self-harm", "pass", class_id="6A")
    counted.add("6", "", "pass", class_id="6A")
    assert counted.take().rows == (CountRow(HOUR, "6", "", "pass", 2, class_id="6A"),)


def test_sums_of_hours_that_are_over_do_not_move_within_an_hour() -> None:
    counted, clock = _counts()
    shown = []
    for _ in range(120):
        counted.add("6", "games", "blocked")
        shown.append(sum(counted.past_sums().values()))
        clock.advance(60)
    assert shown == [0] * 60 + [60] * 60


def test_the_devices_of_classes_and_of_the_school_are_counted_by_day() -> None:
    counted, _ = _counts()
    for device in range(1, 250, 2):
        counted.add("6", "games", "blocked", devices=(device,), class_id="6A")
    found = {row[1:5]: row.devices for row in counted.take().reach}
    assert found["class", "6A", "games", "blocked"] == 5
    assert found["school", "", "", ""] == day_reach.MANY_DEVICES


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("add"), st.sampled_from("ab"), st.integers(1, 5)),
            st.tuples(st.just("take"), st.just(""), st.just(0)),
            st.tuples(st.just("acknowledge"), st.just(""), st.just(0)),
            st.tuples(st.just("wait"), st.just(""), st.integers(-4000, 4000)),
        )
    )
)
def test_whatever_the_order_everything_arrives_once(steps: list[tuple[str, str, int]]) -> None:
    counted, clock = _counts()
    expected: Counter[tuple[int, str]] = Counter()
    arrived: dict[int, Batch] = {}
    for step, grade, n in steps:
        if step == "add":
            counted.add(grade, "", "pass", n)
            expected[int(clock.wall() // 3600) * 3600, grade] += n
        elif step == "wait":
            clock.advance(n)
        else:
            last = max(arrived, default=0) if step == "acknowledge" else 0
            batch = counted.take(counted.take().worker, last)
            if batch.rows:
                arrived[batch.number] = batch
    arrived.update({batch.number: batch for batch in counted.take_all()})
    found: Counter[tuple[int, str]] = Counter()
    for batch in arrived.values():
        for row in batch.rows:
            found[row.hour, row.grade] += row.n
    assert found == expected


@pytest.mark.parametrize("floor", [HOUR - 86_400, -inf])
def test_what_is_counted_before_the_time_is_known_goes_to_the_hour_in_which_it_is(
    floor: float,
) -> None:
    counted, clock = _counts(wall=100.0)
    counted.know_from(floor)
    counted.add("6", "", "pass", 2)
    is_kept_apart = counted.undated == 2
    assert bool(counted.take().rows) is not is_kept_apart
    clock.set_wall(HOUR)
    counted.add("6", "", "pass", 3)
    counted.add("6", "games", "blocked")
    dated = counted.take("", 0).rows
    if floor == -inf:  # without a floor they are of 1970
        assert [row.hour for row in dated] == [0]
    else:
        assert sorted(dated) == [
            CountRow(HOUR, "6", "", "pass", 5),
            CountRow(HOUR, "6", "games", "blocked", 1),
        ]
    assert counted.undated == 0


def test_counts_are_dated_without_another_query() -> None:
    counted, clock = _counts(wall=100.0)
    counted.know_from(HOUR)
    counted.add("6", "", "pass")
    assert (len(counted), counted.take().rows) == (1, ())
    clock.set_wall(HOUR)
    assert counted.take().rows == (CountRow(HOUR, "6", "", "pass", 1),)
    assert len(counted) == 1  # until it is acknowledged


def test_a_clock_that_is_lost_again_counts_apart_again() -> None:
    counted, clock = _counts()
    counted.know_from(HOUR)
    counted.add("6", "", "pass")
    clock.set_wall(-HOUR)
    counted.add("6", "", "pass", 4)
    assert counted.undated == 4
    assert [row.n for row in counted.take().rows] == [1]


def test_what_is_known_of_time_may_change() -> None:
    counted, _ = _counts()
    counted.add("6", "", "pass")
    counted.know_from(HOUR + 3600)
    counted.add("6", "", "pass")
    assert counted.undated == 1
    counted.know_from(HOUR)
    counted.add("6", "", "pass")
    assert counted.undated == 0
    assert [(row.hour, row.n) for row in counted.take().rows] == [(HOUR, 3)]


def _devices(*numbers: int) -> list[Client]:
    grade = a_policy().grades["6"]
    return [Client(grade, "lab", f"192.0.2.{number}") for number in numbers]


def _count(counted: Counts, client: Client) -> None:
    device = counted.device_of(client)
    counted.add("6", "games", "blocked", network="lab", blocker="games", devices=(device,))


@pytest.mark.parametrize("bounded", [True, False])
def test_control_devices_of_a_cell_are_counted_up_to_a_bound(
    monkeypatch: pytest.MonkeyPatch, *, bounded: bool
) -> None:
    if not bounded:  # the control: without the bound the count tells the size of a class
        monkeypatch.setattr(counts, "MOST_DEVICES", 10_000)
    counted, _ = _counts()
    for client in _devices(*range(100)) * 2:
        _count(counted, client)
    (row,) = counted.take().rows
    assert (row.n, row.network, row.blocker) == (200, "lab", "games")
    assert (row.devices == 15) is bounded


def test_devices_are_those_of_the_hour_so_far_though_answers_are_taken() -> None:
    counted, clock = _counts()
    found = []
    for numbers in ((1, 2), (1,), (3,)):
        for client in _devices(*numbers):
            _count(counted, client)
        found += [(row.n, row.devices) for batch in counted.take_all() for row in batch.rows]
    assert found == [(2, 2), (1, 2), (1, 3)]
    clock.advance(3600)
    _count(counted, *_devices(1))
    assert [row.devices for row in counted.take().rows] == [1]


def test_an_hour_that_is_opened_again_keeps_its_devices() -> None:
    counted, clock = _counts()
    for numbers, later_s in ((range(10), 3600), ((1,), -3600), ((1,), 0)):
        for client in _devices(*numbers):
            _count(counted, client)
        clock.advance(later_s)
    (row,) = (row for row in counted.take().rows if row.hour == HOUR)
    assert (row.n, row.devices) == (11, 10)


def test_devices_of_a_day_are_handed_over_once_for_each_that_is_new() -> None:
    counted, clock = _counts(wall=1_772_445_600)  # 17:00 in the zone of the school
    counted.rules = CountingRules(ZoneInfo("Asia/Ho_Chi_Minh"), least_devices=2)
    day, later = "2026-03-02", "2026-03-03"
    found = []
    for numbers in ((1,), (1,), (2,), (3,)):
        for client in _devices(*numbers):
            _count(counted, client)
        found += [row for batch in counted.take_all() for row in batch.reach]
        clock.advance(3600)
    of_cells = (row for row in found if row.scope != "school")
    assert [(row.day, row.scope, row.id, row.devices) for row in of_cells] == [
        (day, "tier", "lower-secondary", 1),
        (day, "grade", "6", 1),
        (day, "tier", "lower-secondary", 2),
        (day, "grade", "6", 2),
    ]
    clock.advance(4 * 3600)
    _count(counted, *_devices(1))
    (of_tier, *_) = counted.take().reach
    assert (of_tier.day, of_tier.devices) == (later, 1)


def test_devices_before_the_time_is_known_are_of_the_day_in_which_it_is() -> None:
    counted, clock = _counts(wall=100.0)
    counted.know_from(HOUR)
    _count(counted, *_devices(1))
    assert counted.take().reach == ()
    clock.set_wall(HOUR)
    (of_tier, *_) = counted.take().reach
    assert of_tier.day == datetime.fromtimestamp(HOUR, UTC).date().isoformat()


def test_a_batch_of_a_worker_of_before_has_no_devices_of_the_day() -> None:
    row = day_reach.ReachRow("2026-11-28", "grade", "6", "games", "blocked", 3)
    plain = Batch("w", 1, (CountRow(HOUR, "6", "", "pass", 1),), reach=(row,)).to_plain()
    assert Batch.from_plain(plain).reach == (row,)
    del plain["reach"]
    assert Batch.from_plain(plain).reach == ()


def test_a_device_is_known_by_its_mac_and_by_a_key_of_the_process() -> None:
    (one,) = _devices(1)
    counted, others = _counts()[0], _counts()[0]
    mac = replace(one, mac="02:00:00:00:00:01")
    assert counted.device_of(mac) == counted.device_of(replace(mac, address="2001:db8::1"))
    assert counted.device_of(replace(one, address=None)) == 0
    assert counted.device_of(replace(one, address="2001:db8::1")) == 0  # it has many of these
    assert [counted.device_of(each) % 2 for each in (mac, one)] == [1, 0]
    hashes = [
        (counted.device_of(device), others.device_of(device)) for device in _devices(*range(40))
    ]
    assert any(here != there for here, there in hashes)
    assert all(0 < here <= 0xFFFF for here, _ in hashes)


@pytest.mark.parametrize("bounded", [True, False])
def test_control_cells_of_an_hour_are_bounded_and_none_is_lost(
    monkeypatch: pytest.MonkeyPatch, *, bounded: bool
) -> None:
    if bounded:  # the control: without the bound there are as many as blockers
        monkeypatch.setattr(counts, "MOST_CELLS", 10)
    counted, _ = _counts()
    for number in range(50):
        counted.add("6", "games", "blocked", network="lab", blocker=str(number))
        counted.take("", 0)
    rows = [row for batch in counted.take_all() for row in batch.rows]
    assert sum(row.n for row in rows) == 50
    assert (len({row.blocker for row in rows}) == 11) is bounded
    assert ({row.network for row in rows} == {"lab", OTHER}) is bounded


def test_hours_that_wait_are_merged_over_networks_before_any_is_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(counts, "MOST_ROWS", 50)
    counted, clock = _counts()
    for _ in range(30):
        for network in "abcde":
            counted.add("6", "", "pass", network=network)
        clock.advance(3600)
    assert (counted.lost, len(counted) <= 55) == (0, True)
    rows = [row for batch in counted.take_all() for row in batch.rows]
    assert sum(row.n for row in rows) == 150
    assert (rows[0].network, rows[0].n, rows[-1].network) == (OTHER, 5, "e")


@pytest.mark.parametrize(("blockers", "apart", "others"), [(3, 3, 0), (4, 4, 0), (5, 4, 1)])
def test_an_hour_has_as_many_cells_as_the_bound_and_one_for_all_others(
    monkeypatch: pytest.MonkeyPatch, blockers: int, apart: int, others: int
) -> None:
    monkeypatch.setattr(counts, "MOST_CELLS", 4)
    counted, _ = _counts()
    for number in range(blockers):
        counted.add("6", "games", "blocked", blocker=str(number), network="lab", class_id="6A")
    rows = counted.take().rows
    assert [row.blocker for row in rows] == [str(n) for n in range(apart)] + [OTHER] * others
    assert [(row.network, row.class_id) for row in rows[apart:]] == [(OTHER, OTHER)] * others


@pytest.mark.parametrize(("devices", "shown"), [(0, 0), (1, 1), (14, 14), (15, 15), (16, 15)])
def test_a_cell_shows_up_to_fifteen_devices(devices: int, shown: int) -> None:
    counted, _ = _counts()
    for number in range(devices + 1):  # the number 0 stands for no device
        counted.add("6", "games", "blocked", devices=(2 * number,))
    (row,) = counted.take().rows
    assert (row.n, row.devices) == (devices + 1, shown)
