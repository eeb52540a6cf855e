# SPDX-License-Identifier: Apache-2.0
"""The shared view of all processes of a daemon."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from filterd.base.state_folder import StateFolder
from filterd.daemon import shared_page
from filterd.daemon.shared_page import PolicyClock, SharedOverrides, SharedPage, recall_overrides
from filterd.overrides.changes.change_fields import MAX_REASON
from filterd.overrides.changes.change_kinds import MAX_THINGS
from filterd.overrides.history import snapshot
from filterd.overrides.history.snapshot import Exported
from filterd.overrides.history.store import Store
from filterd.policy.temporary_rules import Overrides
from filterd.policy.unknown_time import UNKNOWN_LEAD_S, is_known
from tests.support.changes import Book, an_exception
from tests.support.clock import FakeClock
from tests.support.commands import ROOT

if TYPE_CHECKING:
    from pathlib import Path

PARENT_AND_CHILD = """
import os
from filterd.daemon.shared_page import SharedPage

page = SharedPage()
word = page.epoch_word
child = os.fork()
if not child:
    page.epoch = 7
    page.beat(3)
    page.note_ready(3, os.getpid())
    os._exit(0)
os.waitpid(child, 0)
print(page.epoch, word[0], page.beats(3), page.is_ready(3, child), page.is_ready(2, child))
"""


def test_a_child_s_words_are_seen_by_its_parent() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PARENT_AND_CHILD],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["7", "7", "1", "True", "False"]


def test_no_worker_is_ready_at_first() -> None:
    page = SharedPage()
    assert page.epoch == 0
    assert not page.is_ready(1, 0)


def test_processes_have_words_of_their_own() -> None:
    page = SharedPage()
    for process in range(17):
        page.beat(process)
    assert [page.beats(process) for process in range(17)] == [1] * 17


def test_no_epoch_is_prepared_twice() -> None:
    page = SharedPage()
    assert not page.is_undecided
    given_up = page.next_epoch()
    assert page.is_undecided
    epoch = page.next_epoch()
    assert page.epoch < given_up < epoch
    page.epoch = epoch
    assert not page.is_undecided


def test_without_a_timekeeper_it_shows_the_time_of_the_machine() -> None:
    clock = FakeClock()
    policy = PolicyClock(clock, SharedPage())
    clock.set_wall(3600.0)
    assert policy.wall() == policy.least() == clock.wall()


def test_a_clock_that_is_set_moves_it_only_with_the_page() -> None:
    clock, page = FakeClock(), SharedPage()
    policy, before = PolicyClock(clock, page), clock.wall()
    page.lead_s = before - clock.monotonic()
    clock.set_wall(3600.0)
    assert policy.wall() == before
    page.lead_s += 60.0
    assert policy.wall() == before + 60.0


def test_of_an_unknown_time_the_floor_is_certain() -> None:
    clock, page = FakeClock(), SharedPage()
    page.lead_s, page.floor = UNKNOWN_LEAD_S, 1_764_000_000.0
    policy = PolicyClock(clock, page)
    assert not is_known(policy.wall())
    assert policy.least() == page.floor


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    return StateFolder(tmp_path / "state")


def some(number: int) -> Exported:
    return Exported(Overrides(number=number), "ab" * 32)


def test_what_an_epoch_puts_in_force_is_stored_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """On aarch64 a processor may show two stores in the other order."""
    page, seen = SharedPage(), list[int]()
    monkeypatch.setattr(shared_page, "order_stores", lambda: seen.append(page.epoch))
    page.epoch = 7
    assert (seen, page.epoch) == ([0], 7)


def test_the_kernel_orders_stores_where_the_processor_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert shared_page.order_stores()
    monkeypatch.setitem(shared_page._MEMBARRIER, "x86_64", 324)
    assert shared_page.order_stores()
    monkeypatch.setitem(shared_page._MEMBARRIER, os.uname().machine, 1 << 30)
    assert not shared_page.order_stores()


def test_only_the_manager_writes_the_overrides() -> None:
    shared = SharedOverrides()
    shared.put(some(1))
    shared.be_reader()
    with pytest.raises(AssertionError, match="two writers"):
        shared.put(some(2))
    assert shared.get() == some(1)


def test_nothing_is_kept_at_first() -> None:
    assert SharedOverrides().get() is None


def test_what_was_put_last_counts_whatever_its_number() -> None:
    shared = SharedOverrides()
    for number in (1, 2, 3, 2):
        shared.put(some(number))
        assert shared.get() == some(number)


@pytest.mark.parametrize("slot", [0, 1])
def test_a_slot_that_was_half_written_leaves_the_other(slot: int) -> None:
    shared = SharedOverrides(slot_octets=4096)
    shared.put(some(1))
    shared.put(some(2))
    shared._memory[slot * 4096 + 40] ^= 1
    # The first change went to slot 1, the second to slot 0.
    assert shared.get() == some((1, 2)[slot])


def test_what_has_no_room_is_left_to_the_disk() -> None:
    book = Book()
    for number in range(20):
        book.make("exception", **an_exception(target=f"name{number}.example"))
    large = Exported(replace(book.overrides), "")
    shared = SharedOverrides(slot_octets=2048)
    shared.put(some(1))
    shared.put(large)
    assert shared.get() is None
    shared.put(some(2))
    assert shared.get() == some(2)


def test_as_many_settings_as_there_may_be_with_the_longest_reasons_have_room() -> None:
    """What has none is read from a disk, which may be dead: then no block of a command holds."""
    book = Book()
    book.make("exception", **an_exception(target=".".join(["a" * 63] * 3 + ["b" * 57, "vn"])))
    (one,) = book.overrides.exceptions
    one = replace(one, reason="ệ" * MAX_REASON, author="a" * 64, whom="b" * 64)
    held, most = SharedOverrides(), Overrides(exceptions=(one,) * MAX_THINGS)
    held.put(Exported(most, "ab" * 32))
    assert held.get() == Exported(most, "ab" * 32)


@pytest.mark.parametrize("gone", [(0,), (1,), (0, 1)])
def test_what_commands_have_set_is_in_memory_before_the_first_answer_whatever_copy_is_gone(
    state: StateFolder, gone: tuple[int, ...]
) -> None:
    made = Store(state, FakeClock()).change("exception", an_exception(), author="a", reason="abc")
    for number in gone:
        state.overrides_copies[number].unlink()
    held = SharedOverrides()
    recall_overrides(state, FakeClock(), held)
    assert held.get() == made.exported
    assert snapshot.newest(state.overrides_copies[:1]) == held.get()
    assert snapshot.newest(state.overrides_copies[1:]) == held.get()


def test_the_store_counts_where_both_copies_are_older(state: StateFolder) -> None:
    store = Store(state, FakeClock())
    store.change("exception", an_exception(), author="a", reason="abc")
    old = state.exported_overrides.read_bytes()
    made = store.change("exception", an_exception(target="b.example"), author="a", reason="abc")
    for copy in state.overrides_copies:
        copy.write_bytes(old)
    held = SharedOverrides()
    recall_overrides(state, FakeClock(), held)
    assert held.get() == made.exported


def test_control_without_a_look_at_the_store_an_older_copy_would_be_in_force(
    state: StateFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(state, FakeClock())
    store.change("exception", an_exception(), author="a", reason="abc")
    for copy in state.overrides_copies:
        copy.unlink()
    monkeypatch.setattr(shared_page, "in_fork", lambda *_: 0)
    held = SharedOverrides()
    recall_overrides(state, FakeClock(), held)
    assert held.get() is None
