# SPDX-License-Identifier: Apache-2.0
"""What the octets of a list tell of the program that wrote them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.errors import ListError
from filterd.feed.guard import format_check
from filterd.feed.guard.format_check import MAX_LINE_OCTETS, malformed
from filterd.feed.guard.guard_report import Severity

if TYPE_CHECKING:
    from pathlib import Path

MANY = b"www.one.example\n" * 9
LONGEST = b"a" * MAX_LINE_OCTETS
MALFORMED = {
    b"\xef\xbb\xbfone.example\n": "it begins with a byte order mark",
    "one.example\n".encode("utf-16"): "it begins with a byte order mark",
    b"one.example\n\0\n": "it has zero octets",
    "one.example\n".encode("utf-16-le"): "it has zero octets",
    b"one.example\r\ntwo.example\r\n": "its lines end as those of Windows do",
    b"one.example\rtwo.example\n": "its lines end as those of Windows do",
    b"one.example\ntwo.exam": "its last line has no end: it was cut",
    LONGEST + b"a\n": f"it has a line of more than {MAX_LINE_OCTETS} octets",
    b"one.example\n" + LONGEST + b"a": f"it has a line of more than {MAX_LINE_OCTETS} octets",
}


def why(folder: Path, octets: bytes) -> list[str]:
    (folder / "lists").mkdir(exist_ok=True)
    path = folder / "lists" / "a.txt"
    path.write_bytes(octets)
    found = list(malformed(folder, [path]))
    assert all(one.severity is Severity.REFUSED for one in found)
    assert all(one.names == ("lists/a.txt",) for one in found)
    return [str(one.sentence.values["why"]) for one in found]


@pytest.mark.parametrize("octets", [b"", b"\n", MANY, LONGEST + b"\n", "đổi.example\n".encode()])
def test_what_a_program_has_written_is_well(tmp_path: Path, octets: bytes) -> None:
    assert why(tmp_path, octets) == []


@pytest.mark.parametrize(("octets", "reason"), MALFORMED.items())
def test_what_no_program_of_ours_has_written_is_refused(
    tmp_path: Path, octets: bytes, reason: str
) -> None:
    assert why(tmp_path, octets) == [reason]


@pytest.mark.parametrize("chunk", [1, 2, 3, 5, 7])
def test_it_is_the_same_wherever_the_reading_pauses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    """A mark of three octets may not come in parts: chunks are longer than any mark."""
    monkeypatch.setattr(format_check, "_CHUNK_OCTETS", chunk)
    monkeypatch.setattr(format_check, "MAX_LINE_OCTETS", 20)
    assert why(tmp_path, MANY) == []
    assert why(tmp_path, b"a" * 20 + b"\n" + b"b" * 20 + b"\n") == []
    assert why(tmp_path, b"a\n" + b"b" * 21 + b"\n") == ["it has a line of more than 20 octets"]
    assert why(tmp_path, MANY + b"cut") == ["its last line has no end: it was cut"]
    assert why(tmp_path, MANY + b"\0\n") == ["it has zero octets"]


def test_every_file_is_told_of(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a.txt", "b.txt", "c.txt")]
    for path, octets in zip(paths, (b"\0\n", b"fine.example\n", b"cut"), strict=True):
        path.write_bytes(octets)
    assert [one.names for one in malformed(tmp_path, paths)] == [("a.txt",), ("c.txt",)]


def test_a_file_that_cannot_be_read_is_the_disks_affair(tmp_path: Path) -> None:
    with pytest.raises(ListError, match="cannot be read"):
        list(malformed(tmp_path, [tmp_path / "none.txt"]))
