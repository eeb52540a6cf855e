# SPDX-License-Identifier: Apache-2.0
"""Faults of the machine, planted in tables as the kernel writes them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from filterd.appliance.doctor import machine_probes
from filterd.appliance.doctor.machine_probes import (
    LEAST_LIMITS,
    clock,
    disk,
    kernel_limits,
    memory,
    writes,
)
from filterd.appliance.doctor.probe import UnseenError
from filterd.fastpath.udp_listener import BUFFER_OCTETS
from filterd.version import RELEASED_AT
from tests.support.clock import FakeClock
from tests.support.commands import ROOT
from tests.support.examined import CLEAN, FOUND, UNSEEN, examined, look, outcomes

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.appliance.doctor.probe import ExaminedSite

HOUR, MB = 3_600, 1_000_000
DAYS = 2


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """Return the root of a machine in order, which has run for two days and written 2 GB."""
    device = tmp_path.stat().st_dev
    part, whole = f"{os.major(device)} {os.minor(device)} mmcblk0p2", "999 0 mmcblk0"
    written = f"0 0 0 0 0 0 {2_000 * MB // 512} 0"
    files = {
        "proc/uptime": f"{DAYS * 24 * HOUR}.5 1.0",
        "proc/diskstats": f"{whole} {written}\n{part} {written}\n",
        "proc/thread-self/mounts": "/dev/mmcblk0p2 / ext4 rw,noatime 0 0\n",
        "proc/meminfo": "MemTotal: 1000000 kB\nMemAvailable: 500000 kB\nHugePages_Free: 0\n",
        "proc/vmstat": "nr_free_pages 100\noom_kill 0\n",
        "sys/fs/ext4/mmcblk0p2/errors_count": "0\n",
        **{f"proc/sys/{name}": f"{least}\n" for name, least in LEAST_LIMITS.items()},
        "dev/kmsg": "6,1,0,-;all is well\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="ascii")
    return tmp_path


def _site(machine: Path, **more: Any) -> ExaminedSite:
    return examined(machine, root=machine, **more)


def _plant(machine: Path, name: str, text: str) -> ExaminedSite:
    (machine / name).write_text(text, encoding="utf-8")
    return _site(machine)


def test_a_machine_in_order_is_clean(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine_probes, "LEAST_FREE_PART", 0.0)  # of the disk of the tests
    monkeypatch.setattr(machine_probes, "kernel_is_synchronised", lambda _: True)
    now = _site(machine, clock=FakeClock(wall=RELEASED_AT + HOUR))
    for probe in (disk, writes, memory, clock, kernel_limits):
        assert set(outcomes(probe, now)) == {CLEAN}


def test_a_disk_that_is_full(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine_probes, "LEAST_FREE_OCTETS", 1 << 62)
    assert FOUND in outcomes(disk, _site(machine))


@pytest.mark.parametrize("folder", ["state", "ổ đĩa", r"a\b"])
def test_a_disk_that_can_only_be_read(machine: Path, folder: str) -> None:
    (machine / folder).mkdir()
    point = str(machine / folder).replace("\\", r"\134").replace(" ", r"\040")  # as the kernel does
    mounts = f"/dev/sda1 / ext4 rw 0 0\n/dev/sdb1 {point} ext4 ro,noatime 0 0\n"
    _plant(machine, "proc/thread-self/mounts", mounts)
    found = look(disk, examined(machine / folder, root=machine))
    assert "can only be read" in found[0].text


@pytest.mark.parametrize(
    "record",
    [
        "3,7,1,-;blk_update_request: I/O error, dev mmcblk0, sector 4711",
        "3,7,1,-;EXT4-fs error (device mmcblk0p2): ext4_find_entry",
    ],
)
def test_errors_in_the_kernels_log(machine: Path, record: str) -> None:
    assert FOUND in outcomes(disk, _plant(machine, "dev/kmsg", record))


def test_errors_of_another_disk_are_none(machine: Path) -> None:
    site = _plant(machine, "dev/kmsg", "3,7,1,-;I/O error, dev sr0, sector 0")
    assert "no errors" in look(disk, site)[-1].text


def test_errors_that_the_file_system_counts(machine: Path) -> None:
    site = _plant(machine, "sys/fs/ext4/mmcblk0p2/errors_count", "3\n")
    assert "3 errors" in look(disk, site)[-1].text


def test_a_log_that_cannot_be_read_is_not_clean(machine: Path) -> None:
    (machine / "dev/kmsg").unlink()
    assert outcomes(disk, _site(machine))[-1] is UNSEEN


def test_a_program_that_wears_out_the_memory_card(machine: Path) -> None:
    text = (machine / "proc/diskstats").read_text(encoding="ascii")
    much = text.replace(f" {2_000 * MB // 512} ", f" {30_000 * MB // 512} ")
    (found,) = look(writes, _plant(machine, "proc/diskstats", much))
    assert found.outcome is FOUND
    assert "MB are written" in found.text


def test_a_disk_bears_more_than_a_card(machine: Path) -> None:
    text = (machine / "proc/diskstats").read_text(encoding="ascii")
    much = text.replace(f" {2_000 * MB // 512} ", f" {30_000 * MB // 512} ")
    site = _plant(
        machine, "proc/diskstats", much.replace("mmcblk0p2", "sda2").replace("mmcblk0", "sda")
    )
    assert outcomes(writes, site) == [CLEAN]


def test_a_partition_is_counted_with_its_disk(machine: Path) -> None:
    text = (machine / "proc/diskstats").read_text(encoding="ascii").splitlines()
    much = text[0].replace(f" {2_000 * MB // 512} ", f" {30_000 * MB // 512} ")
    site = _plant(machine, "proc/diskstats", f"{much}\n{text[1]}\n")
    assert outcomes(writes, site) == [FOUND]


def test_before_a_day_is_over_nothing_is_known_of_a_day(machine: Path) -> None:
    with pytest.raises(UnseenError, match="less than a day"):
        look(writes, _plant(machine, "proc/uptime", "600.0 1.0"))


def test_a_disk_that_the_kernel_does_not_count(machine: Path) -> None:
    with pytest.raises(UnseenError, match="does not count"):
        look(writes, _plant(machine, "proc/diskstats", "8 0 sda 1\n"))


def test_short_memory(machine: Path) -> None:
    short = "MemTotal: 1000000 kB\nMemAvailable: 20000 kB\n"
    assert outcomes(memory, _plant(machine, "proc/meminfo", short)) == [FOUND]


def test_a_process_that_was_ended_for_want_of_memory(machine: Path) -> None:
    assert outcomes(memory, _plant(machine, "proc/vmstat", "oom_kill 2\n")) == [CLEAN, FOUND]


def test_a_kernel_with_room_for_a_thousand_neighbours(machine: Path) -> None:
    low = _plant(machine, "proc/sys/net/ipv4/neigh/default/gc_thresh3", "1024\n")
    (found,) = look(kernel_limits, low)
    assert "net.ipv4.neigh.default.gc_thresh3 is 1024" in found.text


def test_limits_of_another_namespace_are_unseen(tmp_path: Path) -> None:
    with pytest.raises(UnseenError, match="cannot be seen here"):
        look(kernel_limits, _site(tmp_path))


def test_the_package_sets_the_limits() -> None:
    text = (ROOT / "deploy" / "package" / "sysctl.conf").read_text("utf-8")
    lines = [line.split(" = ") for line in text.splitlines() if " = " in line]
    values = {name.replace(".", "/"): int(value) for name, value in lines if name[0] != "#"}
    assert {name: values[name] for name in LEAST_LIMITS} == LEAST_LIMITS
    assert LEAST_LIMITS["net/core/rmem_max"] == BUFFER_OCTETS


@pytest.mark.parametrize(
    ("wall", "status"),
    [
        (0.0, {}),
        (RELEASED_AT + HOUR, {"lists_built_at": RELEASED_AT + 2 * HOUR}),
        (RELEASED_AT + HOUR, {"time_is_known": False}),
        (RELEASED_AT + HOUR, {"clock": {"standing": "jumped"}}),
    ],
)
def test_a_wrong_clock(tmp_path: Path, wall: float, status: dict[str, Any]) -> None:
    assert outcomes(clock, examined(tmp_path, status=status, clock=FakeClock(wall=wall))) == [FOUND]


def test_a_clock_that_no_server_sets_is_unseen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine_probes, "kernel_is_synchronised", lambda _: False)
    site = examined(tmp_path, clock=FakeClock(wall=RELEASED_AT + HOUR))
    assert outcomes(clock, site) == [UNSEEN]
