# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import gzip
import hashlib
import os
from itertools import chain
from typing import TYPE_CHECKING

import pytest

from filterd.base.errors import ListError
from filterd.lists import source_text
from filterd.lists.source_text import KEPT_CHARACTERS, SourceText

if TYPE_CHECKING:
    from pathlib import Path


def read(path: Path) -> tuple[list[str], SourceText]:
    text = SourceText(path)
    return list(chain.from_iterable(text.lines(lambda _done: None))), text


@pytest.mark.parametrize(
    ("octets", "lines"),
    [
        (b"", []),
        (b"a", ["a"]),
        (b"a\n", ["a"]),
        (b"a\nb", ["a", "b"]),
        (b"a\r\nb\rc\n", ["a", "b", "c"]),
        (b"\n\na\n", ["", "", "a"]),
        (b"\xef\xbb\xbfa\n", ["a"]),
        (b"a\x0cb\xc2\x85c\n", ["a\x0cb\x85c"]),
        (b"\xff\n", ["\udcff"]),
        (b"a\0b\n", ["a\0b"]),
    ],
)
def test_text_is_cut_at_newlines_only(tmp_path: Path, octets: bytes, lines: list[str]) -> None:
    path = tmp_path / "list.txt"
    path.write_bytes(octets)
    found, text = read(path)
    assert (found, text.line_count) == (lines, len(lines))


def test_chunks_do_not_show_in_the_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_text, "_CHUNK_CHARACTERS", 7)
    lines = [str(number) * (number % 9) for number in range(101)]
    path = tmp_path / "list.txt"
    path.write_text("\n".join(lines))
    assert read(path)[0] == lines


def test_digest_is_of_the_whole_text(tmp_path: Path) -> None:
    octets = b"a\r\nb\n\xff"
    path = tmp_path / "list.txt"
    path.write_bytes(octets)
    assert read(path)[1].digest == hashlib.sha256(octets).hexdigest()


def test_packed_list_reads_like_the_plain_one(tmp_path: Path) -> None:
    plain, packed = tmp_path / "list.txt", tmp_path / "list.txt.gz"
    plain.write_bytes(b"a\nb\n" * 1000)
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    (lines, text), (packed_lines, packed_text) = read(plain), read(packed)
    assert (lines, text.digest) == (packed_lines, packed_text.digest)


def test_overlong_line_is_cut_and_the_next_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_bytes(b"x" * 3_000_000 + b"\nb\n")
    lines, _ = read(path)
    assert lines[1:] == ["b"]
    assert 4096 < len(lines[0]) <= KEPT_CHARACTERS + source_text._CHUNK_CHARACTERS


def test_too_much_text_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_text, "MAX_TEXT_OCTETS", 1000)
    path = tmp_path / "list.txt.gz"
    path.write_bytes(gzip.compress(b"a\n" * 1000))
    with pytest.raises(ListError, match="more than 1000 octets"):
        read(path)


def test_too_many_lines_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_text, "MAX_LINES", 1000)
    path = tmp_path / "list.txt"
    path.write_bytes(b"\n" * 1001)
    with pytest.raises(ListError, match="more than 1000 lines"):
        read(path)


def test_a_pipe_is_no_list(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "list.txt")
    with pytest.raises(ListError, match=r"list\.txt: cannot be read: Not a plain file"):
        read(tmp_path / "list.txt")


@pytest.mark.parametrize("octets", [b"plain text", gzip.compress(b"a\n" * 999)[:-9]])
def test_broken_gzip_is_refused(tmp_path: Path, octets: bytes) -> None:
    path = tmp_path / "list.gz"
    path.write_bytes(octets)
    with pytest.raises(ListError, match=r"list\.gz: cannot be read"):
        read(path)


def test_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ListError, match=r"absent: cannot be read: No such file"):
        read(tmp_path / "absent")


def test_progress_ends_at_the_size_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "list.txt.gz"
    path.write_bytes(gzip.compress(b"a\n" * 10))
    seen = list[int]()
    list(SourceText(path).lines(seen.append))
    assert seen[-1] == path.stat().st_size
