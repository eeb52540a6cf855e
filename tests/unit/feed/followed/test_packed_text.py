# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from shutil import copyfileobj
from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.errors import ForeignContentError, TooLargeError
from filterd.feed.followed import packed_text
from filterd.feed.followed.packed_text import packing_of, unpack_text

if TYPE_CHECKING:
    from pathlib import Path

TEXT = b"a.example\n" * 50
MOST = 10_000


def _tar(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return file.getvalue()


def _zip(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def _begins_before(archive: bytes) -> bytes:
    """Return a zip file whose directory is said to begin before the file does."""
    at = archive.rfind(b"PK\5\6") + 16
    return archive[:at] + (0xFFFF_F000).to_bytes(4, "little") + archive[at + 4 :]


PACKED = {
    "list.txt": (TEXT, ""),
    "list.txt.gz": (gzip.compress(TEXT), ""),
    "one.zip": (_zip({"x.txt": TEXT}), ""),
    "named.zip": (_zip({"readme": b"no", "x/domains": TEXT}), "x/domains"),
    "one.tar.gz": (_tar({"domains": TEXT}), ""),
    "named.tgz": (_tar({"./a/usage": b"no", "./a/domains": TEXT}), "a/domains"),
}
BAD = {
    "a page.gz": (b"<html>", ""),
    "cut.gz": (gzip.compress(TEXT)[:-9], ""),
    "a page.zip": (b"<html>", ""),
    "before.zip": (_begins_before(_zip({"a": TEXT})), ""),
    "two.zip": (_zip({"a": TEXT, "b": TEXT}), ""),
    "other.zip": (_zip({"a": TEXT}), "domains"),
    "directory.zip": (_zip({f"{n:09}" * 20: b"" for n in range(5_000)}), "domains"),
    "a page.tar.gz": (gzip.compress(b"<html>" * 200), ""),
    "other.tar.gz": (_tar({"../../etc/passwd": TEXT}), "domains"),
    "many.tar.gz": (_tar({f"{n}": b"" for n in range(1_100)} | {"domains": TEXT}), "domains"),
}


def _unpack(folder: Path, name: str, content: bytes, member: str) -> bytes:
    path = folder / "text"
    path.write_bytes(content)
    try:
        unpack_text(path, packing_of(f"/{name}"), "one", member, MOST)
    finally:
        assert [one.name for one in folder.iterdir()] == ["text"]
    return path.read_bytes()


@pytest.mark.parametrize("name", PACKED)
def test_the_address_states_how_it_is_packed(tmp_path: Path, name: str) -> None:
    assert _unpack(tmp_path, name, *PACKED[name]) == TEXT


@pytest.mark.parametrize("name", BAD)
def test_what_is_packed_otherwise_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ForeignContentError, match=r"packed as|has no file"):
        _unpack(tmp_path, name, *BAD[name])


@pytest.mark.parametrize("name", ["x.gz", "x.zip", "x.tar.gz", "endless.tar.gz"])
def test_what_expands_beyond_a_text_is_refused(tmp_path: Path, name: str) -> None:
    bomb = b"0" * (MOST + 1)
    packed = {
        "x.gz": gzip.compress(bomb),
        "x.zip": _zip({"x": bomb}),
        "x.tar.gz": _tar({"x": bomb}),
        "endless.tar.gz": _tar({"zeros": b"0" * 2_000_000, "domains": TEXT}),
    }
    with pytest.raises(TooLargeError, match="it has more than"):
        _unpack(tmp_path, name, packed[name], "domains" if name.startswith("endless") else "")


@pytest.mark.parametrize("name", ["x.gz", "x.zip", "x.tar.gz"])
def test_control_without_the_bound_a_bomb_is_written_as_far_as_it_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    bomb = b"0" * (500 * MOST)
    packed = {
        "x.gz": gzip.compress(bomb),
        "x.zip": _zip({"x": bomb}),
        "x.tar.gz": _tar({"x": bomb}),
    }
    monkeypatch.setattr(packed_text, "_copy", lambda text, to, _most: copyfileobj(text, to))
    monkeypatch.setattr("filterd.base.archives._Bounded", lambda raw, _most: raw)
    assert len(packed[name]) < MOST
    assert len(_unpack(tmp_path, name, packed[name], "")) == 500 * MOST


def test_control_without_the_bound_of_a_stream_all_of_a_tar_file_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = _tar({"zeros": b"0" * 2_000_000, "domains": TEXT})
    monkeypatch.setattr("filterd.base.archives._Bounded", lambda raw, _most: raw)
    assert _unpack(tmp_path, "endless.tar.gz", packed, "domains") == TEXT


def test_control_without_a_bound_of_members_each_header_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packed_text, "MOST_MEMBERS", 1 << 30)
    assert _unpack(tmp_path, "many.tar.gz", *BAD["many.tar.gz"]) == TEXT


def test_control_without_a_name_whatever_stands_first_in_an_archive_is_the_list(
    tmp_path: Path,
) -> None:
    packed = _tar({"../../etc/passwd": b"root.example\n", "domains": TEXT})
    assert _unpack(tmp_path, "any.tar.gz", packed, "domains") == TEXT
    assert _unpack(tmp_path, "any.tar.gz", packed, "") == b"root.example\n"


def test_control_without_the_bound_of_a_directory_each_of_its_entries_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = list[str]()

    class Counted(zipfile.ZipInfo):
        def __init__(self, *given: Any) -> None:
            made.append(given[0])
            super().__init__(*given)

    content, member = BAD["directory.zip"]
    monkeypatch.setattr(zipfile, "ZipInfo", Counted)
    with pytest.raises(ForeignContentError):
        _unpack(tmp_path, "directory.zip", content, member)
    assert not made
    monkeypatch.setattr("filterd.base.archives._is_small", lambda _: True)
    with pytest.raises(ForeignContentError):
        _unpack(tmp_path, "directory.zip", content, member)
    assert len(made) == 5_000
