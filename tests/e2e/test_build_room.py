# SPDX-License-Identifier: Apache-2.0
"""``lists build`` on an almost full disk leaves some of it free."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.commands import ROOT, environment
from tests.support.daemon import write_site

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("needs_namespaces")

DISK_OCTETS, NAMES, MISTAKES = 8 << 20, 20_000, 8_000
BUILD = """
import os, pathlib, subprocess, sys
SPOILT
disk, config = map(pathlib.Path, sys.argv[1:])
ballast = disk / "ballast"

def free():
    filesystem = os.statvfs(disk)
    return filesystem.f_bavail * filesystem.f_frsize

def fill(left):
    with ballast.open("ab") as file:
        file.write(bytes(max(0, free() - left)))

def build():
    from filterd.cli.app import main
    sys.argv = ["filterd", "lists", "build", "--quiet", "--no-reload", "--lang", "en",
        "--config", str(config), "--state", str(disk / "s")]
    child = os.fork()
    if not child:
        try:
            main()
        except SystemExit as end:
            os._exit(end.code or 0)
        os._exit(99)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

for left in (5_000_000, 900_000, 300_000):
    fill(left)
    code = build()
    print(code, free(), sorted(one.name for one in (disk / "s").iterdir()))
"""
NO_ROOM_KEPT = (
    "from filterd.lists import packing, compiler; from filterd.feed import index_build;"
    "packing.check_room = compiler.check_room = index_build.check_room = lambda *_: None"
)


def _built(tmp_path: Path, spoilt: str = "") -> list[tuple[int, int, str]]:
    """Return exit code, octets left and what is there, as the disk gets fuller."""
    names = "".join(f"name{number}-{number:x}.example\n" for number in range(NAMES))
    mistakes = "".join(f"no name at all {number}\n" for number in range(MISTAKES))
    lists = "lists: [{id: own, file: own.txt, category: scam}]\n"
    config = write_site(tmp_path / "site", port=5353, more=lists)
    (config / "own.txt").write_text(names + mistakes, encoding="ascii")
    (tmp_path / "disk").mkdir()
    mounting = 'mount -t tmpfs -o size="$4" tmpfs "$1" && exec "$2" -c "$3" "$1" "$5"'
    words = ["unshare", "-rm", "sh", "-c", mounting, "sh", str(tmp_path / "disk"), sys.executable]
    done = subprocess.run(
        [*words, BUILD.replace("SPOILT", spoilt), str(DISK_OCTETS), str(config)],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    split = (line.split(maxsplit=2) for line in done.stdout.splitlines())
    return [(int(code), int(left), there) for code, left, there in split]


def test_a_build_leaves_a_part_of_the_disk_free_or_what_was_in_force(tmp_path: Path) -> None:
    found = _built(tmp_path)
    assert found[0][0] == 0
    assert found[-1][0] == 2
    for _, left, there in found:
        assert "index.filterd" in there
        assert "index.new" not in there
        assert ".tmp" not in there
        assert left >= DISK_OCTETS // 50


def test_control_without_the_reserve_a_build_leaves_less(tmp_path: Path) -> None:
    found = _built(tmp_path, NO_ROOM_KEPT)
    assert min(left for _, left, _ in found) == 0
