# SPDX-License-Identifier: Apache-2.0
"""The memory of a child: bounded by the machine and by the groups of either version."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd import memory_room
from filterd.memory_room import child_octets, group_octets

if TYPE_CHECKING:
    from pathlib import Path

MB = 1_000_000
BOARD = 905 * MB


@pytest.fixture
def group(tmp_path: Path) -> Path:
    """Return the folder of a group of version 2, beneath a root of its own."""
    _write(tmp_path / "proc/self/cgroup", "0::/system.slice/filterd-feed.service\n")
    return tmp_path / "sys/fs/cgroup/system.slice/filterd-feed.service"


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _limit(group: Path, limit: object, anon: int) -> None:
    _write(group / "memory.max", f"{limit}\n")
    _write(group / "memory.stat", f"anon {anon}\nfile 7\n")


def test_a_group_leaves_its_limit_less_what_it_holds(group: Path, tmp_path: Path) -> None:
    _limit(group, 588 * MB, 80 * MB)
    assert group_octets(tmp_path) == 508 * MB


def test_a_group_above_with_less_room_counts(group: Path, tmp_path: Path) -> None:
    _limit(group, 588 * MB, 80 * MB)
    _limit(group.parent, 300 * MB, 200 * MB)
    assert group_octets(tmp_path) == 100 * MB


def test_a_group_without_a_limit_bounds_nothing(group: Path, tmp_path: Path) -> None:
    _limit(group, "max", 80 * MB)
    assert group_octets(tmp_path) is None


def test_a_group_of_version_1_is_read_as_well(tmp_path: Path) -> None:
    _write(tmp_path / "proc/self/cgroup", "5:cpu,cpuacct:/\n4:memory:/feed\n")
    folder = tmp_path / "sys/fs/cgroup/memory/feed"
    _write(folder / "memory.limit_in_bytes", f"{588 * MB}\n")
    _write(folder / "memory.stat", f"cache 7\nrss 1\ntotal_rss {80 * MB}\n")
    assert group_octets(tmp_path) == 508 * MB


def test_a_system_without_groups_bounds_nothing(tmp_path: Path) -> None:
    assert group_octets(tmp_path) is None


@pytest.mark.parametrize(
    ("machine", "group", "room"),
    [
        (1 << 40, None, 640 * MB),
        (BOARD, None, BOARD // 2),
        (BOARD, 300 * MB, 300 * MB),
        (BOARD, -1, 0),
    ],
)
def test_a_child_may_take_the_least_of_all(
    monkeypatch: pytest.MonkeyPatch, machine: int, group: int | None, room: int
) -> None:
    monkeypatch.setattr(memory_room, "machine_octets", lambda: machine)
    monkeypatch.setattr(memory_room, "group_octets", lambda: group)
    assert child_octets(640 * MB) == room
