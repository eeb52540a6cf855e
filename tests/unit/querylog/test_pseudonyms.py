# SPDX-License-Identifier: Apache-2.0
"""A pseudonym is the same all day in every process, and nothing leads to it afterwards."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filterd.policy.model import Client
from filterd.querylog.lookups import BY_IPV4, BY_IPV6
from filterd.querylog.pseudonyms import Pseudonyms
from tests.support.policies import NOW, a_grade

if TYPE_CHECKING:
    from pathlib import Path

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
DAY_S = 86_400
MAC = "02:00:00:00:00:01"
_NO_KEY = b"2025-12-01 " + b"z" * 32 + b"\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log-key"


def test_all_processes_give_a_device_one_pseudonym_for_a_day(path: Path) -> None:
    worker, other = Pseudonyms(path, ZONE), Pseudonyms(path, ZONE)
    assert worker.of(MAC, NOW) == other.of(MAC, NOW + 60) == Pseudonyms(path, ZONE).of(MAC, NOW)
    assert worker.of(MAC, NOW) != worker.of("02:00:00:00:00:02", NOW)
    assert path.stat().st_mode & 0o777 == 0o600


@given(st.lists(st.text(min_size=1, max_size=40), min_size=1, max_size=20, unique=True))
def test_two_days_never_give_the_same_one(
    tmp_path_factory: pytest.TempPathFactory, devices: list[str]
) -> None:
    pseudonyms = Pseudonyms(tmp_path_factory.mktemp("run") / "log-key", ZONE)
    days = [[pseudonyms.of(device, NOW + day * DAY_S) for device in devices] for day in range(3)]
    given_out = [one for day in days for one in day]
    assert len(set(given_out)) == len(given_out)
    assert all(0 < one < 2**31 for one in given_out)


@pytest.mark.parametrize("by_lookup", [True, False])
def test_after_midnight_the_old_key_is_gone_from_the_disk(path: Path, by_lookup: bool) -> None:
    pseudonyms = Pseudonyms(path, ZONE)
    yesterday = pseudonyms.of(MAC, NOW)
    _, old_key = path.read_bytes().split()
    if by_lookup:
        pseudonyms.of(MAC, NOW + DAY_S)
    else:
        pseudonyms.end_yesterday(NOW + DAY_S)
    assert [one.name for one in path.parent.iterdir()] == ["log-key"]
    assert old_key not in path.read_bytes()
    assert pseudonyms.of(MAC, NOW) != yesterday, "also by a clock that is set back"


def test_no_key_is_made_where_nothing_is_recorded(path: Path) -> None:
    Pseudonyms(path, ZONE).end_yesterday(NOW)
    assert not path.exists()


def test_a_device_has_its_mac_before_its_address(path: Path) -> None:
    pseudonyms = Pseudonyms(path, ZONE)
    with_mac = Client(a_grade("6"), None, "192.0.2.7", MAC)
    assert pseudonyms.of_client(with_mac, NOW) == pseudonyms.of(MAC, NOW)
    assert pseudonyms.of_client(Client(a_grade("6")), NOW) == 0, "a question about no device"


def test_a_pseudonym_shows_by_what_it_is_made(path: Path) -> None:
    pseudonyms = Pseudonyms(path, ZONE)
    assert all(0 < pseudonyms.of(f"02:00:00:00:00:{n:02x}", NOW) < BY_IPV4 for n in range(99))
    assert all(BY_IPV4 <= pseudonyms.of(f"192.0.2.{n}", NOW) < BY_IPV6 for n in range(99))
    assert all(BY_IPV6 <= pseudonyms.of(f"2001:db8:10::{n}:1", NOW) < 2**31 for n in range(10, 99))


@pytest.mark.parametrize(
    "content", [b"", b"\xff" * 60, b"2025-12-01 12\n", b"2025-12-01 " + b"z" * 32 + b"\n"]
)
def test_a_damaged_file_gives_way_to_a_new_key(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    assert Pseudonyms(path, ZONE).of(MAC, NOW) == Pseudonyms(path, ZONE).of(MAC, NOW) != 0


def test_another_zone_has_another_day(path: Path) -> None:
    pseudonyms = Pseudonyms(path, ZONE)
    before = pseudonyms.of(MAC, NOW)
    pseudonyms.zone = ZoneInfo("Etc/GMT+12")  # yesterday there
    assert pseudonyms.of(MAC, NOW) != before


def test_without_a_key_there_is_no_pseudonym_and_no_wait(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pseudonyms = Pseudonyms(path, ZONE)
    os.mkfifo(path)
    assert [pseudonyms.of(MAC, NOW) for _ in range(3)] == [0, 0, 0]
    assert len(caplog.messages) == 1
    path.unlink()
    path.symlink_to(path.with_name("elsewhere"))
    assert pseudonyms.of(MAC, NOW) == 0
    path.unlink()
    with path.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert pseudonyms.of(MAC, NOW) == 0
    assert pseudonyms.of(MAC, NOW) != 0


def test_a_key_is_read_while_another_process_has_the_lock(path: Path) -> None:
    pseudonym = Pseudonyms(path, ZONE).of(MAC, NOW)
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert Pseudonyms(path, ZONE).of(MAC, NOW) == pseudonym


def test_a_key_that_is_being_written_is_awaited(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class _Busy:
        LOCK_EX, LOCK_NB = fcntl.LOCK_EX, fcntl.LOCK_NB

        @staticmethod
        def flock(*_: object) -> None:
            with monkeypatch.context() as undone:
                undone.setattr("filterd.querylog.pseudonyms.fcntl", fcntl)
                written.append(Pseudonyms(path, ZONE).of(MAC, NOW))
            raise BlockingIOError

    written = list[int]()
    monkeypatch.setattr("filterd.querylog.pseudonyms.fcntl", _Busy)
    assert [Pseudonyms(path, ZONE).of(MAC, NOW)] == written


@pytest.mark.parametrize("days", [1, 400])
def test_a_day_that_the_clock_is_set_back_to_gets_no_second_key(path: Path, days: int) -> None:
    worker, other = Pseudonyms(path, ZONE), Pseudonyms(path, ZONE)
    first = worker.of(MAC, NOW)
    ahead = other.of(MAC, NOW + days * DAY_S)
    assert other.of(MAC, NOW) == Pseudonyms(path, ZONE).of(MAC, NOW) == 0
    assert worker.of(MAC, NOW) == first, "it has not noticed"
    worker.end_yesterday(NOW)
    assert worker.of(MAC, NOW) == 0
    tomorrow = worker.of(MAC, NOW + DAY_S)
    assert tomorrow != 0
    assert (tomorrow == ahead) is (days == 1)
    assert other.of(MAC, NOW + DAY_S) == tomorrow
