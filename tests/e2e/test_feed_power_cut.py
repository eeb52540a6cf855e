# SPDX-License-Identifier: Apache-2.0
"""The power is cut while versions of the feed are activated, one after the other.

After each cut a start serves a whole version, not older than the last one that a run
reported, and blocks every must-block name; the next run completes or undoes the
unfinished work, and the next version arrives. Kills cannot show this, because the page
cache survives them. Writers that do not sync are found out.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import time
from typing import TYPE_CHECKING, NamedTuple

import pytest

from filterd.base.state_folder import SHIPPED
from filterd.feed.signed import version_download
from tests.support.feed_site import FIRST, Follower, Published, judged_at_once
from tests.support.power_cut import CARELESS_MOUNT, an_image, folder_of_images, mounted, writing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("needs_root", "needs_loop_devices")]

CUTS = int(os.environ.get("FILTERD_FEED_CUTS", "12"))
_LONGEST_S = 0.4
_MOST_CONTROLS = 40
NOTHING = 0


class Progress(NamedTuple):
    """The writer's report: the number of its site, and the version after a run."""

    round: int
    version: int


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with folder_of_images() as made:
        yield made


@pytest.fixture(scope="module")
def published(folder: Path) -> Iterator[Published]:
    made = Published(folder / "published", count=25)
    with pytest.MonkeyPatch.context() as patch, judged_at_once(made):
        patch.setattr(version_download, "SPARE_OCTETS", 0)  # the disk is smaller than that
        yield made


class Disk:
    """A disk on which one site after the other takes all versions, and its reports."""

    def __init__(self, folder: Path, published: Published, *options: str) -> None:
        self._folder, self._published, self._options = folder, published, options
        self._note, self._template = folder / "note", Follower(folder / "template", published)
        self._template.found()
        self._image, self._copy = an_image(folder / "disk.img"), folder / "copy.img"
        self._dice, self._round = random.Random(1), 0

    @contextlib.contextmanager
    def being_written(self) -> Iterator[Callable[[], None]]:
        """Have versions come in force; yield what cuts the power once, and looks."""
        with (
            mounted(self._image, self._folder / "disk", *self._options) as at,
            writing(at, lambda: self._write(at)) as writers,
        ):
            while not self._note.exists():
                time.sleep(0.01)

            def cut() -> None:
                time.sleep(self._dice.uniform(0, _LONGEST_S))
                progress = writers.cut(self._image, self._copy, self._read)
                with mounted(self._copy, self._folder / "copy", *self._options) as copied:
                    self._check(copied, progress)

            yield cut

    def _write(self, at: Path) -> None:
        """Take one version after the other, on a new site; the one before the last goes."""
        shutil.rmtree(at / str(self._round - 1), ignore_errors=True)
        self._round += 1
        site = Follower(at / str(self._round), self._published)
        self._template.copy_to(site.folder)
        os.sync()
        for version in (SHIPPED, *self._published.versions):
            if version != SHIPPED:
                site.run(version)
            # Beside the disk, and reported only when all is done.
            new = self._note.with_suffix(".new")
            new.write_text(f"{self._round} {version}", encoding="ascii")
            new.replace(self._note)

    def _read(self) -> Progress:
        return Progress(*map(int, self._note.read_text(encoding="ascii").split()))

    def _check(self, at: Path, progress: Progress) -> None:
        site = Follower(at / str(progress.round), self._published)
        following = int(FIRST) if progress.version == NOTHING else progress.version + 1
        either = str(progress.version), str(following)
        served = int(site.check_served(*either))
        site.recover()
        assert int(site.check_consistent(*either)) >= served
        site.check_taken(str(min(following + 1, int(self._published.versions[-1]))))


def test_after_a_power_cut_it_is_the_old_version_or_the_new_one(
    folder: Path, published: Published
) -> None:
    (folder / "careful").mkdir()
    with Disk(folder / "careful", published).being_written() as cut:
        for _ in range(CUTS // 2):
            cut()
    (folder / "without help").mkdir()
    with Disk(folder / "without help", published, CARELESS_MOUNT).being_written() as cut:
        for _ in range(CUTS - CUTS // 2):
            cut()


def _in_place(temporary: Path, path: Path) -> None:
    """Do what looks the same while the power lasts."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(temporary.read_bytes())
    temporary.unlink()


def _cut_often(cut: Callable[[], None]) -> None:
    for _ in range(_MOST_CONTROLS):
        cut()


@pytest.mark.parametrize("careless", ["nothing is synced", "files are written in place"])
def test_control_careless_writers_lose_what_they_have_reported(
    folder: Path, published: Published, monkeypatch: pytest.MonkeyPatch, careless: str
) -> None:
    (folder / careless).mkdir()
    disk = Disk(folder / careless, published, CARELESS_MOUNT)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        if careless == "files are written in place":
            patch.setattr("filterd.lists.index_files.install", _in_place)
        written = disk.being_written()
        cut = written.__enter__()
    try:
        with pytest.raises(AssertionError, match="is served, and not one of"):
            _cut_often(cut)
    finally:
        written.__exit__(None, None, None)
