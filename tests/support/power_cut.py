# SPDX-License-Identifier: Apache-2.0
"""Power cuts: an ext4 image, copied while its writers are stopped.

The copy has the content of the disk, and nothing that only the page cache has. A
process that syncs a file of its own makes the file system write its journal all the
time; without it even a careless writer would be lucky. Needs root and loop devices.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.needs import commands
from tests.support.processes import state_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

IMAGE_OCTETS = 32 << 20
CARELESS_MOUNT = "noauto_da_alloc"
"""Without what ext4 does for programs that rename without syncing."""
_NOISE_S = 0.003


@contextlib.contextmanager
def folder_of_images() -> Iterator[Path]:
    """Give a folder, in memory if that is possible."""
    commands("mkfs.ext4", "mount", "umount", "losetup")
    in_memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=in_memory) as made:
        yield Path(made)


def an_image(path: Path) -> Path:
    """Make an empty file system in a file."""
    with path.open("wb") as file:
        file.truncate(IMAGE_OCTETS)
    _run("mkfs.ext4", "-q", "-F", "-b", "4096", "-J", "size=4", path)
    return path


@contextlib.contextmanager
def mounted(image: Path, at: Path, *options: str) -> Iterator[Path]:
    """Mount an image; it is unmounted whatever happens."""
    at.mkdir(exist_ok=True)
    _run("mount", "-t", "ext4", "-o", ",".join(("loop", *options)), image, at)
    try:
        yield at
    finally:
        if subprocess.run(["umount", at], check=False, capture_output=True).returncode:
            _run("umount", "-l", at)


class Writers:
    """Processes that write to a mounted image, and can be stopped all at once.

    Args:
        at: where the image is mounted.
        work: what is done again and again, in a process of its own, until it is killed.
    """

    def __init__(self, at: Path, work: Callable[[], object]) -> None:
        self._at = at
        self._children = [_forked(work), _forked(lambda: _make_noise(at / "noise"))]

    def cut(self, image: Path, copy: Path, finds_known: Callable[[], Any]) -> Any:
        """Copy the image as the disk has it now; return the reports until then."""
        try:
            for child in self._children:
                os.kill(child, signal.SIGSTOP)
                _wait_until(lambda child=child: state_of(child) in "TZ")  # type: ignore[misc]
                assert state_of(child) == "T", "who writes has failed"
            known = finds_known()
            _wait_until(lambda: _is_idle(image))
            # A file of its own: a loop device of the copy before may linger while another process
            # looks at it, and would be mounted again, with what it holds in memory.
            copy.unlink(missing_ok=True)
            shutil.copyfile(image, copy)
        finally:
            for child in self._children:
                os.kill(child, signal.SIGCONT)
        return known

    def end(self) -> None:
        """Kill them."""
        for child in self._children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


@contextlib.contextmanager
def writing(at: Path, work: Callable[[], object]) -> Iterator[Writers]:
    """Have an image written to."""
    writers = Writers(at, work)
    try:
        yield writers
    finally:
        writers.end()


def _forked(work: Callable[[], object]) -> int:
    """Do some work in a child until it is killed; if it fails, it reports it and ends."""
    child = os.fork()
    if child:
        return child
    try:
        while True:
            work()
    except BaseException:  # noqa: BLE001 -- nothing of the parent's may be unwound here
        traceback.print_exc()
    finally:
        os._exit(1)


def _make_noise(path: Path) -> None:
    with path.open("wb") as file:
        file.write(os.urandom(4096))
        file.flush()
        os.fsync(file.fileno())
    time.sleep(_NOISE_S)


def _is_idle(image: Path) -> bool:
    """Return whether nothing is on its way to the image."""
    done = _run("losetup", "--noheadings", "--output", "NAME", "--associated", image)
    device = Path(done.stdout.split()[0]).name
    return Path(f"/sys/block/{device}/inflight").read_text(encoding="ascii").split() == ["0", "0"]


def _wait_until(it_is_so: Callable[[], bool]) -> None:
    for _ in range(5_000):
        if it_is_so():
            return
        time.sleep(0.001)
    raise AssertionError("it takes too long")


def _run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*map(str, words)], check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
