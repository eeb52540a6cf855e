# SPDX-License-Identifier: Apache-2.0
"""Dated backups: the new one first, then the oldest go, and never the last good one."""

from __future__ import annotations

import errno
from dataclasses import replace
from pathlib import Path

import pytest

from filterd.appliance import backup_file
from filterd.appliance.backup_file import Backup
from filterd.appliance.backup_folder import check_other_disk, is_on_disk_of, keep, name_of
from filterd.errors import ConfigError, StoreError
from filterd.i18n import say

DAY_S = 86_400.0
BACKUP = Backup(1_700_000_000.0, "ab cd", "Mẫu", {"site/site.yaml": b"x"})


def nights(folder: Path, first: int, last: int, most: int = 3) -> list[str]:
    for night in range(first, last + 1):
        keep(folder, replace(BACKUP, made_at=BACKUP.made_at + night * DAY_S), most)
    return sorted(path.name for path in folder.iterdir())


def test_the_oldest_go_and_those_of_other_boxes_stay(tmp_path: Path) -> None:
    other = keep(tmp_path, replace(BACKUP, device="ef"), 3).path
    there = nights(tmp_path, 1, 5)
    assert len(there) == 4
    assert other.name in there
    assert name_of(replace(BACKUP, made_at=BACKUP.made_at + DAY_S)) not in there


def test_damaged_ones_do_not_count_as_kept(tmp_path: Path) -> None:
    nights(tmp_path, 1, 3)
    good = tmp_path / name_of(replace(BACKUP, made_at=BACKUP.made_at + DAY_S))
    for night in (2, 3):
        path = tmp_path / name_of(replace(BACKUP, made_at=BACKUP.made_at + night * DAY_S))
        path.write_bytes(path.read_bytes()[:-9])
    nights(tmp_path, 4, 5)
    assert good.exists()


def test_a_failure_leaves_all_that_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = nights(tmp_path, 1, 3)

    def fail(*_: object) -> int:
        raise StoreError(say("no"))

    monkeypatch.setattr(backup_file, "write", fail)
    with pytest.raises(StoreError):
        nights(tmp_path, 4, 4)
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_what_a_pulled_stick_left_is_removed_by_the_next_night(tmp_path: Path) -> None:
    own, other = (
        tmp_path / f".{name_of(replace(BACKUP, device=one))}.77.tmp"
        for one in (BACKUP.device, "of another box, which is at work")
    )
    for left in (own, other):
        left.write_bytes(b"half")
    nights(tmp_path, 1, 1)
    assert (own.exists(), other.exists()) == (False, True)


@pytest.mark.parametrize("call", ["is_dir", "glob"])
def test_a_stick_that_is_pulled_out_is_an_error_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def gone(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(type(tmp_path), call, gone)
    with pytest.raises(StoreError, match="cannot be written"):
        keep(tmp_path, BACKUP, 3)


def test_no_folder_is_made_where_the_stick_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no folder"):
        keep(tmp_path / "usb", BACKUP, 3)
    assert not (tmp_path / "usb").exists()


def test_a_folder_on_the_disk_of_the_gateway_is_none(tmp_path: Path) -> None:
    assert is_on_disk_of(tmp_path, tmp_path)
    assert not is_on_disk_of(tmp_path / "x", tmp_path)
    with pytest.raises(StoreError, match="same disk"):
        check_other_disk(tmp_path, tmp_path)
    assert is_on_disk_of(Path("/usr"), Path("/proc"))  # a state folder on a disk of its own
