# SPDX-License-Identifier: Apache-2.0
"""What was forgotten is in no octet of the folder."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import signal
import sqlite3
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from filterd.querylog import day_erasure
from filterd.querylog.day_erasure import Doomed, erase
from filterd.querylog.day_schema import subtree
from filterd.querylog.seen_names import SeenName
from filterd.wire import name as names
from tests.support.day_lookups import a_batch, a_lookup, begin_of, select, with_files
from tests.support.dying import dies_at_disk, dies_at_statement
from tests.support.failing_disk import FAULTS, FailingDisk, Fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from filterd.querylog.day_file import DayFiles

DAY = "2026-11-28"
NINE = begin_of(date(2026, 11, 28)) + 9 * 3600
TIKTOK = Doomed(names=subtree(names.from_text("tiktok.com")))
OF_TIKTOK = ("tiktok.com", "www.tiktok.com", *(f"v{n}.cdn.tiktok.com" for n in range(300)))
OTHERS = ("tiktok.vn", "xtiktok.com", "com", *(f"{n}.example.com" for n in range(300)))


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A day with 606 names; a device of its own for each of the last 300 of them."""
    folder = tmp_path_factory.mktemp("original") / "log"

    async def fill(files: DayFiles) -> None:
        lookups = (
            a_lookup(NINE + number, name, device=number if number > 300 else 7)
            for number, name in enumerate((*OF_TIKTOK, *OTHERS), 1)
        )
        await files.write([a_batch(1, *lookups)])
        seen = [SeenName("primary", names.from_text(name), "", "pass", 5) for name in OF_TIKTOK[:2]]
        await files.add_seen(DAY, seen)

    with_files(folder, fill)
    return folder / f"{DAY}.sqlite3"


@pytest.fixture
def path(original: Path, tmp_path: Path) -> Path:
    (tmp_path / "log").mkdir()
    return Path(shutil.copy(original, tmp_path / "log"))


def octets(folder: Path) -> bytes:
    return b"\0".join(one.read_bytes() for one in folder.iterdir())


def test_a_subtree_is_forgotten_to_the_last_octet_and_nothing_else(path: Path) -> None:
    assert b"tiktok" in octets(path.parent)
    assert erase(path, TIKTOK) == len(OF_TIKTOK) + 2
    assert b"com.tiktok" not in octets(path.parent)
    left = {name for (name,) in select(path, "SELECT name FROM names")}
    assert left == {".".join(reversed(name.split("."))) for name in OTHERS}
    assert select(path, "SELECT COUNT(*) FROM lookups") == [(len(OTHERS),)]
    assert select(path, "PRAGMA integrity_check") == [("ok",)]
    assert [one.name for one in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("pragma", ["secure_delete = OFF", "journal_mode = WAL"])
def test_control_a_row_that_is_deleted_leaves_its_octets(path: Path, pragma: str) -> None:
    """Without ``secure_delete`` in free pages, with it in the write-ahead log."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute(f"PRAGMA {pragma}")
    doomed = "DELETE FROM names WHERE name LIKE 'com.tiktok%'"
    other.execute(doomed)
    found = octets(path.parent)
    other.close()
    assert b"com.tiktok" in found


def test_a_name_without_rows_is_forgotten_too(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("INSERT INTO names VALUES (9999, 'com.tiktok.of-no-row')")
        connection.execute("DELETE FROM lookups")
        connection.execute("DELETE FROM seen")
        connection.commit()
    assert erase(path, TIKTOK) == 0
    assert b"of-no-row" not in octets(path.parent)


def test_rows_of_a_device_are_forgotten_with_the_names_that_it_alone_looked_up(path: Path) -> None:
    assert erase(path, Doomed(device=600)) == 1
    assert select(path, "SELECT COUNT(*) FROM lookups WHERE device = 600") == [(0,)]
    assert b"com.example.294" not in octets(path.parent)
    assert select(path, "SELECT COUNT(*) FROM names") == [(len(OF_TIKTOK) + len(OTHERS) - 1,)]


def test_a_name_that_k_devices_asked_for_outlives_one_of_them(path: Path) -> None:
    erase(path, Doomed(device=7))
    joined = "SELECT names.name FROM seen JOIN names ON id = seen.name ORDER BY 1"
    assert select(path, joined) == [("com.tiktok",), ("com.tiktok.www",)]


def test_a_file_without_it_stays_as_it_is(path: Path) -> None:
    before = path.stat()
    assert erase(path, Doomed(names=subtree(names.from_text("other.example")))) == 0
    assert (path.stat().st_ino, path.stat().st_mtime) == (before.st_ino, before.st_mtime)


def test_what_was_not_yet_in_the_file_itself_is_kept_or_forgotten_as_well(path: Path) -> None:
    """A writer that was killed leaves a write-ahead log."""

    def leave_a_log() -> None:
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        for number, name in ((9998, "com.tiktok.late"), (9999, "example.late")):
            connection.execute("INSERT INTO names VALUES (?, ?)", (number, name))
            connection.execute("INSERT INTO seen VALUES ('primary', ?, '', 'pass', 5)", (number,))
        os.kill(os.getpid(), signal.SIGKILL)

    assert dies_at_disk(leave_a_log, 10**6)
    assert path.with_name(f"{path.name}-wal").stat().st_size > 0
    erase(path, TIKTOK)
    assert b"com.tiktok" not in octets(path.parent)
    assert ("example.late",) in select(
        path, "SELECT names.name FROM seen JOIN names ON id = seen.name"
    )


def test_a_file_that_is_being_read_is_tried_later(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(day_erasure, "READ_FOR_S", 0.02)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("PRAGMA journal_mode = WAL")
        reader.execute("CREATE TABLE newer (n)")
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM names").fetchone()
        with pytest.raises(sqlite3.OperationalError, match="it is being read"):
            erase(path, TIKTOK)
        reader.execute("COMMIT")
        assert erase(path, TIKTOK) > 0  # an idle reader does not matter
        assert b"com.tiktok" not in octets(path.parent)
    assert select(path, "PRAGMA integrity_check") == [("ok",)]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_whichever_call_the_disk_refuses_the_file_is_the_old_or_the_new(
    path: Path, original: Path, fault: Fault
) -> None:
    disk = FailingDisk(path.parent)
    with disk.counting(fault):
        erase(path, TIKTOK)
    for call in range(disk.calls):
        shutil.copy(original, path)
        with disk.failing(fault, call), pytest.raises(OSError, match=str(path.parent)):
            erase(path, TIKTOK)
        assert select(path, "PRAGMA integrity_check") == [("ok",)]
        ((n,),) = select(path, "SELECT COUNT(*) FROM lookups")
        assert n in (len(OF_TIKTOK) + len(OTHERS), len(OTHERS))


def test_a_disk_without_room_for_the_new_file_keeps_the_old_one(path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, hard))
    try:
        with pytest.raises(sqlite3.OperationalError, match="disk I/O error"):
            erase(path, TIKTOK)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [one.name for one in path.parent.iterdir()] == [path.name]
    assert select(path, "SELECT COUNT(*) FROM lookups") == [(len(OF_TIKTOK) + len(OTHERS),)]


@pytest.mark.parametrize("dies", [dies_at_statement, dies_at_disk])
def test_wherever_it_is_killed_the_file_is_the_old_or_the_new(
    path: Path, original: Path, dies: Callable[[Callable[[], object], int], bool]
) -> None:
    steps = 0
    while dies(lambda: erase(path, TIKTOK), steps):
        assert select(path, "PRAGMA integrity_check") == [("ok",)]
        ((n,),) = select(path, "SELECT COUNT(*) FROM lookups")
        assert n in (len(OF_TIKTOK) + len(OTHERS), len(OTHERS))
        if n == len(OTHERS):
            shutil.copy(original, path)
        steps += 1
        assert steps < 100
    assert steps >= 4
    assert b"com.tiktok" not in path.read_bytes()
