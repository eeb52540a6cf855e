# SPDX-License-Identifier: Apache-2.0
"""The time that was believed last, on a board that forgets the time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.feed import time_floor as time_floor_module
from filterd.feed.time_floor import TimeFloor
from filterd.state_file import FileFormat
from filterd.version import RELEASED_AT

if TYPE_CHECKING:
    from pathlib import Path

YEAR_S = 366 * 86_400.0
LATER = RELEASED_AT + 40 * 86_400.0


def test_before_anything_is_known_it_is_the_release(tmp_path: Path) -> None:
    assert TimeFloor(tmp_path).read() == RELEASED_AT


def test_a_time_that_goes_on_is_kept(tmp_path: Path) -> None:
    floor = TimeFloor(tmp_path)
    floor.note(LATER)
    assert TimeFloor(tmp_path).read() == LATER
    floor.note(0.0)
    assert floor.read() == LATER


def test_a_jump_of_more_than_a_year_is_kept_only_once_something_was_signed_then(
    tmp_path: Path,
) -> None:
    floor, far = TimeFloor(tmp_path), LATER + 20 * YEAR_S
    floor.note(LATER)
    floor.note(far, signed_at=LATER)
    assert floor.read() == LATER
    floor.note(far, signed_at=far - 86_400)
    assert floor.read() == far


def test_it_is_not_written_at_every_run(tmp_path: Path) -> None:
    floor = TimeFloor(tmp_path)
    floor.note(LATER)
    floor.note(LATER + 600)
    assert floor.read() == LATER


def test_one_flipped_bit_makes_no_time_that_never_comes(tmp_path: Path) -> None:
    floor, path = TimeFloor(tmp_path), tmp_path / "time-floor"
    floor.note(LATER)
    octets = path.read_bytes()
    for place in range(8 * len(octets)):
        flipped = bytearray(octets)
        flipped[place // 8] ^= 1 << place % 8
        path.write_bytes(flipped)
        assert floor.read() == RELEASED_AT


def test_a_file_is_read_from_and_by_the_release_before(tmp_path: Path) -> None:
    floor, path = TimeFloor(tmp_path), tmp_path / "time-floor"
    path.write_bytes(b"1798934400 4fa53fde")
    assert floor.read() == LATER == 1_798_934_400
    path.write_bytes(b"1798934401 4fa53fde")  # its checksum is of another time
    assert floor.read() == RELEASED_AT
    floor.note(LATER)
    assert path.read_bytes() == b"1798934400 4fa53fde"
    plain = FileFormat(time_floor_module._Believed, magic=b"filterd feed-time ")
    plain.save(path, time_floor_module._Believed(LATER + 5.0))
    assert floor.read() == LATER + 5.0


@pytest.mark.parametrize("damage", [b"", b"nan", b"inf", b"\xff\xfe", b"9" * 400, b"1e300"])
def test_a_damaged_file_says_nothing(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "time-floor").write_bytes(damage)
    assert TimeFloor(tmp_path).read() == RELEASED_AT
