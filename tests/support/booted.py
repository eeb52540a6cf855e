# SPDX-License-Identifier: Apache-2.0
"""A machine with a real systemd: a root of Debian, booted by systemd-nspawn in a second.

It stands where the gateway of ``gateway`` stands: its network is that namespace, so pupils,
staff and the provider reach it over real links. It has the kernel of this machine: what needs
one of its own (limits of memory, sysctl, power cuts) is for ``virtual``.

All of it is in a namespace of processes and of mounts: nothing is left, however the test ends.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING

from filterd.base.clock import SystemClock
from tests.support.chroot import layers
from tests.support.commands import Outcome
from tests.support.needs import commands
from tests.support.processes import children, family

if TYPE_CHECKING:
    from collections.abc import Iterator

WITHIN_S = 240.0
_CLOCK = SystemClock()
_CGROUPS = "filterd-test"
_SHUTDOWN, _WITHOUT_JOURNAL = 0x8004587D, b"\2\0\0\0"
"""FS_IOC_SHUTDOWN and its flag, of linux/fs.h: what the tests of ext4 itself cut power by."""

# The namespace of mounts has cgroups of its own, for which systemd asks.
_BOOT = """\
set -e
if [ -f "$1" ]; then
    mount -o loop "$1" "$2/root"
else
    rm -rf "$2/spare/work/incompat" # of the boot before: volatile, nothing waits for the disk
    mount -t overlay overlay -o "volatile,lowerdir=$1,upperdir=$2/upper,workdir=$2/spare" "$2/root"
fi
umount -R /sys/fs/cgroup 2>/dev/null || true
mount -t cgroup2 none /sys/fs/cgroup
mkdir -p "/sys/fs/cgroup/$3"
echo 0 >"/sys/fs/cgroup/$3/cgroup.procs"
exec systemd-nspawn --quiet --keep-unit --register=no --directory="$2/root" --boot \
    --network-namespace-path="/run/netns/$4" --capability=CAP_NET_ADMIN \
    --console=read-only --kill-signal=SIGRTMIN+4 --resolv-conf=off --timezone=off
"""
_EMPTY = """\
umount -R /sys/fs/cgroup 2>/dev/null
mount -t cgroup2 none /sys/fs/cgroup && find "/sys/fs/cgroup/$1" -depth -type d -exec rmdir {} +
"""


@dataclass
class Booted:
    """A machine; ``start`` boots it, again and again on the same disk.

    Its disk is what it has changed of Debian's root, or of that with a package ``installed``, or
    all of an ``image``, whose power can be cut. ``console`` is all that its screen has shown.
    """

    suite: str
    folder: Path
    network: str
    image: Path | None = None
    installed: Path | None = None
    _outer: subprocess.Popen[bytes] | None = None
    _first: int = 0
    _console: IO[bytes] | None = field(default=None, repr=False)

    @property
    def console(self) -> str:
        return (self.folder / "console").read_text("utf-8", "replace")

    def start(self) -> None:
        """Boot, and wait until systemd has started everything."""
        commands("systemd-nspawn", "nsenter", "unshare", "setpriv")
        for part in ("upper", "spare", "root"):
            (self.folder / part).mkdir(parents=True, exist_ok=True)
        self._console = (self.folder / "console").open("ab")
        lower = str(self.image or layers(self.suite, self.installed))
        cgroup = f"{_CGROUPS}-{os.getpid()}"
        self._outer = subprocess.Popen(
            [
                *("setpriv", "--pdeathsig", "KILL"),
                *("unshare", "--mount", "--propagation", "private", "--pid", "--fork"),
                *("--mount-proc", "--kill-child=KILL"),
                *("sh", "-c", _BOOT, "sh", lower, str(self.folder), cgroup, self.network),
            ],
            stdin=subprocess.DEVNULL,
            stdout=self._console,
            stderr=subprocess.STDOUT,
        )
        self._wait(self._has_systemd, "systemd")
        self._wait(self._is_running, "the end of the boot")

    def _wait(self, is_so: object, what: str) -> None:
        assert callable(is_so)
        end = _CLOCK.monotonic() + WITHIN_S
        while not is_so():
            assert self._outer is not None
            assert self._outer.poll() is None, f"it ended: {self.console[-2000:]}"
            assert _CLOCK.monotonic() < end, f"never came: {what}\n{self.console[-2000:]}"
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._outer.wait(0.1)

    def _has_systemd(self) -> bool:
        assert self._outer is not None
        for pid in family(self._outer.pid):
            with contextlib.suppress(OSError):
                words = Path(f"/proc/{pid}/status").read_text("ascii").split("NSpid:")[1]
                if len(numbers := words.split("\n")[0].split()) > 2 and numbers[-1] == "1":
                    self._first = pid
                    return Path(f"/proc/{pid}/root/run/systemd/private").exists()
        return False

    def _is_running(self) -> bool:
        return self.run("systemctl", "is-system-running", check=False).out.strip() in {
            "running",
            "degraded",
        }

    def words(self, *words: str) -> list[str]:
        """Return a command that runs these words in it, as root."""
        entered = ["nsenter", "-t", str(self._first), "-m", "-u", "-i", "-n", "-p", "-C"]
        variables = ("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin", "HOME=/root")
        more = ("LANG=C.UTF-8", "DEBIAN_FRONTEND=noninteractive", "SYSTEMD_COLORS=0")
        return [*entered, "--", "env", "-i", "-C", "/", *variables, *more, *words]

    def run(
        self, *words: str, given: str = "", check: bool = True, within_s: float = 120
    ) -> Outcome:
        """Run a command in it; ``given`` is its standard input.

        Raises:
            AssertionError: it failed, and ``check`` is set.
        """
        done = subprocess.run(
            self.words(*words),
            input=given,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=within_s,
            check=False,
        )
        assert not check or done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return Outcome(done.returncode, done.stdout, done.stderr)

    def give(self, source: Path, target: str) -> None:
        """Copy a file into it."""
        shutil.copyfile(source, Path(f"/proc/{self._first}/root{target}"))

    def write(self, target: str, text: str) -> None:
        """Write a file in it."""
        Path(f"/proc/{self._first}/root{target}").write_text(text, "utf-8")

    def kill(self, pid: int, number: signal.Signals) -> None:
        """Send a signal to a process that has this number in it."""
        os_kill = f"import os; os.kill({pid}, {number:d})"
        self.run("python3", "-c", os_kill)

    def is_active(self, unit: str) -> bool:
        return self.run("systemctl", "is-active", unit, check=False).code == 0

    def cut_power(self) -> None:
        """Let nothing more reach its disk, not even the journal of ext4, and end it."""
        assert self.image is not None, "only a disk of its own can lose what is not written yet"
        root = os.open(f"/proc/{self._first}/root", os.O_RDONLY)
        try:
            fcntl.ioctl(root, _SHUTDOWN, _WITHOUT_JOURNAL)
        finally:
            os.close(root)
        self.stop(at_once=True)

    def stop(self, *, at_once: bool = False) -> None:
        """Switch it off, by its systemd or ``at_once``; its disk stays."""
        if self._outer is None:
            return
        if not at_once and self._first and self._outer.poll() is None:
            with contextlib.suppress(OSError):
                os.kill(self._first, signal.SIGRTMIN + 4)  # systemd(1): power off
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._outer.wait(WITHIN_S)
        for first in children(self._outer.pid) if self._outer.poll() is None else ():
            os.kill(first, signal.SIGKILL)  # of its namespace of processes: the kernel ends all
        self._outer.wait()
        self._outer, self._first = None, 0
        self._wait_for_the_disk()
        if self._console is not None:
            self._console.close()
        group = f"{_CGROUPS}-{os.getpid()}"
        subprocess.run(
            ["unshare", "--mount", "--propagation", "private", "sh", "-c", _EMPTY, "sh", group],
            capture_output=True,
            check=False,
        )

    def _wait_for_the_disk(self) -> None:
        """Wait until the image is let go: else the next boot has what is in memory, too."""
        if self.image is None:
            return
        looking = ["losetup", "--noheadings", "--associated", str(self.image)]
        end = _CLOCK.monotonic() + WITHIN_S
        while subprocess.run(looking, capture_output=True, check=True).stdout:
            assert _CLOCK.monotonic() < end, "the disk is still mounted"
            time.sleep(0.05)


@contextlib.contextmanager
def booted(
    suite: str,
    folder: Path,
    network: str,
    image: Path | None = None,
    installed: Path | None = None,
) -> Iterator[Booted]:
    """Boot a machine of a suite in a network namespace; skip the test where that cannot be."""
    machine = Booted(suite, folder, network, image, installed)
    try:
        machine.start()
        yield machine
    finally:
        machine.stop()
