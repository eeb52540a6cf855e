# SPDX-License-Identifier: Apache-2.0
"""Roots of Debian, made by mmdebstrap from the sources of this machine's own apt.

They are kept in ``build/roots``, so that a run makes each once. What a package needs is in them:
a machine installs it without a network.
"""

from __future__ import annotations

import fcntl
import subprocess
from typing import TYPE_CHECKING

from tests.support.commands import ROOT
from tests.support.mmdebstrap import NoRootError, make_root
from tests.support.needs import commands, lack

if TYPE_CHECKING:
    from pathlib import Path

KEPT = ROOT / "build" / "roots"

_INCLUDED = ("systemd-sysv", "python3", "iproute2", "debconf", "ca-certificates", "tzdata")
_WITH_KERNEL = ("linux-image-cloud-amd64", "udev", "initramfs-tools", "procps", "kmod")
_IMAGE_OCTETS = 2 << 30


def debian_root(suite: str, *, kernel: bool = False) -> Path:
    """Return a folder with a root of this suite; nothing may be written there.

    Args:
        suite: ``bookworm`` or ``trixie``.
        kernel: with a kernel of its own, for a virtual machine.
    """
    commands("mmdebstrap", "unshare")
    place = KEPT / f"machine-{suite}{'-kernel' if kernel else ''}"
    KEPT.mkdir(parents=True, exist_ok=True)
    with (KEPT / f"{place.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.exists():
            try:
                make_root(place, suite, (*_INCLUDED, *(_WITH_KERNEL if kernel else ())))
            except NoRootError as error:
                lack("a root of Debian", f"packages that apt can fetch ({error})")
    return place


def image_of(suite: str, path: Path) -> Path:
    """Return a disk with the root of a suite; its blocks are written only where it has files."""
    commands("mkfs.ext4", "losetup")
    return folder_as_disk(debian_root(suite), path, _IMAGE_OCTETS)


def folder_as_disk(folder: Path, path: Path, octets: int) -> Path:
    """Return a disk of this size with the files of a folder."""
    path.unlink(missing_ok=True)
    with path.open("wb") as file:
        file.truncate(octets)
    subprocess.run(["mkfs.ext4", "-q", "-F", "-d", str(folder), str(path)], check=True)
    return path
