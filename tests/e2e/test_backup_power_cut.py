# SPDX-License-Identifier: Apache-2.0
"""A stick is pulled out or full, and the power is cut, while backups and restores are made.

The page cache is lost with the power: ``power_cut`` copies the disk as it is.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from filterd.appliance.backup import backup_file, restore_journal
from filterd.appliance.backup.backup_file import Backup, read
from filterd.base import paths
from filterd.base.errors import FilterdError
from tests.support.backed_up_school import BackedUpSchool
from tests.support.power_cut import CARELESS_MOUNT, an_image, folder_of_images, mounted, writing
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("needs_root", "needs_loop_devices")]

CUTS = int(os.environ.get("FILTERD_BACKUP_CUTS", "8"))
_LONGEST_S = 0.2
DAY_S = 86_400.0


@pytest.fixture
def folder() -> Iterator[Path]:
    with folder_of_images() as made:
        yield made


def a_backup(night: int, octets: int = 50_000) -> Backup:
    noise = random.Random(night).randbytes(octets)
    return Backup(1_700_000_000.0 + night * DAY_S, "ab", "Mẫu", {"history.jsonl": noise})


def sound(stick: Path) -> list[str]:
    return [path.name for path in sorted(stick.glob("filterd-*.zip")) if read(path)]


def test_a_stick_that_is_full_or_pulled_out_leaves_the_backup_before(folder: Path) -> None:
    image = an_image(folder / "stick.img")
    at = folder / "stick"
    with mounted(image, at):
        first = backup_file.keep(at, a_backup(1), 3).path.name
        with pytest.raises(FilterdError, match=r"MB must be free"):
            backup_file.keep(at, a_backup(2, 40 << 20), 3)
        subprocess.run(["sh", "-c", 'cat /dev/zero >"$0"', at / "ballast"], check=False)
        with pytest.raises(FilterdError):
            backup_file.keep(at, a_backup(2), 3)
        assert sound(at) == [first]
        (at / "ballast").unlink()
        subprocess.run(["umount", "-l", at], check=True)  # pulled out
        with pytest.raises(FilterdError, match="same disk"):
            backup_file.check_other_disk(at, folder)
        subprocess.run(["mount", "-o", "loop", image, at], check=True)
        second = backup_file.keep(at, a_backup(3), 3).path.name
        assert sound(at) == [first, second]


def cut_while(
    folder: Path, work: Callable[[Path], None], check: Callable[[Path], None], cuts: int
) -> None:
    """Cut the power some times while something is done again and again on a disk."""
    image, copy, dice = an_image(folder / "disk.img"), folder / "copy.img", random.Random(1)
    at = folder / "disk"
    with mounted(image, at, CARELESS_MOUNT), writing(at, lambda: work(at)) as writers:
        until((folder / "told").exists, "what is done first")
        for _ in range(cuts):
            time.sleep(dice.uniform(0, _LONGEST_S))
            writers.cut(image, copy, lambda: None)
            with mounted(copy, folder / "seen", CARELESS_MOUNT) as seen:
                check(seen)


def _back_up(at: Path) -> None:
    """Make a backup a night, on a stick that keeps two."""
    stick = at / "usb"
    stick.mkdir(exist_ok=True)
    for night in range(1, 500):
        backup_file.keep(stick, a_backup(night, 5_000), 2)
        (at.parent / "told").write_text(str(night))


def _has_a_sound_one(at: Path) -> None:
    assert sound(at / "usb")


def test_after_a_power_cut_each_backup_is_whole_and_one_is_there(folder: Path) -> None:
    cut_while(folder, _back_up, _has_a_sound_one, CUTS)


class _Boxes:
    """Boxes that are restored one after the other, from one backup."""

    def __init__(self, folder: Path) -> None:
        school = BackedUpSchool(folder / "template")
        school.allow("a.example")
        self._backup = school.back_up()
        school.allow("b.example")
        school.name_device("máy 2")
        with (school.config / "site.yaml").open("a") as file:
            file.write("workers: 2\n")
        self._template, self._folder, self._number = school.folder, folder, 0

    def restore(self, at: Path) -> None:
        self._number += 1
        if (old := at / str(self._number - 3)).exists():  # no box any more before a part of it goes
            shutil.rmtree(old.rename(at / "old"))
        new = at / f"{self._number}.new"
        shutil.copytree(self._template, new)
        os.sync()
        new.rename(at / str(self._number))
        BackedUpSchool.at(at / str(self._number)).restore(self._backup)
        (self._folder / "told").write_text(str(self._number))

    def check(self, at: Path) -> None:
        """Go on with what waits; each box is the old one or the new one, as a whole."""
        for folder in (one for one in at.iterdir() if one.name.isdecimal()):
            box = BackedUpSchool.at(folder)
            if restore_journal.is_waiting(box.config):
                box.carry_out()
            assert box.store.start().problem == ""
            assert box.store.verify().is_sound
            has_workers = "workers" in (box.config / "site.yaml").read_text(encoding="utf-8")
            names = {exception.target for exception in box.overrides.exceptions}
            assert names == ({"a.example", "b.example"} if has_workers else {"a.example"})


def test_after_a_power_cut_a_restore_is_not_begun_or_is_done_to_its_end(folder: Path) -> None:
    boxes = _Boxes(folder)
    cut_while(folder, boxes.restore, boxes.check, CUTS)


def _in_place(temporary: Path, path: Path) -> None:
    """Do what looks the same while the power lasts."""
    with path.open("wb") as file:
        file.write(temporary.read_bytes())
    temporary.unlink()


def test_control_a_backup_that_is_not_synced_is_found_out(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "install", _in_place)
    monkeypatch.setattr(os, "posix_fadvise", lambda *_: None)  # it has the kernel write
    with pytest.raises((AssertionError, FilterdError)):
        cut_while(folder, _back_up, _has_a_sound_one, 40)
