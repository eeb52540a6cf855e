# SPDX-License-Identifier: Apache-2.0
"""A zip file with a large directory is recognised by its last octets, whatever else they hold."""

from __future__ import annotations

import io
import zipfile

import pytest

from filterd.zip_directory import MOST_OCTETS, is_small

SIZE = 12
"""Where the length of the directory stands in the last record."""


def packed(comment: bytes = b"") -> bytes:
    octets = io.BytesIO()
    with zipfile.ZipFile(octets, "w") as archive:
        archive.writestr("list.txt", "a.example\n")
        archive.comment = comment
    return octets.getvalue()


def large(content: bytes) -> bytes:
    at = content.find(b"PK\5\6") + SIZE
    return content[:at] + (MOST_OCTETS + 1).to_bytes(4, "little") + content[at + 4 :]


@pytest.mark.parametrize("comment", [b"", b"by hand", b"x" * 65_535])
def test_a_usual_file_is_small_and_one_with_a_long_directory_is_not(comment: bytes) -> None:
    assert is_small(packed(comment))
    assert not is_small(large(packed(comment)))


@pytest.mark.parametrize("decoy", [b"PK\5\6", b"PK\5\6" + bytes(18), b"PK\5\6" * 4])
def test_a_mark_in_the_comment_hides_nothing(decoy: bytes) -> None:
    assert not is_small(large(packed(decoy)))


def test_nor_does_one_in_the_fields_of_the_record_itself() -> None:
    content = large(packed())
    at = content.find(b"PK\5\6") + 16  # where the directory begins: zipfile does without
    hiding = content[:at] + b"PK\5\6" + content[at + 4 :]
    assert hiding.rfind(b"PK\5\6") == at
    assert not is_small(hiding)


def test_a_file_of_more_than_four_gigabytes_is_none_of_ours() -> None:
    assert not is_small(b"PK\6\7" + bytes(16) + packed())


def test_what_is_no_zip_file_is_left_to_zipfile() -> None:
    assert is_small(b"")
    assert is_small(b"a.example\n")
