# SPDX-License-Identifier: Apache-2.0
"""What each target of the Makefile needs of the machine, in one table.

It is judged before anything is installed, all at once.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deploy.checkout.facts import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

PACKAGES = {
    "aarch64-linux-gnu-gcc": "gcc-aarch64-linux-gnu",
    "apt-ftparchive": "apt-utils",
    "apt-get": "apt",
    "bash": "bash",
    "chromium": "chromium",
    "chroot": "coreutils",
    "cloud-init": "cloud-init",
    "dig": "bind9-dnsutils",
    "dnsdist": "dnsdist",
    "dnsmasq": "dnsmasq-base",
    "dnsperf": "dnsperf",
    "dpkg-deb": "dpkg",
    "faketime": "faketime",
    "fish": "fish",
    "gcc": "gcc",
    "git": "git",
    "gpg": "gnupg",
    "ip": "iproute2",
    "kdig": "knot-dnsutils",
    "lintian": "lintian",
    "losetup": "mount",
    "mandoc": "mandoc",
    "mkfs.ext4": "e2fsprogs",
    "mmdebstrap": "mmdebstrap",
    "mount": "mount",
    "nft": "nftables",
    "nginx": "nginx-light",
    "nsd": "nsd",
    "nsd-checkconf": "nsd",
    "nsenter": "util-linux",
    "openssl": "openssl",
    "pdftoppm": "poppler-utils",
    "pdftotext": "poppler-utils",
    "promtool": "prometheus",
    "qemu-aarch64": "qemu-user",
    "qemu-img": "qemu-utils",
    "qemu-system-x86_64": "qemu-system-x86",
    "readelf": "binutils",
    "runuser": "util-linux",
    "setfacl": "acl",
    "setpriv": "util-linux",
    "sfdisk": "fdisk",
    "soffice": "libreoffice-writer-nogui",
    "systemd-analyze": "systemd",
    "systemd-nspawn": "systemd-container",
    "systemd-sysusers": "systemd",
    "systemd-tmpfiles": "systemd",
    "taskset": "util-linux",
    "umount": "mount",
    "unbound": "unbound",
    "unshare": "util-linux",
    "zsh": "zsh",
    "zstd": "zstd",
}
"""The package of Debian that has a command; ``tests.support.needs`` names them by it, too."""

_PATH = f"{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin:/sbin"


@dataclass(frozen=True)
class Needs:
    """What a target needs.

    Attributes:
        commands: without one of them it fails.
        better: without one of them a part of it is left out.
        headers: whether it compiles for this Python.
        root: whether it must run as root.
        cores: how many processors it takes.
        data: a folder that it reads, named from the checkout.
        fetches: whether it fetches packages, unless ``build/package`` has them.
    """

    commands: tuple[str, ...] = ()
    better: tuple[str, ...] = ()
    headers: bool = False
    root: bool = False
    cores: int = 1
    data: str = ""
    fetches: bool = False


_LOAD = ("gcc", "dnsperf", "taskset")
_PACKAGING = ("gcc", "readelf", "apt-get", "dpkg-deb")
_MACHINES = ("mmdebstrap", "systemd-nspawn", "nsenter", "unshare", "setpriv")
_OF_TESTS = (
    "dig", "kdig", "dnsperf", "openssl", "unbound", "nsd", "nginx", "promtool", "dnsmasq", "ip",
    "nft", "mkfs.ext4", "pdftotext", "soffice", "chromium",
)  # fmt: skip

NEEDS = {
    "bench": Needs(_LOAD, better=("dnsdist", "unbound", "dnsmasq"), headers=True, cores=2),
    "bench-lists": Needs(data="../shared/data"),
    "bench-parts": Needs(("gcc", "unbound"), headers=True, cores=2),
    "bench-workers": Needs(_LOAD, headers=True, root=True, cores=2),
    "bench-floods": Needs(("gcc",), headers=True, root=True, cores=2),
    "bench-feed": Needs(("gcc", "dnsperf"), headers=True, cores=2, data="../shared/data/lists"),
    "bench-board": Needs(("gcc", "unshare", "ip", "losetup", "mkfs.ext4"), headers=True, root=True),
    "fuzz-native": Needs(("gcc",), headers=True),
    "e2e": Needs(better=("gcc", *_OF_TESTS, *_MACHINES, "lintian")),
    "deb": Needs(_PACKAGING, fetches=True),
    "release": Needs((*_PACKAGING, "aarch64-linux-gnu-gcc", "apt-ftparchive"), fetches=True),
    "test-arm64": Needs(
        (*_PACKAGING, "aarch64-linux-gnu-gcc", "qemu-aarch64", "unshare"), fetches=True
    ),
    "test-packages": Needs(
        (*_PACKAGING, *_MACHINES, "qemu-system-x86_64", "qemu-img", "mkfs.ext4", "ip"),
        better=("lintian", "qemu-aarch64", "aarch64-linux-gnu-gcc"),
        root=True,
        fetches=True,
    ),
}
"""By target; one that is not here needs what the set-up needs."""


@dataclass(frozen=True)
class Machine:
    """What a machine has, as far as targets ask for it."""

    has: Callable[[str], bool]
    headers: bool
    root: bool
    cores: int
    folder: Callable[[str], bool]


def this_machine(headers: str) -> Machine:
    """Return this machine.

    Args:
        headers: the folder of Python's headers, empty where there is none.
    """
    return Machine(
        has=lambda name: shutil.which(name, path=_PATH) is not None,
        headers=bool(headers),
        root=os.geteuid() == 0,
        cores=len(os.sched_getaffinity(0)),
        folder=lambda name: (ROOT / name).is_dir(),
    )


def judge(target: str, machine: Machine, words: str = "") -> tuple[list[str], list[str]]:
    """Return what a target lacks, and what is left out of it; a sentence each.

    Args:
        target: its name.
        machine: where it is to run.
        words: more of its command line: the targets of ``DEBS=``.
    """
    needs = NEEDS.get(target, Needs())
    commands = needs.commands
    if target == "deb" and ("arm64" in words or "all" in words):
        commands += ("aarch64-linux-gnu-gcc",)
    absent = [name for name in commands if not machine.has(name)]
    packages = [PACKAGES[name] for name in absent]
    if needs.headers and not machine.headers:
        absent.append("Python.h")
        packages.append("python3-dev")
    lacks = []
    if absent:
        lacks.append(f"{_listed(absent)} missing: {_apt(packages)}")
    if needs.root and not machine.root:
        lacks.append(f"it needs root: sudo make {target}")
    if needs.cores > machine.cores:
        lacks.append(f"it needs {needs.cores} cores: one serves, another asks; here is one")
    if needs.data and not machine.folder(needs.data):
        lacks.append(f"{needs.data} is missing: it measures with real lists, which do not ship")
    without = [name for name in needs.better if not machine.has(name)]
    left_out = []
    if without:
        remedy = _apt([PACKAGES[name] for name in without])
        left_out.append(f"left out: what needs {', '.join(without)} ({remedy})")
    return lacks, left_out


def fetches(target: str) -> bool:
    """Return whether a target fetches packages now."""
    needs = NEEDS.get(target, Needs())
    return needs.fetches and not (ROOT / "build" / "package" / "wheels").is_dir()


def _listed(names: list[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last} are" if others else f"{last} is"


def _apt(packages: list[str]) -> str:
    return f"sudo apt install {' '.join(dict.fromkeys(packages))}"
