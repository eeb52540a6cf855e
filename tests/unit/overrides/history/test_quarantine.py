# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from filterd.base.errors import StoreError
from filterd.overrides.history import quarantine

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "overrides.sqlite"


def test_a_file_that_is_set_aside_keeps_what_was_beside_it(path: Path) -> None:
    path.parent.mkdir()
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).write_bytes(suffix.encode())
    kept = quarantine.set_aside(path, 0.0)
    assert kept.name == "overrides.sqlite.damaged-19700101T000000Z-001"
    names = {one.name.removeprefix(kept.name) for one in path.parent.iterdir()}
    assert names == {"", "-wal", "-shm"}
    assert quarantine.files(path) == [kept]


def test_a_file_that_was_altered_is_called_so(path: Path) -> None:
    path.parent.mkdir()
    lines = []
    for altered in (True, False):
        path.write_bytes(b"x")
        kept = quarantine.set_aside(path, 0.0, altered=altered)
        lines.append(
            (
                quarantine.is_altered(kept),
                str(quarantine.remedy_for(kept)).removeprefix(f"{kept}: ")[:26],
            )
        )
    assert lines == [(True, "this history was altered a"), (False, "this history was damaged a")]
    assert len(quarantine.files(path)) == 2


def test_the_newest_of_those_set_aside_are_kept(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quarantine, "KEPT_ASIDE", 2)
    path.parent.mkdir()
    for at in (0.0, 0.0, 5.0):
        path.write_bytes(b"x")
        path.with_name(f"{path.name}-wal").write_bytes(b"x")
        quarantine.set_aside(path, at)
    assert [file.name[-20:] for file in quarantine.files(path)] == [
        "19700101T000000Z-002",
        "19700101T000005Z-001",
    ]
    assert len(list(path.parent.iterdir())) == 4


def test_only_what_was_lost_is_reported_by_every_command(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"x")
    quarantine.set_aside(path, 0.0)
    assert list(quarantine.lost(path)) == []
    noted = quarantine.note_lost(path, 0.0)
    path.write_bytes(b"x")
    kept = quarantine.set_aside(path, 0.0, altered=True, lost=True)
    assert set(map(str, quarantine.lost(path))) == {
        str(quarantine.remedy_for(one)) for one in (noted, kept)
    }
    assert quarantine.is_altered(kept)
    noted.unlink()
    kept.unlink()
    assert list(quarantine.lost(path)) == []


def test_what_is_removed_need_not_be_there(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"")
    quarantine.remove(path, path)
    assert not path.exists()


def test_a_thousandth_file_of_one_second_is_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.parent.mkdir()
    path.write_bytes(b"x")
    tried = list[str]()

    def is_there(one: Path) -> bool:
        tried.append(one.name[-3:])
        return True

    monkeypatch.setattr(os.path, "lexists", is_there)
    with pytest.raises(StoreError, match="there are too many already"):
        quarantine.set_aside(path, 0.0)
    assert (tried[0], tried[-1], len(tried)) == ("001", "999", 999)
    assert path.read_bytes() == b"x"


def test_of_files_that_are_too_old_what_was_beside_them_goes_and_they_stay_last(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quarantine, "KEPT_ASIDE", 1)
    removed = list[str]()
    path.parent.mkdir()
    for at in (0.0, 5.0):
        path.write_bytes(b"x")
        path.with_name(f"{path.name}-wal").write_bytes(b"x")
        monkeypatch.setattr(
            quarantine,
            "remove",
            lambda *paths: removed.extend(one.name.rpartition("Z")[2] for one in paths),
        )
        quarantine.set_aside(path, at)
    assert removed[0] == "-001"
    assert {"-001", "-001-wal"} <= set(removed)


def test_a_disk_that_refuses_is_reported_with_the_file(path: Path) -> None:
    path.parent.mkdir()
    with pytest.raises(StoreError, match=r"overrides.sqlite: cannot be set aside: "):
        quarantine.set_aside(path, 0.0)
    (path.parent / "folder").mkdir()
    with pytest.raises(StoreError, match="folder: cannot be removed: "):
        quarantine.remove(path.parent / "folder")


def test_the_mark_of_a_file_that_is_gone_is_empty_and_tells_what_to_do(path: Path) -> None:
    path.parent.mkdir()
    noted = quarantine.note_lost(path, 0.0)
    assert noted.read_bytes() == b""
    assert "settings made by commands were lost" in str(quarantine.remedy_for(noted))
    assert not quarantine.is_altered(noted)


def test_the_ends_of_names_are_an_interface(path: Path) -> None:
    """A file of an earlier release has them."""
    path.parent.mkdir()
    ends = []
    for at, how in enumerate(
        ({}, {"altered": True}, {"lost": True}, {"altered": True, "lost": True})
    ):
        path.write_bytes(b"x")
        ends.append(quarantine.set_aside(path, float(at), **how).name.partition("-001")[2])
    assert ends == ["", "-altered", "-lost", "-altered-lost"]
    assert quarantine.KEPT_ASIDE == 8
