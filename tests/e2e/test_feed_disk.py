# SPDX-License-Identifier: Apache-2.0
"""The feed on disks that are full, failing, read-only or have lost some octets.

The invariant: a run that cannot go on reports it in one line; a start serves the old
version or the new one and blocks every must-block name; and once the disk works again the
next honest run leads to the published version.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from functools import partial
from typing import TYPE_CHECKING

import pytest

from filterd.base.state_folder import SHIPPED
from filterd.daemon.manager.site_policy import compile_policy_or_keep
from filterd.feed.activation import Activator
from filterd.lists.index_files import version_of
from filterd.policy import policy_file
from tests.support.commands import ROOT, environment
from tests.support.failing_disk import FAULTS, FailingDisk, Fault
from tests.support.feed_site import (
    FIRST,
    SECOND,
    THIRD,
    Follower,
    Published,
    judged_at_once,
    refused_or,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

FAILURES = int(os.environ.get("FILTERD_FEED_FAULTS", "12"))
"""Calls of each scene that fail, evenly over all there are; 1000 are more than there are."""
FLIPS = int(os.environ.get("FILTERD_FEED_FLIPS", "60"))
"""Octets that are lost, each in one file."""

NOTHING = SHIPPED
SCENES: dict[str, tuple[str, str, str, Callable[[Follower], object]]] = {
    "the first version": (NOTHING, FIRST, FIRST, lambda site: site.run(FIRST)),
    "the next version": (FIRST, SECOND, SECOND, lambda site: site.run(SECOND)),
    "the way back": (SECOND, FIRST, THIRD, lambda site: site.leave(SECOND)),
    "back to what ships": (FIRST, NOTHING, THIRD, lambda site: site.leave(FIRST)),
}
"""From which version, to which, what is published in the end, and what is done."""


pytestmark = [pytest.mark.usefixtures("no_waiting_for_the_disk"), pytest.mark.long]


@pytest.fixture(scope="module")
def published(folder: Path) -> Iterator[Published]:
    made = Published(folder / "small")
    with judged_at_once(made):
        yield made


@pytest.fixture(scope="module")
def starts(folder: Path, published: Published) -> dict[str, Path]:
    """A site as it is with each version in force."""
    site = Follower(folder / "being made", published)
    site.found()
    made = {}
    for version in (NOTHING, FIRST, SECOND):
        if version != NOTHING:
            site.run(version)
        made[version] = folder / version
        site.copy_to(made[version])
    return made


@pytest.fixture(scope="module")
def site(folder: Path, published: Published) -> Follower:
    return Follower(folder / "site", published)


@pytest.fixture(scope="module")
def disk(site: Follower) -> FailingDisk:
    return FailingDisk(site.state.folder)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
@pytest.mark.parametrize("scene", SCENES)
def test_whatever_call_fails_it_is_the_old_version_or_the_new_one(
    site: Follower, starts: dict[str, Path], disk: FailingDisk, scene: str, fault: Fault
) -> None:
    before, after, published, work = SCENES[scene]
    # What cannot be read is no way back; what ships always is one.
    allowed = {before, after} | ({NOTHING} if "read" in fault.calls else set())
    site.restore_from(starts[before])
    with disk.counting(fault):
        work(site)
    calls, refused = disk.calls, 0
    for at in range(0, calls, -(-calls // FAILURES)):
        site.restore_from(starts[before])
        trusted = site.metadata_versions()
        with disk.failing(fault, at):
            refused += bool(refused_or(partial(work, site)))
            if fault.for_good:
                site.check_served(*allowed)
        served = site.check_served(*allowed)
        site.recover()
        now = site.check_consistent(*allowed)
        assert now != before or served == before, "it went back again"
        site.check_taken(published)
        kept = site.metadata_versions()
        assert all(kept[role] >= trusted[role] for role in kept)
    assert refused > 1


def _in_place(temporary: Path, path: Path) -> None:
    path.write_bytes(b"")
    path.write_bytes(temporary.read_bytes())
    temporary.unlink()


def test_control_an_index_that_is_written_in_place_is_found_out(
    site: Follower,
    starts: dict[str, Path],
    disk: FailingDisk,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    full = FAULTS[0]
    site.restore_from(starts[FIRST])
    with disk.counting(full):
        site.run(SECOND)
    monkeypatch.setattr("filterd.lists.index_files.install", _in_place)
    at, wrong = disk.calls - 1, False
    while at >= 0 and not wrong:
        site.restore_from(starts[FIRST])
        with disk.failing(full, at):
            refused_or(partial(site.run, SECOND))
        at, wrong = at - 1, version_of(site.state.index) not in (FIRST, SECOND)
    assert wrong


ON_A_SMALL_DISK = """
import pathlib, shutil, subprocess, sys
from filterd.feed.signed import version_download
from filterd.base.state_folder import StateFolder
from tests.support.feed_site import *

disk, work = map(pathlib.Path, sys.argv[1:])
published = Published(work / "published")
with judged_at_once(published):
    site = Follower(disk / "site", published)
    site.found()
    small = refused_or(lambda: site.run(FIRST))
    assert site.check_consistent(SHIPPED) == SHIPPED
    # Others fill it while a version is taken.
    version_download.SPARE_OCTETS = -version_download._TIMES_NEEDED * 10**6
    site.run(FIRST)
    site.copy_to(work / "kept")
    ballast, full = disk / "ballast", ""
    for free in range(0, 300_000, 12_000):
        ballast.write_bytes(bytes(max(shutil.disk_usage(disk).free - free, 0)))
        refused = refused_or(lambda: site.run(SECOND))
        site.check_served(FIRST, SECOND)
        full = full or refused
        ballast.unlink()
        site.recover()
        site.check_consistent(FIRST, SECOND)
        site.check_taken(SECOND)
        site.restore_from(work / "kept")
    subprocess.run(["mount", "-o", "remount,bind,ro", disk], check=True)
    only_read = refused_or(lambda: site.run(SECOND))
    assert site.check_served(FIRST) == FIRST
    subprocess.run(["mount", "-o", "remount,bind,rw", disk], check=True)
    site.check_taken(SECOND)
print(small, full, only_read, sep="\\n")
"""


@pytest.mark.usefixtures("needs_namespaces")
def test_on_a_real_disk_that_is_full_or_only_to_read_it_is_the_same(
    folder: Path, tmp_path: Path
) -> None:
    disk, work = tmp_path / "disk", folder / "of the real disk"
    disk.mkdir()
    work.mkdir()
    mounting = 'mount -t tmpfs -o size=2000k tmpfs "$1" && exec "$3" -c "$4" "$1" "$2"'
    command = ["unshare", "-rm", "sh", "-c", mounting, "sh", disk, work, sys.executable]
    done = subprocess.run(
        [*map(str, command), ON_A_SMALL_DISK],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    small, full, only_read = done.stdout.splitlines()
    assert "make room; the last good version stays" in small
    assert "No space left" in full
    assert "Read-only" in only_read


def _flip(content: bytes, dice: random.Random) -> bytes:
    spoilt = bytearray(content)
    spoilt[dice.randrange(len(spoilt))] ^= 1 << dice.randrange(8)
    return bytes(spoilt)


def _cut(content: bytes, dice: random.Random) -> bytes:
    return content[: dice.randrange(len(content))]


def _zeros(content: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(content))
    return content[:at] + bytes(len(content) - at)


def _nothing(_content: bytes, _dice: random.Random) -> bytes:
    return b""


DAMAGES = {"flipped": _flip, "cut short": _cut, "zeros": _zeros, "emptied": _nothing}


def _spoil(path: Path, content: bytes) -> None:
    """Change octets where they are, as a card does: under every name that they have."""
    with path.open("r+b") as file:
        file.truncate(len(content))
        file.write(content)


def _files(site: Follower) -> list[Path]:
    """Return all files of the feed and the compiled lists, one of each content."""
    files = [*site.state.feed.rglob("*"), site.state.index, site.state.previous_index]
    found = [file for file in files if file.is_file() and file.stat().st_size]
    return sorted({one.stat().st_ino: one for one in found}.values())


@pytest.mark.parametrize("table", ["categories.yaml", "catalog.yaml", "manifest.json"])
@pytest.mark.parametrize("policy", ["the last one stays", "there is none"])
def test_a_start_opens_nothing_by_a_table_that_lost_an_octet(
    site: Follower, starts: dict[str, Path], table: str, policy: str
) -> None:
    """``min_age: 16`` and ``min_age: 06`` are a few bits from one another."""
    site.restore_from(starts[SECOND])
    path = site.state.feed_version(SECOND) / table
    changed = {
        "categories.yaml": path.read_bytes().replace(b"min_age: 16", b"min_age: 06", 1),
        "catalog.yaml": path.read_bytes().replace(b"gambling", b"games   ", 1),
        "manifest.json": bytes(100),
    }
    _spoil(path, changed[table])
    if policy == "there is none":
        site.state.policy.unlink()
    compile_policy_or_keep(site.config, site.state, now=site.clock.wall())
    site.check_served(SECOND)
    assert policy_file.load(site.state.policy).categories["social-media"].min_age == 16
    site.check_taken(SECOND)
    site.check_taken(THIRD)


@pytest.mark.parametrize("damage", DAMAGES)
def test_whatever_is_damaged_a_version_serves_and_the_next_run_mends_it(
    site: Follower, starts: dict[str, Path], damage: str
) -> None:
    dice = random.Random(damage)
    site.restore_from(starts[SECOND])
    files = _files(site)
    for number in range(max(FLIPS if damage == "flipped" else FLIPS // 10, len(files))):
        site.restore_from(starts[SECOND])
        path = files[number % len(files)]
        _spoil(path, DAMAGES[damage](path.read_bytes(), dice))
        site.check_served(FIRST, SECOND)
        site.run(SECOND)
        assert site.check_consistent(SECOND) == SECOND, path
        site.check_taken(THIRD)


def test_control_a_run_that_trusts_the_header_of_an_index_mends_nothing(
    site: Follower, starts: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        Activator, "is_served", lambda self, version: version_of(self._state.index) == version
    )
    site.restore_from(starts[SECOND])
    octets = bytearray(site.state.index.read_bytes())
    octets[-100] ^= 1
    _spoil(site.state.index, bytes(octets))
    site.run(SECOND)
    assert site.check_served(FIRST, SECOND) == FIRST
