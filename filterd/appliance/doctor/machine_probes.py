# SPDX-License-Identifier: Apache-2.0
"""Probe the machine: clock, disk, octets written, memory, kernel limits.

All from the kernel's tables in /proc and /sys (proc(5), sysfs(5)) and its log.
"""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from filterd.appliance.doctor.probe import UnseenError, clean, found, unseen
from filterd.daemon.time.timekeeper import kernel_is_synchronised
from filterd.texts import counted
from filterd.texts.i18n import say
from filterd.version import RELEASED_AT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filterd.appliance.doctor.probe import ExaminedSite, ProbeFinding
    from filterd.texts.i18n import Sentence

LEAST_FREE_OCTETS, LEAST_FREE_PART = 200 * 2**20, 0.05
LEAST_MEMORY_OCTETS, LEAST_MEMORY_PART = 64 * 2**20, 0.05
MOST_WRITTEN_TO_CARD, MOST_WRITTEN_TO_DISK = 10 * 10**9, 50 * 10**9
"""A day. A card of 32 GB that bears 600 full writes lasts five years, and so does a solid-state
disk that is made for 100 TB."""

LEAST_LIMITS = {
    "net/core/rmem_max": 8_388_608,
    "net/ipv4/neigh/default/gc_thresh3": 8_192,
    "net/ipv6/neigh/default/gc_thresh3": 16_384,
}
"""By their place in /proc/sys: as in deploy/package/sysctl.conf, with the arithmetic."""

_DAY_S = 86_400.0
_CARD = "mmcblk"
_BEHIND_S = 60.0
_SECTOR_OCTETS = 512
"""Of /proc/diskstats, whatever the device has."""
_WRITTEN = 9
_LARGEST, _MOST_RECORDS, _RECORD_OCTETS = 1 << 20, 20_000, 8_192
_ESCAPED = re.compile(r"\\([0-7]{3})")
"""An octet of a path that would be read as the end of a field (proc(5), mounts)."""
_DISK_FAULT = re.compile(rb"(?:I/O error, dev|I/O error on dev|EXT4-fs error \(device) (\w+)")


def clock(site: ExaminedSite) -> Iterator[ProbeFinding]:
    """Probe whether the clock is set, and not behind what it must be later than."""
    wall = site.clock.wall()
    set_it = say("set it: sudo timedatectl set-ntp true, or sudo timedatectl set-time")
    built_at = (site.status.get("lists_built_at") or 0.0) if site.is_serving else 0.0
    latest = max(built_at, site.feed.get("verified_at") or 0.0)
    if wall < RELEASED_AT:
        yield found(say("the clock is not set: it is before the release of this program"), set_it)
    elif wall < latest - _BEHIND_S:
        behind = counted.duration(latest - wall)
        yield found(say("the clock is behind the lists: {behind}", behind=behind), set_it)
    elif site.is_serving and not site.status.get("time_is_known", True):
        yield found(say("filterd does not believe the clock"), _accept())
    elif site.is_serving and (site.status.get("clock") or {}).get("standing") == "jumped":
        yield found(say("the clock has jumped, and filterd does not believe it yet"), _accept())
    elif kernel_is_synchronised(wall):
        yield clean(say("a time server sets the clock"))
    else:
        yield unseen(
            say("no time server has set the clock, so it may be wrong"),
            say("if it is wrong: sudo timedatectl set-ntp true"),
        )


def disk(site: ExaminedSite) -> Iterator[ProbeFinding]:
    """Probe whether the disk has room, can be written, and has no errors."""
    mount = _mount_of(site.folder, site.root)
    if "ro" in mount.options:
        yield found(
            say("the disk of {folder} can only be read", folder=site.folder),
            say("the kernel does this to a disk with errors: copy /etc/filterd, then replace it"),
        )
    room = os.statvfs(_nearest(site.folder))
    free, whole = room.f_bavail * room.f_frsize, room.f_blocks * room.f_frsize
    if free < LEAST_FREE_OCTETS or free < LEAST_FREE_PART * whole:
        yield found(
            say("the disk has only {free} left", free=counted.size(free)),
            say("make room, such as by: sudo journalctl --vacuum-size=50M; sudo apt-get clean"),
        )
    else:
        yield clean(say("{free} are free", free=counted.size(free)))
    yield from _errors(mount, site.root)


def writes(site: ExaminedSite) -> Iterator[ProbeFinding]:
    """Probe how much is written to the disk of the state folder a day.

    Raises:
        UnseenError: the kernel has not counted long enough.
    """
    up_s = float(_text(site.root / "proc/uptime").split()[0])
    if up_s < _DAY_S:  # setting it up, and a night's lists, are most of that
        raise UnseenError(say("this machine has run for less than a day, too short to measure"))
    device = _nearest(site.folder).stat().st_dev
    disks = {tuple(map(int, line[:2])): line for line in _disks(site.root)}
    own = disks.get((os.major(device), os.minor(device)))
    if own is None:
        raise UnseenError(say("the kernel does not count what {folder} writes", folder=site.folder))
    whole = [line for line in disks.values() if _is_part(own[2], line[2])]
    disk_line = (whole or [own])[0]
    a_day = round(int(disk_line[_WRITTEN]) * _SECTOR_OCTETS / up_s * _DAY_S)
    size = counted.size(a_day)
    is_card = disk_line[2].startswith(_CARD)
    if a_day > (MOST_WRITTEN_TO_CARD if is_card else MOST_WRITTEN_TO_DISK):
        yield found(
            say("{size} are written to the disk a day, which wears it out", size=size),
            say("find the program that writes: sudo iotop -ao; keep the journal in memory"),
        )
    else:
        yield clean(say("{size} are written to the disk a day", size=size))


def memory(site: ExaminedSite) -> Iterator[ProbeFinding]:
    """Probe whether memory is short, or was so short that the kernel ended a process."""
    lines = (line.split() for line in _text(site.root / "proc/meminfo").splitlines())
    known = {line[0]: int(line[1]) * 1024 for line in lines if len(line) > 1}
    free, whole = known["MemAvailable:"], known["MemTotal:"]
    if free < LEAST_MEMORY_OCTETS or free < LEAST_MEMORY_PART * whole:
        yield found(
            say("only {free} of memory are free", free=counted.size(free)),
            say("end other programs on this machine, or follow fewer lists"),
        )
    else:
        yield clean(say("{free} of memory are free", free=counted.size(free)))
    counts = (line.split() for line in _text(site.root / "proc/vmstat").splitlines())
    ended = next((int(count[1]) for count in counts if count[0] == "oom_kill"), 0)
    if ended:
        yield found(
            say("since its start the machine ended {n} processes for want of memory", n=ended),
            say("end other programs on this machine, or follow fewer lists"),
        )


def kernel_limits(site: ExaminedSite) -> Iterator[ProbeFinding]:
    """Probe whether the kernel's limits are large enough for 2,000 devices.

    The IPv6 ones are missing where the kernel has no IPv6, and all in some containers.

    Raises:
        UnseenError: they cannot be read.
    """
    values = {name: site.root / "proc/sys" / name for name in LEAST_LIMITS}
    known = {name: int(_text(path)) for name, path in values.items() if path.exists()}
    if not known:
        raise UnseenError(say("the kernel's limits cannot be seen here"))
    low = [(name, value) for name, value in known.items() if value < LEAST_LIMITS[name]]
    for name, value in low:
        yield found(
            say(
                "the kernel's {name} is {value}, less than {least}",
                name=name.replace("/", "."),
                value=value,
                least=LEAST_LIMITS[name],
            ),
            say("set it: sudo sysctl --system; a file in /etc/sysctl.d may have another value"),
        )
    if not low:
        yield clean(say("the kernel has room for 2,000 devices"))


class _Mount(NamedTuple):
    """The mount of a path: its device and options."""

    device: str
    options: frozenset[str]


def _accept() -> Sentence:
    return say("set it, or if it is right: filterd clock accept")


def _mount_of(path: Path, root: Path) -> _Mount:
    """Return the mount of a path: that of the longest mount point above it."""
    best, result = -1, _Mount("", frozenset())
    parents = {str(one) for one in (path.resolve(), *path.resolve().parents)}
    for line in _text(root / "proc/thread-self/mounts").splitlines():
        fields = line.split()
        if len(fields) <= 3:
            continue
        point = _ESCAPED.sub(lambda octal: chr(int(octal[1], 8)), fields[1])
        if point in parents and len(point) >= best:
            best, result = len(point), _Mount(fields[0], frozenset(fields[3].split(",")))
    return result


def _errors(mount: _Mount, root: Path) -> Iterator[ProbeFinding]:
    """Probe the file system's own count of errors, and the kernel's log of this boot."""
    device, counted_errors = Path(mount.device).name, 0
    with contextlib.suppress(OSError, ValueError):
        counted_errors = int(_text(root / "sys/fs/ext4" / device / "errors_count"))
    try:
        faults = map(_DISK_FAULT.search, _kernel_log(root / "dev/kmsg"))
        # Of other disks, such as an empty card reader, nothing is wrong.
        logged = sum(1 for fault in faults if fault and device.startswith(fault[1].decode()))
    except OSError:
        logged = 0
        if not counted_errors:
            is_root = os.geteuid() == 0  # in a container root cannot read it
            yield unseen(
                say("the kernel's log of disk errors cannot be read"),
                None if is_root else say("run it again with sudo"),
            )
            return
    if errors := counted_errors + logged:
        yield found(
            say("the kernel has reported {n} errors of the disk", n=errors),
            say("copy /etc/filterd to another machine, and replace the memory card or disk soon"),
        )
    else:
        yield clean(say("the kernel has reported no errors of the disk"))


def _kernel_log(path: Path) -> Iterator[bytes]:
    """Yield the records of the kernel's log.

    Records that are overwritten meanwhile are skipped.
    """
    log = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        for _ in range(_MOST_RECORDS):
            try:
                record = os.read(log, _RECORD_OCTETS)
            except BrokenPipeError:
                continue
            except BlockingIOError:
                return
            if not record:
                return
            yield record
    finally:
        os.close(log)


def _disks(root: Path) -> Iterator[list[str]]:
    for line in _text(root / "proc/diskstats").splitlines():
        fields = line.split()
        if len(fields) > _WRITTEN:
            yield fields


def _is_part(name: str, disk: str) -> bool:
    """Return whether a device is a partition of a disk.

    Examples: sda1 of sda, mmcblk0p2 of mmcblk0.
    """
    mark = "p" if disk[-1:].isdigit() else ""
    return re.fullmatch(re.escape(disk + mark) + r"\d+", name) is not None


def _nearest(path: Path) -> Path:
    """Return a path, or the nearest folder above it that exists."""
    return next(one for one in (path, *path.absolute().parents) if one.exists())


def _text(path: Path) -> str:
    with path.open(encoding="utf-8", errors="replace") as file:
        return file.read(_LARGEST)
