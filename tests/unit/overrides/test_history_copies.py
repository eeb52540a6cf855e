# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.overrides.history_copies import HistoryCopies
from filterd.overrides.store import Store
from filterd.state_folder import StateFolder
from tests.support.changes import an_exception
from tests.support.clock import FakeClock

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.overrides.store import Done


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
