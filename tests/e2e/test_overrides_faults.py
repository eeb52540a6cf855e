# SPDX-License-Identifier: Apache-2.0
"""Changes by command, on failing disks and in dying processes.

The invariant: an acknowledged change is in force, beside it at most the unfinished one,
wholly; and changes can be made again.
"""

from __future__ import annotations

import contextlib
import os
import random
import select
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import filterd
from filterd.base.errors import StoreError
from filterd.base.state_folder import StateFolder
from filterd.overrides.history import snapshot, store_file
from filterd.overrides.history.history_chain import HistoryRow
from filterd.overrides.history.policy_versions import PolicyVersions
from filterd.overrides.history.store import Store
from filterd.policy.temporary_rules import Overrides
from tests.support.changes import an_exception
from tests.support.clock import FakeClock
from tests.support.dying import dies_at_line, dies_at_statement
from tests.support.policies import a_policy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Dying = Callable[[Callable[[], object], int], bool]

pytestmark = pytest.mark.long

PACKAGE = Path(filterd.__file__).parent
LINES = int(os.environ.get("FILTERD_KILLS", "23"))
"""How many lines to go on after each death; 1 dies at every line there is."""


@pytest.fixture
def state() -> Iterator[StateFolder]:
    """Give a folder on a disk that syncs at once, if there is one: it is synced often here."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        yield StateFolder(Path(folder))


LEFT_OVER = (".sqlite-wal", ".sqlite-shm", ".tmp")


def a_store(state: StateFolder) -> Store:
    return Store(state, FakeClock())


def allow(store: Store, name: str) -> None:
    store.change("exception", an_exception(target=name), author="lan", reason="bài học")


def targets(overrides: Overrides) -> list[str]:
    return [exception.target for exception in overrides.exceptions]


def in_force(state: StateFolder) -> list[str]:
    """Start, and return what is set; the copy, the rows and a second start must agree."""
    started = a_store(state).start()
    for copy in state.overrides_copies:
        copied = snapshot.newest((copy,))
        assert (copied.overrides if copied else Overrides()) == started.overrides
    assert a_store(state).current() == started.overrides
    assert a_store(state).start().problem == ""
    assert a_store(state).verify().first_bad is None
    left = [one for one in state.folder.iterdir() if one.name.endswith(LEFT_OVER)]
    assert not left or not state.overrides.exists()
    return targets(started.overrides)


@pytest.mark.parametrize(("dies", "stride"), [(dies_at_line, LINES), (dies_at_statement, 1)])
@pytest.mark.parametrize("there", [[], ["a.example", "b.example"]])
def test_a_change_whose_process_is_killed_is_made_or_not(
    state: StateFolder, dies: Dying, stride: int, there: list[str]
) -> None:
    for name in there:
        allow(a_store(state), name)
    before = {path: path.read_bytes() for path in state.folder.iterdir()}
    step, died = 0, True
    while died:
        died = dies(partial(allow, a_store(state), "new.example"), step)
        assert in_force(state) in ([*there, "new.example"], *([there] if died else []))
        for path in state.folder.iterdir():
            path.unlink()
        for path, content in before.items():
            path.write_bytes(content)
        step += stride
    assert step > 8 * stride


def test_a_damaged_store_whose_keeper_is_killed_is_set_aside_by_the_next(
    state: StateFolder,
) -> None:
    allow(a_store(state), "a.example")
    step, died = 0, True
    while died:
        content = bytearray(state.overrides.read_bytes())
        content[100:4000] = bytes(3900)
        state.overrides.write_bytes(content)
        died = dies_at_line(a_store(state).start, step)
        assert in_force(state) == ["a.example"]
        step += LINES
    assert step > 20 * LINES


def test_an_older_store_whose_migration_is_killed_is_migrated_by_the_next(
    state: StateFolder,
) -> None:
    allow(a_store(state), "a.example")
    step, died = 0, True
    while died:
        with store_file.to_write(state.overrides, check=True) as connection:
            connection.execute("DROP TABLE policies")
            connection.execute("PRAGMA user_version = 1")
            connection.execute("COMMIT")
        died = dies_at_statement(a_store(state).start, step)
        assert in_force(state) == ["a.example"]
        with store_file.to_read(state.overrides) as connection:
            assert connection.execute("PRAGMA user_version").fetchone() == (store_file.VERSION,)
        step += 1
    assert step > 8


def test_a_policy_that_is_noted_by_a_process_that_is_killed_is_noted_or_not(
    state: StateFolder,
) -> None:
    versions = PolicyVersions(state, a_store(state), FakeClock())
    step, died = 0, True
    while died:
        died = dies_at_line(partial(versions.note, a_policy()), step)
        assert all(version.path.exists() for version in versions.all())
        step += LINES
    (version,) = versions.all()
    versions.note(a_policy())
    assert list(state.past_policies.iterdir()) == [version.path]


GO_ON_CHANGING = """
import pathlib, sys
from filterd.base.errors import InUseError
from filterd.overrides.history.store import Store
from filterd.base.state_folder import StateFolder
from tests.support.changes import an_exception
from tests.support.clock import FakeClock
store, number = Store(StateFolder(pathlib.Path(sys.argv[1])), FakeClock()), 0
while number < int(sys.argv[3]):
    name = f"{sys.argv[2]}-{number}.example"
    try:
        store.change("exception", an_exception(target=name), author="lan", reason="r")
    except InUseError:  # "try again": on a slow disk the other takes all of its turns first
        continue
    print(name, flush=True)
    number += 1
"""


def changing(state: StateFolder, name: str, times: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", GO_ON_CHANGING, str(state.folder), name, str(times)]
    return subprocess.Popen(command, cwd=PACKAGE.parent, stdout=subprocess.PIPE, text=True)


def test_whenever_a_process_is_killed_what_it_has_acknowledged_stays(state: StateFolder) -> None:
    dice, acknowledged = random.Random(1), list[str]()
    for life in range(4):
        with changing(state, f"life-{life}", 10_000) as child:
            assert child.stdout is not None
            for _ in range(dice.randrange(1, 20)):
                acknowledged.append(child.stdout.readline().strip())
            select.select([], [], [], dice.random() / 100)  # somewhere in a change
            child.kill()
            acknowledged += child.stdout.read().split()
        now = in_force(state)
        assert set(acknowledged) <= set(now)
        assert len(now) <= len(acknowledged) + life + 1


def test_two_processes_at_once_lose_no_change_of_each_other(state: StateFolder) -> None:
    children = [changing(state, name, 15) for name in ("one", "other")]
    for child in children:
        child.communicate()
        assert child.returncode == 0
    now = in_force(state)
    assert sorted(now) == sorted(
        f"{name}-{n}.example" for name in ("one", "other") for n in range(15)
    )
    assert [row.number for row in a_store(state).rows()] == list(range(30, 0, -1))


def a_sound_state(state: StateFolder) -> list[str]:
    names = [f"name{number}.example" for number in range(60)]
    store = a_store(state)
    for name in names:
        allow(store, name)
    return names


def damages(content: bytes) -> Iterator[bytes]:
    dice = random.Random(1)
    for page in range(0, len(content), 4096):
        yield content[:page] + bytes(4096) + content[page + 4096 :]
        yield content[:page] + dice.randbytes(4096) + content[page + 4096 :]
        yield content[:page]  # truncated
        yield content[: page + dice.randrange(1, 4096)]
    for _ in range(int(os.environ.get("FILTERD_STORE_DAMAGES", "60"))):
        spoilt = bytearray(content)
        spoilt[dice.randrange(len(spoilt))] ^= 1 << dice.randrange(8)
        yield bytes(spoilt)
    yield b"no database at all"


def test_whatever_is_damaged_what_was_set_stays_and_changes_go_on(
    state: StateFolder, caplog: pytest.LogCaptureFixture
) -> None:
    names = a_sound_state(state)
    sound, copy = state.overrides.read_bytes(), state.exported_overrides.read_bytes()
    set_aside = 0
    for damaged in damages(sound):
        for old in state.folder.glob("*.damaged-*"):
            old.unlink()
        state.overrides.write_bytes(damaged)
        for path in state.overrides_copies:
            path.write_bytes(copy)
        for read in (a_store(state).current, a_store(state).rows, a_store(state).verify):
            with contextlib.suppress(StoreError):
                read()
        started = a_store(state).start()
        assert targets(started.overrides) == names
        if "newer filterd" in started.problem:
            continue
        set_aside += bool(started.problem)
        assert bool(list(state.folder.glob("*.damaged-*"))) == bool(started.problem and damaged)
        store = a_store(state)
        allow(store, "more.example")
        assert targets(store.current()) == [*names, "more.example"]
    assert set_aside > 60
    assert caplog.text.count("what was set stays in force") == set_aside


def test_control_without_the_chain_a_row_that_was_altered_would_be_in_force(
    state: StateFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = a_sound_state(state)
    content = state.overrides.read_bytes().replace(b"name7.example", b"game7.example")
    state.overrides.write_bytes(content)
    copy = state.exported_overrides.read_bytes()
    with monkeypatch.context() as careless:
        careless.setattr(HistoryRow, "true_hash", lambda row: row.hash)
        assert targets(a_store(state).current())[7] == "game7.example"
    for path in state.overrides_copies:
        path.write_bytes(copy)
    assert targets(a_store(state).start().overrides) == names


ON_A_SMALL_DISK = """
import pathlib, subprocess, sys
from filterd.base.errors import StoreError
from filterd.overrides.history.store import Store
from filterd.base.state_folder import StateFolder
from tests.support.changes import an_exception
from tests.support.clock import FakeClock

disk = pathlib.Path(sys.argv[1])
state, clock = StateFolder(disk / "state"), FakeClock()
ballast = disk / "ballast"
ballast.write_bytes(bytes(2_900_000))
acknowledged, refused = [], []
for number in range(60):
    name = f"name{number}.example"
    try:
        store = Store(state, clock)
        store.change("exception", an_exception(target=name), author="a", reason="r" * 400)
        acknowledged.append(name)
    except StoreError as error:
        refused.append(str(error))
        assert Store(state, clock).verify().first_bad is None
        assert len(Store(state, clock).rows()) == len(acknowledged)
        before = [one.target for one in Store(state, clock).start().overrides.exceptions]
        assert before == acknowledged, (before, acknowledged)
        if len(refused) == 3:
            ballast.unlink()
assert [one.target for one in Store(state, clock).current().exceptions] == acknowledged
assert Store(state, clock).verify().first_bad is None
assert not Store(state, clock).verify().set_aside
assert len(refused) == 3, refused
subprocess.run(["mount", "-o", "remount,bind,ro", disk], check=True)
started = Store(state, clock).start()
assert [one.target for one in started.overrides.exceptions] == acknowledged
print(started.problem)
try:
    store.change("exception", an_exception(), author="a", reason="r")
except StoreError as error:
    print(error)
print(refused[0])
"""


@pytest.mark.usefixtures("needs_namespaces")
def test_a_disk_that_is_full_or_only_to_read_takes_nothing_away(tmp_path: Path) -> None:
    mounting = 'mount -t tmpfs -o size=3000k tmpfs "$1" && exec "$2" -c "$3" "$1"'
    command = ["unshare", "-rm", "sh", "-c", mounting, "sh", str(tmp_path), sys.executable]
    done = subprocess.run(
        [*command, ON_A_SMALL_DISK],
        cwd=PACKAGE.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = done.stdout.splitlines()
    assert len(lines) == 3, done.stderr
    assert all("cannot be written: " in line for line in lines)
    assert all("is the disk writable" in line for line in lines[:2])
    assert "full" in lines[2] or "No space left" in lines[2]


def test_a_file_that_cannot_be_replaced_is_reported_and_mended_by_a_start(
    state: StateFolder, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    allow(a_store(state), "a.example")
    rename = Path.replace

    def refuse(path: Path, target: Path) -> Path:
        if target == state.exported_overrides:
            raise OSError(5, "Input/output error")
        return rename(path, target)

    with monkeypatch.context() as failing:
        failing.setattr(Path, "replace", refuse)
        allow(a_store(state), "b.example")
    assert "cannot be written: Input/output error" in caplog.text
    assert in_force(state) == ["a.example", "b.example"]


ON_A_DISK_ONLY_TO_READ = """
import os, pathlib, shutil, subprocess, sys
from filterd.overrides.history import store_file
from filterd.overrides.history.store import Store
from filterd.base.paths import with_sides
from filterd.base.state_folder import StateFolder
from tests.support.changes import an_exception
from tests.support.clock import FakeClock

disk = pathlib.Path(sys.argv[1])
state, clock = StateFolder(disk / "state"), FakeClock()
store = Store(state, clock)
for name in ("a.example", "b.example"):
    store.change("exception", an_exception(target=name), author="a", reason="r")
    with store_file.to_write(state.overrides, check=False) as reading:
        reading.execute("COMMIT")
        reading.execute("BEGIN")
        reading.execute("SELECT * FROM changes").fetchall()  # so the WAL stays with what follows
        store.change("exception", an_exception(target="wal-" + name), author="a", reason="r")
        kept = [(path, path.read_bytes()) for path in with_sides(state.overrides)[:2]]
        reading.execute("COMMIT")
for path, content in kept:
    path.write_bytes(content)
subprocess.run(["mount", "-o", "remount,bind,ro", disk], check=True)
assert with_sides(state.overrides)[1].stat().st_size
print(len(Store(state, clock).rows()), Store(state, clock).verify().first_bad)
"""


@pytest.mark.usefixtures("needs_namespaces")
def test_what_a_killed_process_left_in_the_wal_is_read_on_a_disk_only_to_read(
    tmp_path: Path,
) -> None:
    mounting = 'mount -t tmpfs tmpfs "$1" && exec "$2" -c "$3" "$1"'
    command = ["unshare", "-rm", "sh", "-c", mounting, "sh", str(tmp_path), sys.executable]
    done = subprocess.run(
        [*command, ON_A_DISK_ONLY_TO_READ],
        cwd=PACKAGE.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "4 None\n", done.stderr
