# SPDX-License-Identifier: Apache-2.0
"""A root of Debian without a running systemd, as an image of a card is made in.

Its files are a layer above those of ``debian_root``. Programs run in it by chroot, in a namespace
of mounts; each has its own namespace of processes, so that all that it started ends with it.
With a package it begins where that is installed, which is done once for all tests.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from filterd.base.clock import SystemClock
from tests.support.commands import Outcome
from tests.support.debian_root import KEPT, debian_root
from tests.support.needs import commands
from tests.support.processes import children

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_CLOCK = SystemClock()
_WITHIN_S = 300.0
_LOOK_EVERY_S = 0.002
_UNUSED_S = 86400.0
"""After this a root with an installed package is removed: another source has another package."""
_MOUNT = """\
set -e
mount -t overlay overlay -o "volatile,lowerdir=$1,upperdir=$2/upper,workdir=$2/work" "$2/root"
mount --rbind /dev "$2/root/dev"
for one in run tmp; do mount -t tmpfs -o mode=1777 tmpfs "$2/root/$one"; done
echo ready
exec cat
"""
_ENTER = 'mount -t proc proc "$1/proc"; shift; exec chroot "$0" "$@"'


class Chroot:
    """A root; ``path`` is where this side reads and writes its files."""

    def __init__(self, folder: Path, inside: subprocess.Popen[str]) -> None:
        self._folder, self._inside = folder, inside

    @property
    def path(self) -> Path:
        """Its files, from outside."""
        return Path(f"/proc/{self._inside.pid}/root{self._folder}/root")

    def words(self, *words: str) -> list[str]:
        """Return a command that runs these words in it, as root."""
        root = f"{self._folder}/root"
        variables = ("PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "HOME=/root")
        apart = (
            "unshare",
            "--mount",
            "--pid",
            "--fork",
            "--kill-child",
            "--propagation",
            "private",
        )
        return [
            *("nsenter", "-m", "-t", str(self._inside.pid), "--", *apart),
            *("sh", "-c", _ENTER, root, root),
            *("/usr/bin/env", "-i", *variables, "DEBIAN_FRONTEND=noninteractive", *words),
        ]

    def mount(self, *words: str) -> None:
        """Mount something in it; the target, the last word, is a path in it."""
        *words_, target = words
        entered = ("nsenter", "-m", "-t", str(self._inside.pid), "--", "mount", *words_)
        subprocess.run([*entered, f"{self._folder}/root{target}"], check=True)

    def run(self, *words: str) -> Outcome:
        """Run a program in it to its end."""
        done = subprocess.run(
            self.words(*words),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_WITHIN_S,
            check=False,
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    def run_until(self, is_time: Callable[[float], bool], *words: str) -> bool:
        """Run a program and kill all of it when it is time; return whether it was killed.

        Args:
            is_time: called with the seconds since the start; asked again and again.
            words: the program.
        """
        began = _CLOCK.monotonic()
        with subprocess.Popen(
            self.words(*words),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as program:
            while program.poll() is None:
                if is_time(_CLOCK.monotonic() - began):
                    _end(program)
                    return True
                with contextlib.suppress(subprocess.TimeoutExpired):
                    program.wait(_LOOK_EVERY_S)
        return False


def _end(program: subprocess.Popen[bytes]) -> None:
    """Kill the first process of a namespace: what started it ends after all that is in it."""
    with contextlib.suppress(OSError):
        for first in children(program.pid):
            os.kill(first, signal.SIGKILL)
            return
    program.kill()


@contextlib.contextmanager
def chroot(suite: str, folder: Path, installed: Path | None = None) -> Iterator[Chroot]:
    """Make a root of a suite in a folder; skip the test where that cannot be.

    Args:
        suite: ``bookworm`` or ``trixie``.
        folder: of all its files.
        installed: a package of ``package`` that is installed there at the beginning.
    """
    commands("unshare", "nsenter", "mount", "chroot")
    lower = layers(suite, installed)
    for part in ("upper", "work", "root"):
        (folder / part).mkdir(parents=True)
    inside = subprocess.Popen(
        ["unshare", "--mount", "--propagation", "private", "sh", "-c", _MOUNT, "sh", lower, folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert inside.stdout is not None
        assert inside.stdout.readline() == "ready\n"
        yield Chroot(folder, inside)
    finally:
        inside.communicate()


def layers(suite: str, installed: Path | None = None) -> str:
    """Return the lower layers of a root, as overlayfs takes them; see ``chroot``."""
    debian = debian_root(suite)
    if installed is None:
        return str(debian)
    kept = KEPT / f"installed-{installed.parent.name}"
    with (KEPT / "installed.lock").open("w") as lock:  # test files run side by side
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            _install(suite, installed, kept)
        os.utime(kept)
    return f"{kept}:{debian}"


def _install(suite: str, package: Path, kept: Path) -> None:
    for old in KEPT.glob("installed-*/"):
        if old.suffix == ".part" or _CLOCK.wall() - old.stat().st_mtime > _UNUSED_S:
            shutil.rmtree(old)
    unfinished = kept.with_name(f"{kept.name}.part")
    with chroot(suite, unfinished) as root:
        shutil.copyfile(package, root.path / "var/filterd.deb")
        done = root.run("dpkg", "--install", "/var/filterd.deb")
        assert done.code == 0, done.out + done.err
        (root.path / "var/filterd.deb").unlink()
    (unfinished / "upper").rename(kept)
    shutil.rmtree(unfinished)
