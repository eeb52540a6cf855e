# SPDX-License-Identifier: Apache-2.0
"""A backup is whole or refused in one sentence; bytes of others lead nowhere."""

from __future__ import annotations

import errno
import io
import json
import zipfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from filterd.appliance.backup import backup_file
from filterd.appliance.backup.backup_file import (
    MANIFEST,
    Backup,
    check_other_disk,
    dump,
    is_on_disk_of,
    is_part,
    keep,
    name_of,
    read,
    write,
)
from filterd.base.errors import ConfigError, StoreError
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Callable

PARTS = {"site/site.yaml": b"school: {name: M}\n", "history.jsonl": b"x" * 5_000}
BACKUP = Backup(1.0, "ab cd", "Trường mẫu", PARTS)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "b.zip"


def test_a_backup_is_read_as_it_was_written(path: Path) -> None:
    assert write(path, BACKUP) == path.stat().st_size
    assert read(path) == BACKUP
    assert path.stat().st_mode & 0o077 == 0
    assert BACKUP.beneath("site/") == {"site.yaml": PARTS["site/site.yaml"]}


def test_each_cut_and_each_flipped_bit_shows(path: Path) -> None:
    content = dump(BACKUP)
    for end in range(0, len(content), 97):
        path.write_bytes(content[:end])
        with pytest.raises(StoreError, match=r"damaged or cut short|not a backup"):
            read(path)
    for at in range(0, len(content), 53):
        path.write_bytes(content[:at] + bytes([content[at] ^ 4]) + content[at + 1 :])
        with suppress(StoreError):
            assert read(path).parts == PARTS  # such as a time that nothing reads


def remade(
    manifest: Callable[[dict[str, Any]], Any] = lambda _: None,
    how: int = zipfile.ZIP_DEFLATED,
    **parts: bytes,
) -> bytes:
    """Return a file of another maker."""
    with zipfile.ZipFile(io.BytesIO(dump(BACKUP))) as archive:
        plain = json.loads(archive.read(MANIFEST))
    manifest(plain)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", how) as archive:
        archive.writestr(MANIFEST, json.dumps(plain))
        for name, content in {**PARTS, **parts}.items():
            archive.writestr(name, content)
    return stream.getvalue()


def _set(**keys: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda manifest: manifest.update(keys)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (remade(_set(format=2, filterd="9.0")), r"newer filterd \(9.0\)"),
        (remade(_set(magic="x")), "not a backup of filterd"),
        (remade(_set(parts=[])), "damaged"),
        (remade(_set(parts={})), "damaged"),
        (remade(_set(device=5)), "damaged"),
        (remade(_set(made_at="x")), "damaged"),
        (remade(_set(made_at=10**400)), "damaged"),
        (remade(_set(made_at=float("nan"))), "damaged"),
        (remade(_set(made_at=1e300)), "damaged"),
        (dump(replace(BACKUP, parts=PARTS | {"site/site.yaml/x": b""})), "damaged"),
        (dump(replace(BACKUP, parts=PARTS | {"site/secrets/mail": b"x"})), "damaged"),
        (remade(how=zipfile.ZIP_LZMA), "damaged"),
        (remade(how=zipfile.ZIP_BZIP2), "damaged"),
        (remade(lambda manifest: manifest["parts"][0].update(octets=10**12)), "damaged"),
        (remade(lambda manifest: manifest["parts"][0].update(name="../etc/x")), "damaged"),
        (remade(lambda manifest: manifest["parts"].append(manifest["parts"][0])), "damaged"),
        (remade(other=b"x"), "damaged"),
        (b"", "not a backup"),
        (b"PK\x03\x04" + b"x" * 100, "damaged"),
        (b"PK\x05\x06" + bytes(18), "not a backup"),
        (b"\xff" * 100, "not a backup"),
        (b"PK\x05\x06" + bytes(8) + b"\xff\xff\xff\x7f" + bytes(6), "not a backup"),
    ],
)
def test_what_is_no_backup_is_refused_in_a_sentence(path: Path, content: bytes, why: str) -> None:
    path.write_bytes(content)
    with pytest.raises(StoreError, match=why):
        read(path)


def test_a_part_that_unpacks_to_more_than_was_announced_is_not_unpacked(path: Path) -> None:
    bomb = remade(lambda _: None, zipfile.ZIP_DEFLATED, **{"history.jsonl": bytes(200 << 20)})
    path.write_bytes(bomb)
    with pytest.raises(StoreError, match="damaged"):
        read(path)


@pytest.mark.parametrize(
    "name", ["", "/etc/x", "../x", "a/../b", "a//b", ".x", "a/.x", "a\\b", "a\nb", 5, "x" * 300]
)
def test_names_that_lead_elsewhere_are_no_parts(name: object) -> None:
    assert not is_part(name)
    assert is_part("site/lists/Danh sách.txt")


def test_too_much_is_not_written(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backup_file, "MOST_OCTETS", 100)
    with pytest.raises(StoreError, match="more to back up"):
        write(path, BACKUP)
    assert not path.exists()


def test_a_disk_that_gives_back_something_else_is_noticed(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        backup_file, "write_atomically", lambda path, content, **_: path.write_bytes(content[:-1])
    )
    with pytest.raises(StoreError, match="does not return what was written"):
        write(path, BACKUP)


DAY_S = 86_400.0
DATED = Backup(1_700_000_000.0, "ab cd", "Mẫu", {"site/site.yaml": b"x"})


def nights(folder: Path, first: int, last: int, most: int = 3) -> list[str]:
    for night in range(first, last + 1):
        keep(folder, replace(DATED, made_at=DATED.made_at + night * DAY_S), most)
    return sorted(path.name for path in folder.iterdir())


def test_the_oldest_go_and_those_of_other_boxes_stay(tmp_path: Path) -> None:
    other = keep(tmp_path, replace(DATED, device="ef"), 3).path
    there = nights(tmp_path, 1, 5)
    assert len(there) == 4
    assert other.name in there
    assert name_of(replace(DATED, made_at=DATED.made_at + DAY_S)) not in there


def test_damaged_ones_do_not_count_as_kept(tmp_path: Path) -> None:
    nights(tmp_path, 1, 3)
    good = tmp_path / name_of(replace(DATED, made_at=DATED.made_at + DAY_S))
    for night in (2, 3):
        path = tmp_path / name_of(replace(DATED, made_at=DATED.made_at + night * DAY_S))
        path.write_bytes(path.read_bytes()[:-9])
    nights(tmp_path, 4, 5)
    assert good.exists()


def test_a_failure_leaves_all_that_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = nights(tmp_path, 1, 3)

    def fail(*_: object) -> int:
        raise StoreError(say("no"))

    monkeypatch.setattr(backup_file, "write", fail)
    with pytest.raises(StoreError):
        nights(tmp_path, 4, 4)
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_what_a_pulled_stick_left_is_removed_by_the_next_night(tmp_path: Path) -> None:
    own, other = (
        tmp_path / f".{name_of(replace(DATED, device=one))}.77.tmp"
        for one in (DATED.device, "of another box, which is at work")
    )
    for left in (own, other):
        left.write_bytes(b"half")
    nights(tmp_path, 1, 1)
    assert (own.exists(), other.exists()) == (False, True)


@pytest.mark.parametrize("call", ["is_dir", "glob"])
def test_a_stick_that_is_pulled_out_is_an_error_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def gone(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(type(tmp_path), call, gone)
    with pytest.raises(StoreError, match="cannot be written"):
        keep(tmp_path, DATED, 3)


def test_no_folder_is_made_where_the_stick_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no folder"):
        keep(tmp_path / "usb", DATED, 3)
    assert not (tmp_path / "usb").exists()


def test_a_folder_on_the_disk_of_the_gateway_is_none(tmp_path: Path) -> None:
    assert is_on_disk_of(tmp_path, tmp_path)
    assert not is_on_disk_of(tmp_path / "x", tmp_path)
    with pytest.raises(StoreError, match="same disk"):
        check_other_disk(tmp_path, tmp_path)
    assert is_on_disk_of(Path("/usr"), Path("/proc"))  # a state folder on a disk of its own
