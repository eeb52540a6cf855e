# SPDX-License-Identifier: Apache-2.0
"""The store as commands and the daemon use it; tests/e2e breaks the disk."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.errors import ChangeError, StoreError
from filterd.base.state_folder import StateFolder
from filterd.overrides.changes.change_kinds import parse
from filterd.overrides.history import quarantine, restored_history, snapshot, store, store_file
from filterd.overrides.history.restored_history import BackupOrigin
from filterd.overrides.history.snapshot import FORMAT, Exported
from filterd.overrides.history.store import HistoryCheck, Started, Store
from filterd.policy.temporary_rules import Overrides
from tests.support.changes import LESSON_S, a_grade_setting, an_exception
from tests.support.clock import FakeClock
from tests.support.policies import NOW

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.overrides.history.history_chain import HistoryRow


def test_a_start_is_a_copy_too() -> None:
    started = Started(Overrides(number=2), "", "ab" * 32, 5.0)
    assert started.exported == Exported(Overrides(number=2), "ab" * 32, 5.0)


def test_a_history_is_sound_where_nothing_was_altered() -> None:
    assert HistoryCheck(2).is_sound
    assert HistoryCheck(2, set_aside=("damaged",)).is_sound
    assert not HistoryCheck(2, 1).is_sound
    assert not HistoryCheck(2, altered=("altered",)).is_sound


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


def test_a_state_folder_without_changes_stays_as_it_is(
    state: StateFolder, clock: FakeClock
) -> None:
    fresh = Store(state, clock)
    assert fresh.start() == Started(Overrides())
    assert (fresh.current(), fresh.rows(), fresh.at(NOW)) == (Overrides(), (), Overrides())
    assert fresh.verify() == HistoryCheck(0)
    assert not state.folder.exists()


def test_a_change_is_visible_to_all_readers(state: StateFolder, clock: FakeClock) -> None:
    made = allow(Store(state, clock))
    assert [exception.target for exception in made.exceptions] == ["a.example"]
    other = Store(state, clock)
    assert (
        other.current()
        == other.start().overrides
        == snapshot.FORMAT.load(state.exported_overrides).overrides
    )
    assert other.current() == made


def test_a_change_that_is_refused_leaves_no_trace(state: StateFolder, clock: FakeClock) -> None:
    target = Store(state, clock)
    with pytest.raises(ChangeError, match="not a kind of change"):
        target.change("x", {}, author="lan", reason="")
    assert not state.folder.exists()
    allow(target)
    before = state.overrides.read_bytes()
    with pytest.raises(ChangeError, match="is no exception"):
        target.change("revoke", {"id": 9}, author="lan", reason="")
    assert state.overrides.read_bytes() == before


def test_two_stores_see_what_each_other_has_made(state: StateFolder, clock: FakeClock) -> None:
    one, other = Store(state, clock), Store(state, clock)
    for number in range(3):
        allow(one, f"a{number}.example")
        allow(other, f"b{number}.example")
    assert [row.number for row in one.rows()] == [6, 5, 4, 3, 2, 1]
    assert len(one.current().exceptions) == 6
    assert other.verify() == HistoryCheck(6)


def test_rows_are_the_last_first(state: StateFolder, clock: FakeClock) -> None:
    target = Store(state, clock)
    for name in "abc":
        allow(target, f"{name}.example")
    assert [row.number for row in target.rows(2)] == [3, 2]
    assert target.rows(2)[0].to_plain()["payload"]["target"] == "c.example"


def test_the_past_is_what_was_set_then(state: StateFolder, clock: FakeClock) -> None:
    target = Store(state, clock)
    allow(target)
    clock.advance(100)
    target.change("revoke", {"id": 1}, author="lan", reason="")
    clock.advance(100)
    allow(target, "b.example")
    numbers = [then.number for at in (-1, 0, 99, 100, 250) if (then := target.at(NOW + at))]
    assert numbers == [0, 1, 1, 2, 3]


def test_with_a_clock_that_was_set_back_the_last_time_it_showed_counts(
    state: StateFolder, clock: FakeClock
) -> None:
    target = Store(state, clock)
    allow(target)
    clock.set_wall(-500)
    allow(target, "b.example")
    then = target.at(NOW - 400)
    assert then is not None
    assert then.number == 2


def test_undoing_reads_the_history_of_the_file(state: StateFolder, clock: FakeClock) -> None:
    allow(Store(state, clock))
    target = Store(state, clock)
    target.change("grade", a_grade_setting(), author="lan", reason="")
    done = target.change("undo", {}, author="lan", reason="")
    assert done.row.undone() == 2
    assert done.taken_back is not None
    assert (done.taken_back.number, done.taken_back.kind) == (2, "grade")
    done = target.change("undo", {"number": 1}, author="minh", reason="")
    assert done.overrides == Overrides(number=4)


def test_a_row_that_was_altered_is_found_and_replaced_by_what_was_in_force(
    state: StateFolder, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    target = Store(state, clock)
    for name in "abc":
        allow(target, f"{name}.example")
    made = target.current()
    altered(state, "UPDATE changes SET author = 'nobody' WHERE number = 2")
    assert target.verify() == HistoryCheck(1, 2, "it has been altered")
    with pytest.raises(StoreError, match="change 2: it has been altered"):
        Store(state, clock).current()
    clock.advance(60)
    fresh = Store(state, clock)
    started = fresh.start()
    assert started.overrides.exceptions == made.exceptions
    (kept,) = fresh.verify().set_aside
    assert started.problem == (
        f"{state.overrides}: damaged (change 2: it has been altered); kept as {kept},"
        " what was set stays in force"
    )
    assert caplog.text.count(started.problem) == 1
    (row,) = fresh.rows()
    assert (row.number, row.kind, row.author) == (4, "restored", "filterd")
    assert row.to_plain()["payload"]["file"] == kept
    assert (fresh.verify().first_bad, fresh.start().problem) == (None, "")


def test_a_history_that_was_altered_is_not_sound_until_it_is_moved_away(
    state: StateFolder, clock: FakeClock
) -> None:
    allow(Store(state, clock))
    altered(state, "UPDATE changes SET author = 'nobody'")
    fresh = Store(state, clock)
    fresh.start()
    allow(fresh, "b.example")
    found = fresh.verify()
    assert (found.first_bad, found.is_sound, found.altered) == (None, False, found.set_aside)
    kept = state.overrides.with_name(*found.altered)
    assert list(fresh.problems()) == [
        f"{kept}: this history was altered and has been set aside; find out who did it, then"
        " move the file away"
    ]
    kept.rename(state.folder / "moved")
    assert (fresh.verify().is_sound, fresh.problems()) == (True, ())


def test_a_history_that_a_disk_has_damaged_is_reported_and_no_more(
    state: StateFolder, clock: FakeClock
) -> None:
    target = Store(state, clock)
    allow(target)
    state.overrides.write_bytes(b"damaged")
    assert "restart filterd, which sets it aside" in target.problems()[0]
    target.start()
    assert (target.verify().is_sound, target.verify().altered) == (True, ())
    (problem,) = target.problems()
    assert problem.endswith("set aside; move the file away once it is no longer needed")


def test_where_store_and_copy_are_damaged_what_can_be_read_stays_in_force(
    state: StateFolder, clock: FakeClock
) -> None:
    for name in "abc":
        allow(Store(state, clock), f"{name}.example")
    for copy in state.overrides_copies:
        copy.write_bytes(b"damaged")
    altered(state, "UPDATE changes SET author = 'nobody' WHERE number = 3")
    started = Store(state, clock).start()
    assert [exception.target for exception in started.overrides.exceptions] == [
        "a.example",
        "b.example",
    ]
    assert started.problem.endswith(", of what was set, only what could be read stays in force")
    assert Store(state, clock).start().problem == ""
    assert (
        snapshot.FORMAT.load(state.exported_overrides).overrides.exceptions
        == started.overrides.exceptions
    )


def test_after_a_history_was_lost_the_time_before_is_not_known(
    state: StateFolder, clock: FakeClock
) -> None:
    allow(Store(state, clock))
    state.overrides.write_bytes(b"damaged")
    clock.advance(100)
    fresh = Store(state, clock)
    fresh.start()
    assert fresh.at(NOW + 50) is None
    assert fresh.at(NOW + 150) == fresh.current()
    allow(fresh, "b.example")
    assert [exception.id for exception in fresh.current().exceptions] == [1, 3]
    fresh.change("revoke", {"id": 1}, author="lan", reason="")
    with pytest.raises(ChangeError, match="no change 1 to undo"):
        fresh.change("undo", {"number": 1}, author="lan", reason="")


@pytest.mark.parametrize("lost", ["DELETE FROM changes WHERE number = 2", "DELETE FROM changes"])
def test_a_history_that_has_lost_its_end_is_noticed(
    state: StateFolder, clock: FakeClock, lost: str
) -> None:
    target = Store(state, clock)
    for name in "ab":
        allow(target, f"{name}.example")
    altered(state, lost)
    assert target.verify().problem.startswith("changes up to 2 were made")
    assert len(Store(state, clock).start().overrides.exceptions) == 2


def test_control_without_the_copy_the_end_is_lost(state: StateFolder, clock: FakeClock) -> None:
    target = Store(state, clock)
    for name in "ab":
        allow(target, f"{name}.example")
    altered(state, "DELETE FROM changes WHERE number = 2")
    for copy in state.overrides_copies:
        copy.unlink()
    assert len(Store(state, clock).start().overrides.exceptions) == 1


def test_a_file_that_was_lost_begins_anew_with_the_copy(
    state: StateFolder, clock: FakeClock
) -> None:
    made = allow(Store(state, clock))
    state.overrides.unlink()
    fresh = Store(state, clock)
    assert fresh.start().overrides.exceptions == made.exceptions
    assert fresh.verify() == HistoryCheck(2)


def test_another_history_of_the_same_length_is_noticed(
    state: StateFolder, clock: FakeClock, tmp_path: Path
) -> None:
    made = allow(Store(state, clock))
    other = StateFolder(tmp_path / "other")
    allow(Store(other, clock), "b.example")
    state.overrides.write_bytes(other.overrides.read_bytes())
    assert Store(state, clock).verify().first_bad == 1
    assert Store(state, clock).start().overrides.exceptions == made.exceptions


@pytest.mark.parametrize("content", [None, b"damaged"])
def test_a_copy_that_is_lost_or_damaged_is_written_anew(
    state: StateFolder, clock: FakeClock, content: bytes | None
) -> None:
    made = allow(Store(state, clock))
    state.exported_overrides.unlink()
    if content:
        state.exported_overrides.write_bytes(content)
    assert Store(state, clock).start() == Started(made)
    assert snapshot.FORMAT.load(state.exported_overrides).overrides == made


def test_a_store_that_is_ahead_of_its_copy_brings_it_up(
    state: StateFolder, clock: FakeClock
) -> None:
    target = Store(state, clock)
    allow(target)
    old = state.exported_overrides.read_bytes()
    made = allow(target, "b.example")
    state.exported_overrides.write_bytes(old)
    assert Store(state, clock).start() == Started(made)
    assert snapshot.FORMAT.load(state.exported_overrides).overrides == made


def test_where_both_are_damaged_what_is_sound_of_the_rows_stays(
    state: StateFolder, clock: FakeClock
) -> None:
    target = Store(state, clock)
    for name in "abc":
        allow(target, f"{name}.example")
    altered(state, "UPDATE changes SET reason = 'x' WHERE number = 3")
    for copy in state.overrides_copies:
        copy.write_bytes(b"damaged")
    assert len(Store(state, clock).start().overrides.exceptions) == 2


def test_a_newer_store_is_refused_and_the_copy_stays_in_force(
    state: StateFolder, clock: FakeClock
) -> None:
    made = allow(Store(state, clock))
    altered(state, "PRAGMA user_version = 9")
    before = state.overrides.read_bytes()
    fresh = Store(state, clock)
    started = fresh.start()
    assert started.overrides == made
    assert "written by a newer filterd" in started.problem
    assert fresh.problems() == (f"nothing can be changed: {started.problem}",)
    with pytest.raises(StoreError, match="newer"):
        allow(fresh, "b.example")
    assert state.overrides.read_bytes() == before


def test_what_ended_long_ago_stays_in_the_history_and_leaves_the_copy(
    state: StateFolder, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "KEPT_AT_LEAST", 0)
    target = Store(state, clock)
    allow(target, ends_at=NOW + LESSON_S)
    clock.advance(30 * 86_400)
    made = allow(target, "b.example")
    assert [exception.id for exception in made.exceptions] == [2]
    assert [exception.id for exception in target.current().exceptions] == [1, 2]
    assert snapshot.FORMAT.load(state.exported_overrides).overrides == made
    assert Store(state, clock).start() == Started(made)


def test_a_copy_knows_the_last_change(state: StateFolder, clock: FakeClock) -> None:
    target = Store(state, clock)
    allow(target)
    copied = FORMAT.load(state.exported_overrides)
    assert (copied.overrides.number, copied.hash) == (1, target.rows(1)[0].hash)


def test_an_effect_is_what_a_change_would_set_and_is_recorded_nowhere(
    state: StateFolder, clock: FakeClock
) -> None:
    target = Store(state, clock)
    before = allow(target)
    change = parse("exception", an_exception(target="b.example"))
    found = target.effect(change, author="lan", now=NOW)
    (made,) = found.after.exceptions
    assert (made.target, made.id, made.author) == ("b.example", before.number + 1, "lan")
    undone = target.effect(parse("undo", {}), author="lan", now=NOW)
    assert [exception.target for exception in undone.before.exceptions] == ["a.example"]
    assert target.current() == before
    assert len(target.rows()) == 1
    with pytest.raises(ChangeError):
        target.effect(parse("revoke", {"id": 9}), author="lan", now=NOW)


def test_copies_that_are_missing_are_written_again_on_demand(
    state: StateFolder, clock: FakeClock
) -> None:
    target = Store(state, clock)
    made = allow(target)
    for copy in state.overrides_copies:
        copy.unlink()
    target.keep()
    assert [FORMAT.load(one).overrides for one in state.overrides_copies] == [made] * 2
    state.overrides.unlink()
    target.keep()
    assert Store(state, clock).current().exceptions == made.exceptions


def test_two_starts_are_alike_by_what_is_in_force_and_not_by_their_hashes() -> None:
    one = Started(Overrides(number=2), "", "ab" * 32, 5.0)
    assert one == Started(Overrides(number=2), "", "cd" * 32, 9.0)
    assert one != Started(Overrides(number=3), "", "ab" * 32, 5.0)
    assert (Started(Overrides()).problem, Started(Overrides()).at) == ("", 0.0)


def test_the_last_row_is_the_last_change(state: StateFolder, clock: FakeClock) -> None:
    target = Store(state, clock)
    for name in ("a.example", "b.example", "c.example"):
        allow(target, name)
    found = store_file.last_row(state.overrides)
    assert found is not None
    assert found.number == 3
    assert found == target.rows()[0]


@pytest.mark.parametrize(
    ("limit", "before", "numbers"),
    [(9, None, [3, 2, 1]), (2, None, [3, 2]), (9, 3, [2, 1]), (1, 2, [1]), (9, 1, [])],
)
def test_rows_are_so_many_before_a_number(
    state: StateFolder, clock: FakeClock, limit: int, before: int | None, numbers: list[int]
) -> None:
    target = Store(state, clock)
    for name in ("a.example", "b.example", "c.example"):
        allow(target, name)
    assert [row.number for row in target.rows(limit, before=before)] == numbers


ORIGIN = BackupOrigin("ab" * 16, 1.0)


def a_backup(folder: Path, clock: FakeClock, *targets: str) -> tuple[HistoryRow, ...]:
    """Return the history of another gateway."""
    other = Store(StateFolder(folder), clock)
    for name in targets:
        allow(other, name)
    return other.rows()[::-1]


def targets_of(overrides: Overrides) -> list[str]:
    return [exception.target for exception in overrides.exceptions]


def test_a_restore_takes_the_history_of_the_backup_and_keeps_the_other_aside(
    state: StateFolder, clock: FakeClock, tmp_path: Path
) -> None:
    backup = a_backup(tmp_path / "other", clock, "a.example", "b.example")
    target = Store(state, clock)
    allow(target, "c.example")
    gone = target.rows()
    done = target.restore(backup, ORIGIN, author="root", now=NOW)
    assert targets_of(done.overrides) == ["a.example", "b.example"]
    assert (target.current(), target.rows()[1:]) == (done.overrides, backup[::-1])
    assert (done.row, done.row.author, done.at) == (target.rows()[0], "root", NOW)
    assert (target.verify(), Store(state, clock).start()) == (
        HistoryCheck(3),
        Started(done.overrides),
    )
    assert restored_history.read(state.replaced_history.read_bytes()) == gone


def test_a_restore_that_was_made_is_not_made_again(
    state: StateFolder, clock: FakeClock, tmp_path: Path
) -> None:
    backup = a_backup(tmp_path / "other", clock, "a.example")
    target = Store(state, clock)
    done = target.restore(backup, ORIGIN, author="root", now=NOW)
    clock.advance(60)
    again = target.restore(backup, ORIGIN, author="root", now=NOW + 60)
    assert (again.row, again.overrides, again.at) == (done.row, done.overrides, done.at)
    assert len(target.rows()) == 2


def test_a_restore_keeps_no_history_aside_where_none_is_left(
    state: StateFolder, clock: FakeClock, tmp_path: Path
) -> None:
    target = Store(state, clock)
    target.restore(a_backup(tmp_path / "other", clock, "a.example"), ORIGIN, author="root", now=NOW)
    assert not state.replaced_history.exists()


def test_a_history_that_goes_on_gets_one_more_row_by_a_restore(
    state: StateFolder, clock: FakeClock
) -> None:
    target = Store(state, clock)
    allow(target)
    backup = target.rows()
    allow(target, "b.example")
    done = target.restore(backup, ORIGIN, author="root", now=NOW)
    assert targets_of(done.overrides) == ["a.example"]
    assert [row.number for row in target.rows()] == [3, 2, 1]
    assert not state.replaced_history.exists()


def test_the_present_is_read_from_the_copy_where_the_file_is_gone(
    state: StateFolder, clock: FakeClock
) -> None:
    target = Store(state, clock)
    assert target.last_change() == 0.0
    made = allow(target)
    assert target.last_change() == NOW
    state.overrides.unlink()
    assert Store(state, clock).current() == made


def test_a_store_without_a_change_is_one(state: StateFolder, clock: FakeClock) -> None:
    Store(state, clock).keep()
    fresh = Store(state, clock)
    assert (fresh.current(), fresh.at(NOW), fresh.last_change()) == (Overrides(), Overrides(), 0.0)
    assert fresh.verify() == HistoryCheck(0)


def test_the_first_change_that_is_missing_is_named(state: StateFolder, clock: FakeClock) -> None:
    target = Store(state, clock)
    for name in "abcd":
        allow(target, f"{name}.example")
    altered(state, "DELETE FROM changes WHERE number > 1")
    assert target.verify().first_bad == 2
    fresh = Store(state, clock)
    assert len(fresh.start().overrides.exceptions) == 4
    assert fresh.verify().altered == fresh.verify().set_aside != ()


def test_a_history_that_was_lost_is_reported_until_it_is_moved_away(
    state: StateFolder, clock: FakeClock
) -> None:
    assert Store(state, clock).lost() == ()
    state.past_policies.mkdir(parents=True)
    (state.past_policies / "1.filterd").write_bytes(b"x")
    fresh = Store(state, clock)
    (gone,) = fresh.lost()
    assert "the settings made by commands cannot be read" in str(gone)
    started = fresh.start()
    (noted,) = quarantine.files(state.overrides)
    assert noted.name.endswith("-lost")
    assert f"kept as {noted.name}, of what was set, only" in started.problem
    assert fresh.rows()[0].to_plain()["payload"] == {
        "file": noted.name,
        "problem": "it is missing, and there is no copy of it",
    }
    assert fresh.lost() == (quarantine.remedy_for(noted),)


def test_a_file_that_was_lost_is_no_file_that_is_kept(state: StateFolder, clock: FakeClock) -> None:
    allow(Store(state, clock))
    state.overrides.unlink()
    fresh = Store(state, clock)
    started = fresh.start()
    assert "); what was set stays in force" in started.problem
    row = fresh.rows()[0]
    assert (row.to_plain()["payload"]["file"], row.reason, row.number) == ("", "", 2)
    assert fresh.lost() == ()


def test_damage_without_a_copy_is_reported_by_those_who_do_not_know_better(
    state: StateFolder, clock: FakeClock
) -> None:
    knowing = Store(state, clock)
    allow(knowing)
    for copy in state.overrides_copies:
        copy.unlink()
    assert Store(state, clock).lost() == ()
    state.overrides.write_bytes(b"damaged")
    fresh = Store(state, clock)
    assert len(fresh.lost()) == 1
    assert knowing.lost() == ()
    fresh.start()
    (kept,) = quarantine.files(state.overrides)
    assert kept.name.endswith("-lost")
    assert fresh.lost() == (quarantine.remedy_for(kept),)


def test_what_a_start_has_read_counts_where_disk_and_copies_are_gone(
    state: StateFolder, clock: FakeClock
) -> None:
    allow(Store(state, clock))
    fresh = Store(state, clock)
    fresh.start()
    for copy in state.overrides_copies:
        copy.unlink()
    state.overrides.write_bytes(b"damaged")
    assert targets_of(allow(fresh, "b.example")) == ["a.example", "b.example"]
    assert fresh.lost() == ()


def test_the_whole_file_is_checked_by_a_process_that_does_not_know_it(
    state: StateFolder, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked, to_write = list[bool](), store_file.to_write

    def noting(path: Path, *, check: bool) -> contextlib.AbstractContextManager[Any]:
        checked.append(check)
        return to_write(path, check=check)

    monkeypatch.setattr(store_file, "to_write", noting)
    target = Store(state, clock)
    allow(target)
    allow(target, "b.example")
    assert checked == [True, False]


def test_a_history_that_took_the_place_of_the_known_one_counts(
    state: StateFolder, clock: FakeClock, tmp_path: Path
) -> None:
    target = Store(state, clock)
    allow(target)
    other = StateFolder(tmp_path / "other")
    made = allow(Store(other, clock), "b.example")
    pairs = zip(
        (state.overrides, *state.overrides_copies),
        (other.overrides, *other.overrides_copies),
        strict=True,
    )
    for mine, theirs in pairs:
        mine.write_bytes(theirs.read_bytes())
    assert target.current() == made


def test_a_start_that_fails_logs_why_and_what_was_lost(
    state: StateFolder, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    allow(Store(state, clock))
    altered(state, "PRAGMA user_version = 9")
    noted = quarantine.note_lost(state.overrides, NOW)
    started = Store(state, clock).start()
    assert started.problem in caplog.messages
    assert caplog.messages[-1] == str(quarantine.remedy_for(noted))


def test_a_store_that_cannot_be_used_is_logged_once_and_the_copy_is_in_force(
    state: StateFolder, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    made = allow(Store(state, clock))
    state.overrides.rename(state.folder / "elsewhere")
    state.overrides.symlink_to("elsewhere")
    started = Store(state, clock).start()
    assert started.overrides == made
    assert caplog.messages == [started.problem]
    assert "is a symbolic link" in started.problem


def test_after_damage_the_latest_time_is_known_all_the_same(
    state: StateFolder, clock: FakeClock
) -> None:
    clock.advance(100)
    allow(Store(state, clock))
    clock.advance(-60)
    state.overrides.write_bytes(b"damaged")
    assert Store(state, clock).start().at == NOW + 100


def test_a_backup_that_goes_on_after_this_history_leaves_nothing_to_keep(
    state: StateFolder, clock: FakeClock, tmp_path: Path
) -> None:
    other = StateFolder(tmp_path / "other")
    source = Store(other, clock)
    allow(source)
    shutil.copytree(other.folder, state.folder)
    allow(source, "b.example")
    target = Store(state, clock)
    done = target.restore(source.rows()[::-1], ORIGIN, author="root", now=NOW)
    assert targets_of(done.overrides) == ["a.example", "b.example"]
    assert not state.replaced_history.exists()


def test_a_store_of_an_earlier_release_is_brought_up_by_a_start(
    state: StateFolder, clock: FakeClock
) -> None:
    allow(Store(state, clock))
    altered(state, "DROP TABLE mended")
    altered_version = store_file.VERSION - 1
    with contextlib.closing(sqlite3.connect(state.overrides)) as connection:
        connection.execute(f"PRAGMA user_version = {altered_version}")
    Store(state, clock).start()
    with contextlib.closing(sqlite3.connect(state.overrides)) as connection:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
    assert version == store_file.VERSION


def test_looks_at_the_log_are_among_the_rows_unless_they_are_left_out(
    state: StateFolder, clock: FakeClock
) -> None:
    target = Store(state, clock)
    allow(target)
    target.change("log-view", {"view": "names"}, author="lan", reason="")
    assert [row.kind for row in target.rows()] == ["log-view", "exception"]
    assert [row.kind for row in target.rows(views=False)] == ["exception"]


def test_what_was_done_is_compared_by_what_is_in_force(
    state: StateFolder, clock: FakeClock
) -> None:
    done = Store(state, clock).change("exception", an_exception(), author="lan", reason="bài học")
    assert done == store.Done(done.row, done.overrides, None, done.at + 1)
    assert store.Done(done.row, done.overrides).at == 0.0
    assert HistoryCheck(0).problem == ""


def test_the_effect_of_a_change_is_that_of_the_next_one(
    state: StateFolder, clock: FakeClock
) -> None:
    target = Store(state, clock)
    allow(target)
    change = parse("exception", an_exception(target="b.example"))
    effect = target.effect(change, author="lan", now=NOW)
    assert [(exception.id, exception.author) for exception in effect.after.exceptions] == [
        (2, "lan")
    ]
    assert len(target.rows()) == 1
