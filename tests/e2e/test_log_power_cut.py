# SPDX-License-Identifier: Apache-2.0
"""The power is cut while a day file is written, and written anew to forget names.

After each cut the file is sound, a batch is there whole or not at all, what was forgotten is
in no octet of the folder, and what was there at a forgetting is still there.
"""

from __future__ import annotations

import contextlib
import os
import random
import sqlite3
import time
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

import pytest

from filterd.querylog import day_erasure
from filterd.querylog.day_schema import subtree
from filterd.wire import name as names
from tests.support.day_lookups import a_batch, a_lookup, begin_of, select, with_files
from tests.support.power_cut import CARELESS_MOUNT, an_image, folder_of_images, mounted, writing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from filterd.querylog.day_file import DayFiles

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("needs_root", "needs_loop_devices")]

CUTS = int(os.environ.get("FILTERD_LOG_CUTS", "12"))
_MOST_CONTROLS = 40
_ROWS, _LEFT = 30, 3
DAY = "2026-11-28"
NINE = begin_of(date(2026, 11, 28)) + 9 * 3600


class Progress(NamedTuple):
    """The writer's report: the batch up to which all is forgotten, and the last one then."""

    forgotten: int
    last: int


@pytest.fixture
def folder() -> Iterator[Path]:
    with folder_of_images() as made:
        yield made


class Writer:
    """Writes a batch and forgets an earlier one, again and again."""

    def __init__(self, at: Path, note: Path) -> None:
        self._folder, self._note, self._number = at / "log", note, 0

    def __call__(self) -> None:
        self._number += 1
        with_files(self._folder, self._write_and_forget)
        new = self._note.with_suffix(".new")
        new.write_text(f"{self._number - _LEFT} {self._number}", encoding="ascii")
        new.replace(self._note)

    async def _write_and_forget(self, files: DayFiles) -> None:
        number = self._number
        lookups = (a_lookup(NINE + number, f"{n}.batch-{number}.example") for n in range(_ROWS))
        await files.write([a_batch(number, *lookups)])
        gone = subtree(names.from_text(f"batch-{number - _LEFT}.example"))
        await files.forget_names(gone)


def check(at: Path, progress: Progress) -> None:
    """See what a cut has left."""
    path = at / "log" / f"{DAY}.sqlite3"
    octets = b"\0".join(one.read_bytes() for one in path.parent.iterdir())
    for number in range(max(1, progress.forgotten - 20), progress.forgotten + 1):
        assert b"batch-%d." % number not in octets
    assert select(path, "PRAGMA integrity_check") == [("ok",)]
    rows = select(path, "SELECT (at >> 20) - 9 * 3600, COUNT(*) FROM lookups GROUP BY 1")
    assert {n for _, n in rows} <= {_ROWS}
    # The writer may have gone on for one batch before it was stopped.
    assert {number for number, _ in rows} >= set(range(progress.forgotten + 2, progress.last + 1))


@contextlib.contextmanager
def cutting(folder: Path, *options: str) -> Iterator[Callable[[], None]]:
    """Have a day file written; yield what cuts the power once, and looks."""
    note, image, dice = folder / "note", an_image(folder / "disk.img"), random.Random(1)

    def read() -> Progress:
        return Progress(*map(int, note.read_text(encoding="ascii").split()))

    with (
        mounted(image, folder / "disk", *options) as at,
        writing(at, Writer(at, note)) as writers,
    ):
        while not note.exists() or read().forgotten < 1:
            time.sleep(0.01)

        def cut() -> None:
            time.sleep(dice.uniform(0, 0.2))
            known = writers.cut(image, folder / "copy.img", read)
            with mounted(folder / "copy.img", folder / "copy", *options) as copied:
                check(copied, known)

        yield cut


def cut_often(folder: Path, times: int, *options: str) -> None:
    with cutting(folder, *options) as cut:
        for _ in range(times):
            cut()


@pytest.mark.parametrize("options", [(), (CARELESS_MOUNT,)])
def test_after_a_power_cut_the_day_is_sound_and_what_was_forgotten_is_gone(
    folder: Path, options: tuple[str, ...]
) -> None:
    cut_often(folder, CUTS // 2, *options)


def test_control_without_syncing_the_new_file_the_day_is_lost(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(day_erasure, "os", _Careless)
    with pytest.raises((AssertionError, OSError, sqlite3.Error)):
        cut_often(folder, _MOST_CONTROLS, CARELESS_MOUNT)


class _Careless:
    getpid = staticmethod(os.getpid)

    @staticmethod
    def fsync(_descriptor: int) -> None:
        """Return at once."""
