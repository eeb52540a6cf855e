# SPDX-License-Identifier: Apache-2.0
"""Power goes in the middle of an installation, an upgrade, a return, a build, a backup.

After each cut the machine boots, answers and blocks, and the next installation completes.
``FILTERD_POWER_CUTS`` is the number of cuts of each kind; their moments are drawn anew each time,
and named by a failure.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import subprocess
from typing import TYPE_CHECKING, NamedTuple

import pytest

from filterd.base.clock import SystemClock
from filterd.version import __version__
from tests.support.booted import booted
from tests.support.debian_root import image_of
from tests.support.gateway import Gateway, gateway
from tests.support.installed_school import FOR_STAFF, LOCKED, OFFICE_BOX, InstalledSchool
from tests.support.namespaces import namespaces
from tests.support.packages import NEXT, package

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("needs_root", "needs_loop_devices")]

CUTS = int(os.environ.get("FILTERD_POWER_CUTS", "1"))
SUITE = "trixie"
_CLOCK = SystemClock()
INSTALL = ("apt-get", "install", "--yes", "--quiet", "/root/filterd.deb")


class Disks(NamedTuple):
    """Images of a machine without filterd, with one release in a school, and with two."""

    around: Gateway
    folder: Path
    bare: Path
    one: Path
    two: Path


@pytest.fixture(scope="module")
def disks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Disks]:
    folder = tmp_path_factory.mktemp("disks")
    bare, one, two = (folder / name for name in ("bare", "one", "two"))
    image_of(SUITE, bare)
    with gateway(folder, upstream_port=53) as around:
        made = Disks(around, folder, bare, one, two)
        with _machine(made, made.bare, one) as school:
            school.install(package(SUITE, version=__version__))
            school.set_up()
            assert school.blocks(around.pupil, LOCKED)
        with _machine(made, one, two) as school:
            school.install(package(SUITE, version=NEXT))
        yield made


@contextlib.contextmanager
def _machine(disks: Disks, source: Path, image: Path) -> Iterator[InstalledSchool]:
    """Boot a machine with a copy of a disk."""
    subprocess.run(["cp", "--sparse=always", str(source), str(image)], check=True)
    folder = disks.folder / f"{image.name}-machine"
    with booted(SUITE, folder, disks.around.gateway.name, image) as box:
        yield InstalledSchool(box, disks.around)
    shutil.rmtree(folder)


def test_a_cut_loses_what_was_not_synced(tmp_path: Path) -> None:
    image = image_of(SUITE, tmp_path / "image")
    with namespaces("box") as (alone,), booted(SUITE, tmp_path / "box", alone.name, image) as box:
        box.run("sh", "-c", "echo 1 >/root/synced; sync; echo 2 >/root/lost")
        box.cut_power()
        box.start()
        assert box.run("sh", "-c", "cd /root; cat synced lost", check=False).out == "1\n"


# What is done, with which disk and package, and about how long it takes beside other tests.
WORK = {
    "install": ("bare", __version__, INSTALL, 25.0),
    "upgrade": ("one", NEXT, INSTALL, 25.0),
    "return": ("two", "", ("filterd", "release", "rollback"), 3.0),
    "lists": ("one", "", ("filterd", "lists", "build"), 4.0),
    "backup": ("one", "", ("filterd", "backup", "/root/backup.zip"), 3.0),
}


@pytest.mark.parametrize("number", range(CUTS))
@pytest.mark.parametrize("work", WORK)
def test_after_a_power_cut_the_machine_filters(disks: Disks, work: str, number: int) -> None:
    disk, version, words, lasts_s = WORK[work]
    cut_after_s = random.uniform(0, lasts_s)
    what = f"{work} {number}, cut after {cut_after_s:.2f} s"
    image = disks.folder / "cut"
    with _machine(disks, getattr(disks, disk), image) as school:
        if version:
            school.box.give(package(SUITE, version=version), "/root/filterd.deb")
            school.box.run("sync")
        process = subprocess.Popen(school.box.words(*words), stdout=-3, stderr=-3, stdin=-3)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(cut_after_s)
        school.box.cut_power()
        process.wait()
        school.box.start()
        if disk != "bare":
            _expect_filtering(school, what)
        school.box.run("dpkg", "--configure", "--pending", within_s=300)
        if version:
            school.box.run(*INSTALL, within_s=300)
        _expect_filtering(school, what)
        if disk == "bare":
            return
        assert not school.blocks(school.around.office, FOR_STAFF, OFFICE_BOX), what
        failed = school.box.run("systemctl", "--failed", "--plain", "--no-legend").out
        assert not failed, f"{what}: {failed}"


def _expect_filtering(school: InstalledSchool, what: str) -> None:
    begun = _CLOCK.monotonic()
    try:
        school.wait_for_answers()
        assert school.blocks(school.around.pupil, LOCKED)
    except AssertionError as error:
        lasted_s = _CLOCK.monotonic() - begun
        raise AssertionError(f"{what}: {error} for {lasted_s:.0f} s\n{school.journal()}") from error
