# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

import pytest

from filterd.base.errors import StoreError
from filterd.base.state_folder import StateFolder
from filterd.overrides.changes.effects import ChangeEffect
from filterd.overrides.history import store_file
from filterd.overrides.history.history_chain import GENESIS, HistoryReplay, HistoryRow
from filterd.overrides.history.history_copies import HistoryCopies
from filterd.overrides.history.snapshot import Exported
from filterd.overrides.history.store import Store
from filterd.policy.temporary_rules import Overrides
from filterd.texts.i18n import say
from tests.support.changes import an_exception
from tests.support.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from filterd.overrides.history.store import Done


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    return StateFolder(tmp_path)


@pytest.fixture
def done(state: StateFolder) -> Done:
    return Store(state, FakeClock()).change(
        "exception", an_exception(), author="lan", reason="bài học"
    )


@pytest.fixture
def remains(state: StateFolder) -> HistoryCopies:
    return HistoryCopies(state, lambda: None)


def test_a_new_folder_has_lost_nothing(remains: HistoryCopies) -> None:
    assert remains.copied() is None
    assert not remains.is_lost()
    assert not remains.is_unreadable()


def test_the_copy_counts_where_the_file_is_gone(
    state: StateFolder, done: Done, remains: HistoryCopies
) -> None:
    state.overrides.unlink()
    assert remains.best(None).overrides == done.overrides
    assert not remains.is_lost()


def test_memory_counts_where_the_disk_has_nothing(state: StateFolder, done: Done) -> None:
    for path in (state.overrides, *state.overrides_copies):
        path.unlink()
    assert HistoryCopies(state, lambda: done.exported).best(None).overrides == done.overrides


def test_unreadable_copies_show_that_there_was_a_history(
    state: StateFolder, done: Done, remains: HistoryCopies
) -> None:
    assert done.row.number == 1
    for copy in state.overrides_copies:
        copy.write_bytes(b"nonsense")
    assert not remains.is_unreadable()
    state.overrides.write_bytes(b"nonsense" * 1000)
    assert remains.is_unreadable()
    state.overrides.unlink()
    assert remains.is_lost()


def _exported(number: int, digest: str = "ab") -> Exported:
    return Exported(Overrides(number=number), digest * 32, 5.0)


def _row(number: int, digest: str = "ab") -> HistoryRow:
    effect = ChangeEffect()
    row = HistoryRow.of(number, 5.0, "lan", "clock", {}, "", effect, GENESIS)
    return row._replace(hash=digest * 32)


@pytest.mark.parametrize(
    ("copied", "last", "row", "sentence"),
    [
        (None, 3, None, ""),
        (_exported(0), 0, None, ""),
        (_exported(3), 3, _row(3), ""),
        (_exported(3), 5, _row(3), ""),  # the file is ahead: a copy comes after it
        (_exported(3), 2, None, "changes up to 3 were made, and its last is 2"),
        (_exported(3), 3, _row(3, "cd"), "change 3 is not the one that was made"),
        (_exported(3), 5, _row(3, "cd"), "change 3 is not the one that was made"),
        (_exported(3), 5, None, ""),  # that row is not among those that were read
    ],
)
def test_a_file_and_a_copy_disagree_where_a_change_is_missing_or_another(
    state: StateFolder,
    copied: Exported | None,
    last: int,
    row: HistoryRow | None,
    sentence: str,
) -> None:
    asked = list[int]()

    def row_of(number: int) -> HistoryRow | None:
        asked.append(number)
        return row

    done = HistoryReplay(Overrides(number=last))
    found = HistoryCopies(state, lambda: copied).disagreement(done, row_of)
    assert str(found) == sentence
    assert set(asked) <= {3}


@pytest.mark.parametrize(
    ("remembered", "number"), [(None, 1), (_exported(0), 1), (_exported(2), 2)]
)
def test_the_newest_copy_counts_be_it_on_the_disk_or_in_memory(
    state: StateFolder, done: Done, remembered: Exported | None, number: int
) -> None:
    copies = HistoryCopies(state, lambda: remembered)
    assert done.overrides.number == 1
    assert copies.copied_number() == number
    best = copies.best(None)
    assert best.overrides.number == number
    if number == 2:
        assert (best.last_hash, best.at) == ("ab" * 32, 5.0)


def test_without_a_copy_the_number_is_none(remains: HistoryCopies) -> None:
    assert remains.copied_number() == 0
    assert remains.best(None) == HistoryReplay()


def test_what_is_known_in_memory_counts_where_it_is_the_latest(
    state: StateFolder, done: Done, remains: HistoryCopies
) -> None:
    later = HistoryReplay(Overrides(number=4), "cd" * 32, 9.0)
    found = remains.best(later)
    assert (found.overrides, found.last_hash, found.at) == (later.overrides, "cd" * 32, 9.0)
    earlier = HistoryReplay(Overrides(number=0), "cd" * 32, 9.0)
    assert remains.best(earlier).overrides == done.overrides
    assert state.overrides.exists()


def test_a_policy_that_was_kept_shows_that_there_was_a_history(
    state: StateFolder, remains: HistoryCopies
) -> None:
    state.past_policies.mkdir(parents=True)
    assert not remains.is_lost()
    (state.past_policies / "1.filterd").write_bytes(b"x")
    assert remains.is_lost()
    state.overrides.write_bytes(b"x")
    assert not remains.is_lost()


def test_rows_before_the_damage_are_saved_with_the_place_of_the_first_bad_one(
    state: StateFolder, done: Done, remains: HistoryCopies
) -> None:
    replayed, rows = remains.salvaged()
    assert (replayed.first_bad, [*rows], replayed.overrides) == (None, [1], done.overrides)
    state.overrides.write_bytes(b"nonsense" * 1000)
    replayed, rows = remains.salvaged()
    assert (replayed.first_bad, rows) == (1, {})
    assert str(replayed.problem)


def test_a_file_that_is_no_file_is_unreadable_and_leaves_the_copy(
    state: StateFolder,
    done: Done,
    remains: HistoryCopies,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(_: HistoryCopies) -> None:
        raise StoreError(say("the disk refuses"))

    monkeypatch.setattr(HistoryCopies, "salvaged", refuse)
    assert not remains.is_unreadable(), "there is a copy"
    assert remains.best(None).overrides == done.overrides
    for copy in state.overrides_copies:
        copy.unlink()
    assert remains.is_unreadable()


def test_one_copy_that_cannot_be_read_shows_that_there_was_a_history(
    state: StateFolder, done: Done, remains: HistoryCopies
) -> None:
    first, *others = state.overrides_copies
    first.write_bytes(b"nonsense")
    for path in (state.overrides, *others):
        path.unlink()
    assert done.row.number == 1
    assert remains.is_lost()


def test_of_damage_after_an_altered_row_the_row_is_the_first_bad_one(
    remains: HistoryCopies, state: StateFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows may be read before SQLite finds the page that is damaged."""
    altered = _row(1)

    def rows(_: object) -> Iterator[HistoryRow]:
        yield altered
        raise store_file.DamagedError(state.overrides, say("damaged"))

    state.overrides.write_bytes(b"")
    monkeypatch.setattr(store_file, "to_read", lambda _: nullcontext())
    monkeypatch.setattr(store_file, "rows", rows)
    replayed, found = remains.salvaged()
    assert (replayed.first_bad, str(replayed.problem)) == (1, "it has been altered")
    assert found == {1: altered}


def test_copies_give_way_and_what_is_there_is_kept_aside(
    state: StateFolder, done: Done, remains: HistoryCopies
) -> None:
    remains.give_way(())
    assert not state.replaced_history.exists()
    assert not any(path.exists() for path in state.overrides_copies)
    remains.give_way((done.row,))
    assert state.replaced_history.read_bytes()
