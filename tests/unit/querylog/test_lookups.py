# SPDX-License-Identifier: Apache-2.0
""""""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from filterd.base.packet_room import PACKET_OCTETS
from filterd.querylog import lookups as module
from filterd.querylog.lookups import (
    LOOKUPS_A_BATCH,
    SLOT_S,
    Lookup,
    LookupBatch,
    LookupContext,
    LookupQueue,
)
from filterd.wire import name as names
from tests.support.policies import wire

if TYPE_CHECKING:
    import pytest


AT = 1_764_570_600
CONTEXT = LookupContext("6", "6A", "lab-a", "games", "blocked", "starter-games")


def test_a_batch_comes_back_from_plain_data() -> None:
    lookups = tuple(
        Lookup(1_764_000_000 + n, names.from_text(f"a{n % 2}.vn"), CONTEXT, n, n > 1)
        for n in range(4)
    )
    plain = LookupBatch("w", 3, lookups, more=True).to_plain()
    assert len(plain["names"]) == 2
    assert len(plain["contexts"]) == 1
    assert LookupBatch.from_plain(json.loads(json.dumps(plain))) == LookupBatch(
        "w", 3, lookups, more=True
    )


@given(st.data())
def test_no_batch_is_larger_than_a_packet_whatever_is_in_it(data: st.DataObject) -> None:
    texts = st.text(max_size=data.draw(st.sampled_from((3, 63, 2_000)), label="longest id"))
    contexts = data.draw(
        st.lists(st.builds(LookupContext, *[texts] * 6), min_size=1, max_size=20), label="contexts"
    )
    octets = data.draw(st.integers(1, 255), label="octets of a name")
    queue = LookupQueue()
    n = 2 * LOOKUPS_A_BATCH + 3
    for number in range(n):
        name = number.to_bytes(3, "big") + b"\xff" * octets
        queue.add(Lookup(AT, name, contexts[number % len(contexts)], 2**31 - 1))
    names = list[bytes]()
    for batch in queue.take_all():
        assert len(json.dumps(batch.to_plain())) < PACKET_OCTETS
        names += [lookup.name for lookup in batch.lookups]
    assert len(names) == len(set(names)) == n
    assert queue.lost == 0


def test_a_lookup_that_fits_no_packet_is_lost_and_said_and_holds_nothing_up(
    caplog: pytest.LogCaptureFixture,
) -> None:
    queue = LookupQueue()
    huge = CONTEXT._replace(network="n" * PACKET_OCTETS)
    for context in (huge, CONTEXT, huge, CONTEXT, huge):
        queue.add(Lookup(AT, wire("a.example"), context, 1))
    first = queue.take()
    assert [lookup.context for lookup in first.lookups] == [CONTEXT, CONTEXT]
    second = queue.take(first.worker, first.number, first.number)
    assert (second.lookups, second.more, len(queue)) == ((), False, 0)
    assert queue.lost == 3
    assert caplog.text.count("fits no message, and is lost") == 3


def test_lookups_that_fit_no_packet_hold_none_up_that_come_later() -> None:
    queue = LookupQueue()
    for _ in range(LOOKUPS_A_BATCH + 1):
        queue.add(Lookup(AT, wire("a.example"), CONTEXT._replace(network="n" * PACKET_OCTETS), 1))
    queue.add(Lookup(AT, wire("b.example"), CONTEXT, 1))
    assert names_of(queue.take()) == [wire("b.example")]


def test_a_context_knows_the_tier_of_its_grade() -> None:
    assert CONTEXT.tier == "lower-secondary"


_PACKET_OCTETS = 2 * 212_992 - 32
"""By the system's usual limit of what a socket sends (``net.core.wmem_max``)."""


def a_lookup(number: int = 0, *, device: int = 1, at: int = AT, is_row: bool = True) -> Lookup:
    return Lookup(at, wire(f"n{number}.example"), CONTEXT, device, is_row)


def a_queue(n: int) -> LookupQueue:
    queue = LookupQueue()
    for number in range(n):
        queue.add(a_lookup(number))
    return queue


def names_of(*batches: LookupBatch) -> list[bytes]:
    return [one.name for batch in batches for one in batch.lookups]


def test_several_batches_are_on_their_way_until_they_are_acknowledged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "LOOKUPS_A_BATCH", 3)
    queue = a_queue(7)
    first = queue.take()
    second = queue.take(first.worker, 0, first.number)
    third = queue.take(first.worker, 0, second.number)
    assert names_of(first, second, third) == [wire(f"n{n}.example") for n in range(7)]
    assert [one.more for one in (first, second, third)] == [True, True, False]
    assert not queue.take(first.worker, 0, third.number).lookups
    assert (len(queue), queue.waiting) == (7, 0)
    assert queue.take(first.worker, second.number, second.number) == third
    assert len(queue) == 1


def test_a_new_manager_gets_again_what_was_not_acknowledged() -> None:
    queue = a_queue(3)
    first = queue.take()
    queue.add(a_lookup(9))
    assert queue.take() == LookupBatch(first.worker, 1, first.lookups, more=True)
    assert queue.take("another", 99, 99).lookups == first.lookups


@given(st.lists(st.sampled_from(["add", "take", "write", "restart"]), max_size=40))
def test_whatever_happens_each_lookup_is_written_once_in_its_order(steps: list[str]) -> None:
    queue, added, written = LookupQueue(), 0, list[bytes]()
    in_file, worker, acknowledged, in_hand = 0, "", 0, list[LookupBatch]()
    for step in [*steps, "restart", "take", "take", "write"]:
        if step == "add":
            queue.add(a_lookup(added))
            added += 1
        elif step == "take":
            after = in_hand[-1].number if in_hand else acknowledged
            batch = queue.take(worker, acknowledged, after)
            worker = batch.worker
            in_hand += [batch] if batch.lookups else []
        elif step == "write":
            for batch in in_hand:
                if batch.number > in_file:
                    written += names_of(batch)
                    in_file = batch.number
            acknowledged, in_hand = in_file, []
        else:  # the manager is killed; the file knows what it has
            worker, acknowledged, in_hand = "", 0, []
    while len(queue):
        batch = queue.take(worker, acknowledged, acknowledged)
        if batch.number > in_file:
            written += names_of(batch)
        in_file = max(in_file, batch.number)
        worker, acknowledged = batch.worker, batch.number
    assert written == [wire(f"n{n}.example") for n in range(added)]


def test_what_has_no_room_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_LOOKUPS", 5)
    queue = a_queue(4)
    queue.take()
    for number in range(4, 8):
        queue.add(a_lookup(number))
    queue.add(a_lookup(8, is_row=False))
    assert (len(queue), queue.lost) == (5, 4)


def test_a_name_of_a_device_without_a_row_is_handed_over_once() -> None:
    queue = LookupQueue()
    for _ in range(3):
        for device in (1, 2):
            queue.add(a_lookup(device=device, is_row=False))
    assert [lookup.device for lookup in queue.take().lookups] == [1, 2]
    queue.begin_day()
    queue.add(a_lookup(device=1, is_row=False))
    assert len(queue) == 3


def test_a_new_manager_gets_such_names_again() -> None:
    queue = LookupQueue()
    worker = queue.take().worker
    queue.add(a_lookup(is_row=False))
    queue.take(worker)
    queue.take(worker, 1, 1)
    queue.add(a_lookup(is_row=False))
    assert not len(queue)
    queue.take()
    queue.add(a_lookup(is_row=False))
    assert len(queue) == 1


def test_what_is_handed_over_once_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_ONCE", 10)
    queue = LookupQueue()
    for number in range(100):
        queue.add(a_lookup(number, is_row=False))
    assert (len(queue), len(queue._once)) == (100, 10)


def test_distinct_lookups_of_a_slot_are_one_row_without_a_device() -> None:
    queue = LookupQueue()
    queue.is_distinct = True
    for at in (AT, AT + 1, AT + SLOT_S):
        for device in (1, 2):
            queue.add(a_lookup(at=at, device=device))
    lookups = queue.take().lookups
    rows = [(lookup.at, lookup.device, lookup.n) for lookup in lookups if lookup.is_row]
    assert rows == [(AT, 0, 4), (AT + SLOT_S, 0, 2)]
    assert Counter(lookup.device for lookup in lookups if not lookup.is_row) == {1: 1, 2: 1}


def test_a_lookup_is_lost_once_though_it_waits_as_a_row_and_as_a_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MOST_LOOKUPS", 3)
    queue = LookupQueue()
    queue.is_distinct = True
    for number in range(5):
        queue.add(a_lookup(device=number)._replace(name=wire(f"n{number}.example")))
    rows = sum(lookup.n for lookup in queue.take().lookups if lookup.is_row)
    assert (rows, queue.lost) == (2, 3)


def test_a_batch_of_the_longest_names_fits_a_packet() -> None:
    queue = LookupQueue()
    for number in range(2 * LOOKUPS_A_BATCH):
        context = CONTEXT._replace(class_id=f"{number:040}", blocker="x" * 60)
        name = (b"\x3f" + b"\xff" * 63) * 3 + b"\x3d" + f"{number:061}".encode() + b"\0"
        queue.add(Lookup(AT, name, context, 2**31 - 1, False, 10**6))
    batches = list(queue.take_all())
    assert max(len(json.dumps(batch.to_plain())) for batch in batches) < _PACKET_OCTETS
    assert sum(len(batch.lookups) for batch in batches) == 2 * LOOKUPS_A_BATCH


def test_at_the_end_everything_is_taken() -> None:
    queue = a_queue(2 * LOOKUPS_A_BATCH + 1)
    handed = queue.take()
    batches = list(queue.take_all())
    assert replace(handed, more=False) == batches[0]
    assert [len(batch.lookups) for batch in batches] == [LOOKUPS_A_BATCH, LOOKUPS_A_BATCH, 1]
