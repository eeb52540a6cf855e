# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.base.state_file import checksum
from filterd.base.state_folder import StateFolder
from filterd.daemon.time import known_time
from filterd.daemon.time.known_time import KnownTime, Lead
from filterd.overrides.history.store import Store
from filterd.policy.unknown_time import LATEST, UNCONFIRMED_S, UNKNOWN_LEAD_S, Certainty
from filterd.version import RELEASED_AT
from tests.support.changes import an_exception
from tests.support.clock import FakeClock

if TYPE_CHECKING:
    from pathlib import Path

NOW = RELEASED_AT + 1e7


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    return StateFolder(tmp_path)


def test_the_floor_is_the_latest_of_what_is_known() -> None:
    assert KnownTime().floor(()) == RELEASED_AT
    assert KnownTime(NOW).floor((NOW - 1,)) == NOW
    assert KnownTime(NOW).floor((NOW + 1,)) == NOW + 1


def test_a_time_that_cannot_be_is_passed_over() -> None:
    assert KnownTime(LATEST).floor((LATEST + 1, 0.0, float("nan"))) == RELEASED_AT


def test_a_floor_that_was_dropped_stays_so_and_later_times_count() -> None:
    dropped = KnownTime(NOW + 100).dropped(NOW, NOW + 100)
    assert dropped.floor((NOW + 50, NOW + 100)) == NOW
    assert dropped.floor((NOW + 101,)) == NOW + 101


def test_what_is_kept_is_read_again_and_a_damaged_file_is_passed_over(state: StateFolder) -> None:
    known_time.FORMAT.save(state.clock, KnownTime(NOW))
    assert known_time.read(state) == KnownTime(NOW)
    state.clock.write_bytes(b"nonsense")
    assert known_time.read(state) == KnownTime(not_before=0.0)


def test_the_file_of_the_release_before_is_read(state: StateFolder) -> None:
    body = f'{{"at":{NOW},"wrong_after":0.0,"wrong_until":0.0}}'.encode()
    state.clock.write_bytes(b"filterd clock 1\n%s\n%s\n" % (checksum(body), body))
    assert known_time.read(state) == KnownTime(NOW)
    assert known_time.FORMAT.dump(KnownTime(NOW)) == state.clock.read_bytes()


def test_a_lead_counts_in_its_own_boot_only(state: StateFolder) -> None:
    lead = Lead("a", NOW, NOW + 1, 5.0)
    known_time.FORMAT.save(state.clock, KnownTime(NOW, lead=lead))
    known = known_time.read(state)
    assert known.lead_in("a") == lead
    assert known.lead_in("b") is None
    assert KnownTime(NOW, lead=Lead("", NOW)).lead_in("") is None
    assert KnownTime(NOW).lead_in("a") is None


def test_a_boot_has_an_id_where_the_kernel_gives_one(
    state: StateFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = state.folder / "boot_id"
    monkeypatch.setattr(known_time, "_BOOT_ID", path)
    assert known_time.boot_id() == ""
    path.write_bytes(b"\xff")
    assert known_time.boot_id() == ""
    path.write_bytes(b"0d2f8a-1\n")
    assert known_time.boot_id() == "0d2f8a-1"


def test_the_last_change_gives_the_time_where_the_file_and_the_copies_are_gone(
    state: StateFolder,
) -> None:
    clock = FakeClock(NOW)
    Store(state, clock).change("exception", an_exception(), author="lan", reason="bài học")
    assert known_time.last_change(state) == NOW
    for copy in state.overrides_copies:
        copy.unlink()
    assert known_time.last_change(state) == 0.0
    known = known_time.read(state)
    assert (known.floor(()), known.certain()) == (NOW, RELEASED_AT)


def test_without_a_daemon_the_clock_is_believed_where_none_ever_kept_a_time(
    state: StateFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known_time, "boot_id", lambda: "a")
    assert known_time.without_daemon(state, FakeClock(NOW)) == (NOW, Certainty())
    known_time.FORMAT.save(state.clock, KnownTime(NOW, not_before=NOW - 9))
    certain = Certainty(NOW - 9)
    assert known_time.without_daemon(state, FakeClock(NOW)) == (NOW + UNCONFIRMED_S, certain)
    assert known_time.without_daemon(state, FakeClock(NOW - 1)) == (UNKNOWN_LEAD_S, certain)
    assert known_time.without_daemon(state, FakeClock(LATEST)) == (UNKNOWN_LEAD_S, certain)
    clock = FakeClock(NOW + 77)
    lead = Lead("a", NOW - clock.monotonic(), is_confirmed=True)
    known_time.FORMAT.save(state.clock, KnownTime(NOW, lead=lead, not_before=NOW - 9))
    assert known_time.without_daemon(state, clock) == (NOW, certain)


@pytest.mark.parametrize(("content", "is_own"), [(b"1\n", True), (b"0\n", False), (None, False)])
def test_a_clock_of_the_hardware_is_known_by_what_it_has_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None, is_own: bool
) -> None:
    monkeypatch.setattr(known_time, "_CLOCKS_OF_MACHINE", tmp_path / "rtc")
    if content is not None:
        (tmp_path / "rtc" / "rtc0").mkdir(parents=True)
        (tmp_path / "rtc" / "rtc0" / "hctosys").write_bytes(content)
    assert known_time.has_own_clock() is is_own
    assert known_time.may_stand_still(NOW + 60, NOW) is not is_own
    assert not known_time.may_stand_still(NOW + known_time.STOOD_STILL_S, NOW)


def test_the_certain_time_is_no_later_than_what_was_kept() -> None:
    assert KnownTime().certain() == RELEASED_AT
    assert KnownTime(NOW).certain() == NOW, "of the release before"
    assert KnownTime(NOW, not_before=NOW - 5).certain() == NOW - 5
    assert KnownTime(NOW, not_before=LATEST).certain() == RELEASED_AT
    assert KnownTime(NOW + 100, not_before=NOW).dropped(NOW - 7, NOW + 100).certain() == NOW - 7
