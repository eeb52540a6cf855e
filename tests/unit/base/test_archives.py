# SPDX-License-Identifier: Apache-2.0
"""Archives that ask for more than they need are refused before it is given."""

from __future__ import annotations

import gzip
import io
import sys
import tarfile
import zipfile

import pytest

from filterd.base import archives
from filterd.base.archives import (
    DAMAGED,
    MOST_DIRECTORY_OCTETS,
    MOST_HEADER_OCTETS,
    LongDirectoryError,
    TooLongError,
    opened_tar_gz,
    opened_zip,
)

SIZE = 12
"""Where the length of the directory stands in the last record."""


def packed(comment: bytes = b"", how: int = zipfile.ZIP_STORED) -> bytes:
    octets = io.BytesIO()
    with zipfile.ZipFile(octets, "w", how) as archive:
        archive.writestr("list.txt", "a.example\n")
        archive.comment = comment
    return octets.getvalue()


def large(content: bytes) -> bytes:
    at = content.find(b"PK\5\6") + SIZE
    return content[:at] + (MOST_DIRECTORY_OCTETS + 1).to_bytes(4, "little") + content[at + 4 :]


def is_refused(content: bytes) -> bool:
    """Return whether the directory is too long to be read at all."""
    try:
        opened_zip(io.BytesIO(content))
    except LongDirectoryError:
        return True
    except zipfile.BadZipFile:
        return False
    return False


@pytest.mark.parametrize("comment", [b"", b"by hand", b"x" * 65_535])
def test_a_usual_file_is_opened_and_one_with_a_long_directory_is_not(comment: bytes) -> None:
    assert opened_zip(io.BytesIO(packed(comment))).namelist() == ["list.txt"]
    assert is_refused(large(packed(comment)))


@pytest.mark.parametrize("decoy", [b"PK\5\6", b"PK\5\6" + bytes(18), b"PK\5\6" * 4])
def test_a_mark_in_the_comment_hides_nothing(decoy: bytes) -> None:
    assert is_refused(large(packed(decoy)))


def test_nor_does_one_in_the_fields_of_the_record_itself() -> None:
    content = large(packed())
    at = content.find(b"PK\5\6") + 16  # where the directory begins: zipfile does without
    hiding = content[:at] + b"PK\5\6" + content[at + 4 :]
    assert hiding.rfind(b"PK\5\6") == at
    assert is_refused(hiding)


def test_a_file_of_more_than_four_gigabytes_is_none_of_ours() -> None:
    assert is_refused(b"PK\6\7" + bytes(16) + packed())


@pytest.mark.parametrize("content", [b"", b"a.example\n"])
def test_what_is_no_zip_file_is_left_to_zipfile(content: bytes) -> None:
    with pytest.raises(zipfile.BadZipFile, match="not a zip file"):
        opened_zip(io.BytesIO(content))


@pytest.mark.parametrize("how", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_members_that_unpack_in_as_much_memory_as_they_ask_for_are_refused(how: int) -> None:
    with pytest.raises(zipfile.BadZipFile, match="not expected"):
        opened_zip(io.BytesIO(packed(how=how)))


def test_control_zipfile_itself_opens_them() -> None:
    content = packed(how=zipfile.ZIP_LZMA)
    assert zipfile.ZipFile(io.BytesIO(content)).read("list.txt") == b"a.example\n"


def _tar_gz(member: tarfile.TarInfo, content: bytes, form: int) -> bytes:
    octets = io.BytesIO()
    with tarfile.open(fileobj=octets, mode="w:gz", format=form) as archive:
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return octets.getvalue()


def _named(name: str, form: int) -> bytes:
    return _tar_gz(tarfile.TarInfo(name), b"a.example\n", form)


def _commented(octets: int) -> bytes:
    member = tarfile.TarInfo("list.txt")
    member.pax_headers = {"comment": "0" * octets}
    return _tar_gz(member, b"a.example\n", tarfile.PAX_FORMAT)


def _first(content: bytes, most: int = 1 << 30) -> bytes:
    with opened_tar_gz(io.BytesIO(content), most) as archive:
        text = archive.extractfile(next(iter(archive)))
        assert text is not None
        return text.read()


LONG = [
    _named("a" * MOST_HEADER_OCTETS, tarfile.GNU_FORMAT),
    _named("a" * MOST_HEADER_OCTETS, tarfile.PAX_FORMAT),
    _commented(MOST_HEADER_OCTETS),
]


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_a_usual_tar_file_is_read_in_each_format(form: int) -> None:
    assert _first(_named("a" * 90, form)) == b"a.example\n"
    if form != tarfile.USTAR_FORMAT:
        assert _first(_named("a/" * 2_000, form)) == b"a.example\n"


@pytest.mark.parametrize("content", LONG)
def test_what_stands_beside_a_member_and_is_long_is_not_read(content: bytes) -> None:
    with pytest.raises(tarfile.ReadError, match="more than a list needs"):
        _first(content)


@pytest.mark.parametrize("content", LONG)
def test_control_tarfile_itself_reads_it(content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "_Header", tarfile.TarInfo)
    assert _first(content) == b"a.example\n"


def test_an_archive_that_unpacks_to_more_than_it_may_is_not_read_to_its_end() -> None:
    content = _tar_gz(tarfile.TarInfo("list.txt"), bytes(1 << 20), tarfile.GNU_FORMAT)
    with pytest.raises(TooLongError):
        _first(content, 1 << 16)
    assert len(_first(content)) == 1 << 20


def _skipped(size: int) -> bytes:
    """Return an archive whose first member says that it is longer than the file."""
    block = bytearray(tarfile.TarInfo("a").tobuf(tarfile.GNU_FORMAT))
    block[124:136] = b"\x80" + size.to_bytes(11, "big")
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return gzip.compress(bytes(block) + bytes(1024))


def _second(content: bytes) -> None:
    with opened_tar_gz(io.BytesIO(content), 1 << 30) as archive:
        next(members := iter(archive))
        next(members)


def test_a_member_beyond_the_end_of_the_file_is_not_skipped_for_ever() -> None:
    with pytest.raises((EOFError, tarfile.ReadError)):
        _second(_skipped(1 << 87))


def test_control_tarfile_itself_reads_on_after_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    reads = list[bytes]()

    class Noting:
        def __init__(self, raw: gzip.GzipFile, _most: int) -> None:
            self._raw = raw

        def read(self, octets: int) -> bytes:
            reads.append(self._raw.read(octets))
            return reads[-1]

    monkeypatch.setattr(archives, "_Bounded", Noting)
    with pytest.raises(tarfile.ReadError):
        _second(_skipped(20_000_000))
    # From 3.13 on it looks at what it has read.
    assert (reads.count(b"") > 1_000) is (sys.version_info < (3, 13))


def test_memory_that_is_short_is_no_damage() -> None:
    assert not issubclass(MemoryError, DAMAGED)
