# SPDX-License-Identifier: Apache-2.0
"""Tables of devices come back as they were written, and say where they are wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.cli import room_csv
from filterd.errors import ConfigError, StoreError

if TYPE_CHECKING:
    from pathlib import Path

ROOMS = ("lab-a", "lab-b")
MAC = "02:00:5e:00:00:0{}"


def test_what_is_written_is_read_again() -> None:
    devices = {"lab-a": (MAC.format(1), MAC.format(2)), "lab-b": (MAC.format(3),)}
    assert room_csv.parse(room_csv.dump(devices), "a.csv", ROOMS) == devices


@pytest.mark.parametrize(
    "text",
    [
        "room,mac\nlab-a,02:00:5E:00:00:01\n",
        "Room;MAC;note\r\nlab-a;02-00-5e-00-00-01;by the door\r\n",
        "sep=;\r\nroom;mac\r\nLAB-A;02005E000001\r\n",
        "room\tmac\tGhi chú\nlab-a\t0200.5e00.0001\tcạnh cửa sổ\n",
        "no,mac,room\n1, 02:00:5e:00:00:01 , lab-a \n\n",
        "room,mac\nlab-a,02:00:5e:00:00:01\nlab-a,02:00:5e:00:00:01\n",
    ],
)
def test_spreadsheets_write_it_in_many_ways(text: str) -> None:
    assert room_csv.parse(text, "a.csv", ROOMS) == {"lab-a": (MAC.format(1),)}


def test_every_wrong_line_is_told() -> None:
    text = "room,mac\nlab-c,02:00:5e:00:00:01\nlab-a,nonsense\nlab-a\nlab-b,02:00:5e:00:00:01\n"
    with pytest.raises(ConfigError) as caught:
        room_csv.parse(text, "a.csv", ROOMS)
    first, second, third = str(caught.value).splitlines()
    assert first.startswith("a.csv:2: 'lab-c' is not a room (did you mean 'lab-")
    assert second.startswith("a.csv:3: 'nonsense' is not a MAC address")
    assert third.startswith("a.csv:4: '' is not a MAC address")


def test_a_device_stands_in_one_room() -> None:
    text = "room,mac\nlab-a,02:00:5e:00:00:01\nlab-b,02:00:5e:00:00:01\n"
    with pytest.raises(ConfigError, match=r"a\.csv:3: 02:00:5e:00:00:01 is in lab-a as well"):
        room_csv.parse(text, "a.csv", ROOMS)


@pytest.mark.parametrize("text", ["", "lab-a,02:00:5e:00:00:01\n", "room\nlab-a\n"])
def test_a_table_without_headings_is_refused(text: str) -> None:
    with pytest.raises(
        ConfigError, match=r"does not name the columns room and mac .such as: room,mac"
    ):
        room_csv.parse(text, "a.csv", ROOMS)


def test_a_file_may_begin_with_the_mark_of_windows(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"\xef\xbb\xbfroom,mac\nlab-a,02:00:5e:00:00:01\n")
    assert room_csv.load(path, ROOMS) == {"lab-a": (MAC.format(1),)}


def test_a_spreadsheet_may_save_it_as_unicode_text(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("room\tmac\r\nlab-a\t02-00-5E-00-00-01\r\n", encoding="utf-16")
    assert room_csv.load(path, ROOMS) == {"lab-a": (MAC.format(1),)}


def test_a_line_that_is_only_there_for_excel_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("sep=;\nroom;mac\nlab-x;02:00:5e:00:00:01\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"a\.csv:3: 'lab-x' is not a room"):
        room_csv.load(path, ROOMS)


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be read"):
        room_csv.load(tmp_path / "a.csv", ROOMS)
    (tmp_path / "b.csv").write_bytes(b"room,mac\n\xff")
    with pytest.raises(ConfigError, match=r"is not UTF-8 text .save it as UTF-8"):
        room_csv.load(tmp_path / "b.csv", ROOMS)
    (tmp_path / "c.csv").write_bytes(b"x" * (2 << 20))
    with pytest.raises(ConfigError, match="too large"):
        room_csv.load(tmp_path / "c.csv", ROOMS)
