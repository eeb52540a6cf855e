# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from filterd.daemon import shared_overrides
from filterd.daemon.shared_overrides import SharedOverrides, recall_overrides
from filterd.overrides import snapshot
from filterd.overrides.snapshot import Exported
from filterd.overrides.store import Store
from filterd.policy.temporary_rules import Overrides
from filterd.state_folder import StateFolder
from tests.support.changes import Book, an_exception
from tests.support.clock import FakeClock

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    return StateFolder(tmp_path / "state")


def some(number: int) -> Exported:
    return Exported(Overrides(number=number), "ab" * 32)


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
    monkeypatch.setattr(shared_overrides, "in_fork", lambda *_: 0)
    held = SharedOverrides()
    recall_overrides(state, FakeClock(), held)
    assert held.get() is None
