# SPDX-License-Identifier: Apache-2.0
"""The file of the store and its copies, as one writer after the other writes them."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.errors import InUseError, StoreError
from filterd.base.paths import sole
from filterd.base.state_folder import StateFolder
from filterd.overrides.history import (
    quarantine,
    store_file,
    store_writer,
)
from filterd.overrides.history.history_chain import replay
from filterd.overrides.history.store import HistoryCheck, Store
from filterd.texts.i18n import say
from tests.support.changes import an_exception
from tests.support.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from filterd.policy.temporary_rules import Overrides


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    return StateFolder(tmp_path / "state")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def allow(target: Store, name: str = "a.example", **more: Any) -> Overrides:
    done = target.change("exception", an_exception(target=name, **more), author="lan", reason="bài")
    return done.overrides


def altered(state: StateFolder, statement: str) -> None:
    """Do to the file what the store never does."""
    with contextlib.closing(sqlite3.connect(state.overrides, isolation_level=None)) as connection:
        connection.execute("DROP TRIGGER changes_are_not_altered")
        connection.execute("DROP TRIGGER changes_are_not_removed")
        connection.execute(statement)


def test_the_copy_is_ready_before_a_change_is_recorded(
    state: StateFolder, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = Store(state, clock)
    allow(target)

    def full(*_: object) -> contextlib.AbstractContextManager[None]:
        raise StoreError(say("no space left"))

    monkeypatch.setattr(store_writer, "replacing", full)
    with pytest.raises(StoreError, match="no space left"):
        allow(target, "b.example")
    assert len(target.rows()) == 1
    assert target.verify() == HistoryCheck(1)


def test_a_change_looks_at_new_rows_only(
    state: StateFolder, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = Store(state, clock)
    allow(target)
    looked_at = list[int]()

    def noted(rows: Any, *begin: Any) -> Any:
        found = list(rows)
        looked_at.extend(row.number for row in found)
        return replay(found, *begin)

    monkeypatch.setattr(store_writer, "replay", noted)
    allow(Store(state, clock), "b.example")
    looked_at.clear()
    allow(target, "c.example")
    assert looked_at == [2, 3]


def test_damage_that_a_change_meets_does_not_stop_it(state: StateFolder, clock: FakeClock) -> None:
    target = Store(state, clock)
    allow(target)
    state.overrides.write_bytes(b"damaged")
    made = allow(target, "b.example")
    assert [exception.target for exception in made.exceptions] == ["a.example", "b.example"]
    assert Store(state, clock).current() == made


def test_waiting_too_long_for_another_command_is_an_error(
    state: StateFolder, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_writer, "LOCK_TRIES", 2)
    monkeypatch.setattr(store_writer, "LOCK_PAUSE_S", 0.0)
    made = allow(Store(state, clock))
    with sole(state.overrides_lock, otherwise=say("")):
        with pytest.raises(InUseError, match="another command is changing the settings; try again"):
            allow(Store(state, clock))
        assert Store(state, clock).start().overrides == made
    allow(Store(state, clock))


def test_a_copy_that_cannot_be_put_is_logged_and_the_change_stays(
    state: StateFolder,
    clock: FakeClock,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    target = Store(state, clock)

    def put() -> None:
        raise StoreError(say("the disk refuses"))

    monkeypatch.setattr(store_writer, "replacing", lambda *_: contextlib.nullcontext(put))
    made = allow(target)
    assert caplog.messages == ["the disk refuses"] * 2
    assert target.current() == made


def test_what_a_killed_process_has_left_is_removed_by_the_next_change(
    state: StateFolder, clock: FakeClock
) -> None:
    target = Store(state, clock)
    allow(target)
    left = [
        path.with_name(f".{path.name}.0.tmp") for path in (state.overrides, *state.overrides_copies)
    ]
    for path in left:
        path.write_bytes(b"half")
    allow(target, "b.example")
    assert [path for path in left if path.exists()] == []


@pytest.mark.parametrize("tries", [1, 3])
def test_a_change_tries_so_often_and_waits_in_between(
    state: StateFolder, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, tries: int
) -> None:
    waited = list[float]()
    monkeypatch.setattr(store_writer, "LOCK_TRIES", tries)
    monkeypatch.setattr(time, "sleep", waited.append)
    with (
        sole(state.overrides_lock, otherwise=say("")),
        pytest.raises(InUseError, match="another command is changing the settings"),
    ):
        allow(Store(state, clock))
    assert waited == [store_writer.LOCK_PAUSE_S] * (tries - 1)


def test_a_start_beside_a_command_at_work_logs_that(
    state: StateFolder,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(store_writer, "LOCK_TRIES", 1)
    made = allow(Store(state, clock))
    with sole(state.overrides_lock, otherwise=say("")):
        started = Store(state, clock).start()
    assert started.overrides == made
    assert caplog.messages == [started.problem]


def test_a_command_waits_five_seconds_for_another() -> None:
    assert (store_writer.LOCK_TRIES, store_writer.LOCK_PAUSE_S) == (200, 0.025)
    assert store_writer._logger.name == "filterd.overrides"


def test_a_file_with_a_bad_sector_is_set_aside_and_the_next_change_is_made(
    state: StateFolder, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk still renames it, and takes a new one."""
    allow(Store(state, clock))
    bad, connect = state.overrides.stat().st_ino, store_file._connected

    @contextlib.contextmanager
    def connected(path: Path, mode: str) -> Iterator[sqlite3.Connection]:
        with connect(path, mode) as connection:
            if path.stat().st_ino == bad:
                error = sqlite3.OperationalError("disk I/O error")
                error.sqlite_errorcode = sqlite3.SQLITE_IOERR
                raise error
            yield connection

    monkeypatch.setattr(store_file, "_connected", connected)
    monkeypatch.setattr(store_file, "has_bad_sector", lambda path: path.stat().st_ino == bad)
    assert len(allow(Store(state, clock), "b.example").exceptions) == 2
    (kept,) = quarantine.files(state.overrides)
    assert kept.stat().st_ino == bad
