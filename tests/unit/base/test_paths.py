# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import contextlib
import errno
import fcntl
import itertools
import os
import stat
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from filterd.base import paths
from filterd.base.errors import ConfigError, StoreError
from filterd.base.paths import (
    has_bad_sector,
    install,
    make_folder,
    open_plain,
    read_plain,
    reading,
    remove_temporaries,
    replacing,
    shipped,
    sole,
    write_atomically,
)
from filterd.texts.i18n import UNSAID, say
from tests.support.bad_card import PAGE_OCTETS, bad_pages
from tests.support.interleaving import Interleaving


@pytest.mark.parametrize("folder", ["policies", "blocklists"])
def test_what_ships_is_found_in_a_checkout(folder: str) -> None:
    assert (shipped(folder) / "README.md").exists()


def test_what_does_not_ship_is_an_error() -> None:
    with pytest.raises(StoreError, match="nothing/ is missing beside the package"):
        shipped("nothing")


def test_a_plain_file_is_opened_to_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"text")
    (tmp_path / "link").symlink_to("file")
    with open_plain(tmp_path / "link") as file:
        assert file.read() == b"text"


def test_a_pipe_without_a_writer_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="Not a plain file"):
        open_plain(tmp_path / "pipe")


def test_a_device_without_end_is_refused() -> None:
    with pytest.raises(OSError, match="Not a plain file"):
        open_plain(Path("/dev/zero"))


def test_a_folder_is_called_a_folder(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError, match="Is a directory"):
        open_plain(tmp_path)


@pytest.mark.parametrize("octets", [0, 1, 1 << 20, (1 << 20) + 1])
def test_reading_takes_the_memory_for_what_is_there(tmp_path: Path, octets: int) -> None:
    """A start with 64 MB left read a policy of 100 kB, and had not the memory for it."""
    path = tmp_path / "file"
    path.write_bytes(bytes(octets))
    assert len(read_plain(path, 1 << 50)) == octets
    with pytest.raises(OSError, match="too large"):
        read_plain(path, octets - 1)


def test_a_written_file_has_the_content_and_the_mode(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "file"
    write_atomically(path, b"content", mode=0o600)
    assert path.read_bytes() == b"content"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    write_atomically(path, b"old")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match="file: cannot be written: No space left on device"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS])
def test_a_full_disk_is_no_error_of_reading(tmp_path: Path, number: int) -> None:
    with (
        pytest.raises(StoreError, match="copy: cannot be written: ") as caught,
        reading(tmp_path / "copy", ConfigError),
    ):
        raise OSError(number, os.strerror(number))
    assert os.strerror(number) in str(caught.value)
    with pytest.raises(ConfigError, match="copy: cannot be read: "), reading("copy", ConfigError):
        raise OSError(errno.EIO, os.strerror(errno.EIO))


def test_a_file_that_is_ready_takes_its_place_only_by_command(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_atomically(path, b"old")
    with replacing(path, b"new"):
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"old"
    with replacing(path, b"new") as replace:
        replace()
        assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_streamed_file_takes_its_place_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file"
    with paths.streaming(path, mode=0o644) as file:
        file.write(b"new")
        assert not path.exists()
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"new", 0o644)
    with pytest.raises(TypeError), paths.streaming(path) as file:
        file.write(b"half" + None)  # type: ignore[operator]
    assert {one.name: one.read_bytes() for one in path.parent.iterdir()} == {"file": b"new"}


def _outcomes_of_two_threads(path: Path, monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Replace a file in a thread before each line of what replaces it; return what stands.

    True for one of the contents, whole and synced.
    """
    contents, synced, fsync = (b"a" * 5_000, b"b" * 6_000), set[tuple[int, int]](), os.fsync

    def note(descriptor: int) -> None:
        fsync(descriptor)
        status = os.fstat(descriptor)
        synced.add((status.st_ino, status.st_size))

    monkeypatch.setattr(os, "fsync", note)
    first, other = (partial(_write, path, content) for content in contents)
    outcomes = list[bool]()
    for line in itertools.count(1):
        synced.clear()
        if not Interleaving(paths).run(first, other, line):
            return outcomes
        status = path.stat()
        is_whole = path.read_bytes() in contents
        outcomes.append(is_whole and (status.st_ino, status.st_size) in synced)
    raise AssertionError


def _write(path: Path, content: bytes) -> None:
    with contextlib.suppress(StoreError), replacing(path, content) as replace:
        replace()
        return
    path.write_bytes(b"refused")


def test_two_threads_put_no_content_of_each_other_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes = _outcomes_of_two_threads(tmp_path / "file", monkeypatch)
    assert len(outcomes) > 20
    assert all(outcomes)
    assert [one.name for one in tmp_path.iterdir()] == ["file"]


@pytest.mark.control
def test_control_with_one_name_for_all_threads_they_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "temporary_of", lambda path: path.with_name(".one.tmp"))
    assert not all(_outcomes_of_two_threads(tmp_path / "file", monkeypatch))


def test_what_a_killed_writer_left_is_removed(tmp_path: Path) -> None:
    for name in (".file.77.tmp", ".other.77.tmp", "file"):
        (tmp_path / name).write_bytes(b"")
    remove_temporaries(tmp_path / "file")
    assert {one.name for one in tmp_path.iterdir()} == {".other.77.tmp", "file"}


def test_what_goes_wrong_meanwhile_is_reported_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="of another thing"), replacing(tmp_path / "file", b"new"):
        raise OSError(5, "of another thing")
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for path in (tmp_path / "file" / "x", Path("/proc/none/x")):
        with pytest.raises(StoreError, match=f"^{path}: cannot be written: "):
            write_atomically(path, b"")


def test_bytes_are_on_the_disk_before_the_name_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[object] = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: order.append(os.fstat(descriptor).st_mode))
    monkeypatch.setattr(paths, "install", lambda *_: order.append("renamed"))
    write_atomically(tmp_path / "file", b"content")
    assert [str(step) == "renamed" for step in order] == [False, True]


def test_installing_replaces(tmp_path: Path) -> None:
    new, old = tmp_path / "new", tmp_path / "old"
    new.write_bytes(b"new")
    old.write_bytes(b"old")
    install(new, old)
    assert old.read_bytes() == b"new"
    assert not new.exists()


@pytest.mark.usefixtures("needs_root")
def test_a_folder_is_made_with_those_above_it_for_their_owner(tmp_path: Path) -> None:
    os.chown(tmp_path, 4321, 4322)
    make_folder(tmp_path / "versions" / "1" / "lists")
    make_folder(tmp_path / "versions" / "1" / "lists")
    for made in ("versions", "versions/1", "versions/1/lists"):
        found, above = (tmp_path / made).stat(), tmp_path.stat()
        assert (found.st_uid, found.st_gid) == (above.st_uid, above.st_gid)
        assert found.st_mode & 0o777 == 0o750


def test_a_file_in_the_way_of_a_folder_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OSError, match="file"):
        make_folder(tmp_path / "file" / "folder")


def test_a_lock_is_refused_while_another_holds_it(tmp_path: Path) -> None:
    lock = tmp_path / "state" / "lock"
    with (
        sole(lock, otherwise=say("taken")),
        pytest.raises(StoreError, match="state: taken"),
        sole(lock, otherwise=say("taken")),
    ):
        pass
    with sole(lock, otherwise=say("taken")):
        pass


def test_a_lock_ends_with_the_process_that_was_killed(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    program = (
        "import os, signal; from pathlib import Path; from filterd.base.paths import sole\n"
        f"with sole(Path({str(lock)!r}), otherwise=''): os.kill(os.getpid(), signal.SIGKILL)"
    )
    root = Path(paths.__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", program], cwd=root, check=False)
    assert done.returncode == -9
    assert lock.exists()
    with sole(lock, otherwise=say("taken")):
        pass


def test_a_lock_is_waited_for(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    program = (
        "import sys; from pathlib import Path; from filterd.base.paths import sole\n"
        f"with sole(Path({str(lock)!r}), otherwise=''):\n"
        "    print('held', flush=True); sys.stdin.read()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=Path(paths.__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(StoreError), sole(lock, otherwise=say("taken")):
            pass
        assert other.stdin is not None
        other.stdin.close()
        with sole(lock, otherwise=say("taken"), wait=True):
            pass


def test_a_lock_that_cannot_be_made_names_its_place() -> None:
    with (
        pytest.raises(StoreError, match=r"^/dev/null/x: cannot be written: Not a directory"),
        sole(Path("/dev/null/x/lock"), otherwise=say("taken")),
    ):
        pass


def _folder_of_the_daemon_with_a_link(tmp_path: Path, link: str) -> tuple[Path, Path]:
    """Return a folder of the user nobody, with a link in it, and the file of root that it names."""
    victim, folder = tmp_path / "victim", tmp_path / "state"
    victim.write_bytes(b"secret")
    folder.mkdir()
    (folder / link).symlink_to(victim)
    os.chown(folder, 65534, 65534)
    return folder, victim


@pytest.mark.usefixtures("needs_root")
def test_a_link_in_place_of_a_lock_gives_no_file_away(tmp_path: Path) -> None:
    folder, victim = _folder_of_the_daemon_with_a_link(tmp_path, "lock")
    with (
        pytest.raises(StoreError, match="symbolic links"),
        sole(folder / "lock", otherwise=UNSAID),
    ):
        pass
    assert victim.stat().st_uid == 0


@pytest.mark.usefixtures("needs_root")
def test_control_opened_as_usual_the_lock_would_give_the_file_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, victim = _folder_of_the_daemon_with_a_link(tmp_path, "lock")
    chown = os.chown
    monkeypatch.setattr(paths, "_open_lock", os.open)
    monkeypatch.setattr(os, "chown", lambda path, user, group, **_: chown(path, user, group))
    with sole(folder / "lock", otherwise=UNSAID):
        assert victim.stat().st_uid == 65534


@pytest.mark.usefixtures("needs_root")
def test_a_link_in_place_of_a_temporary_file_is_not_written_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "_serial", itertools.count(7))
    folder, victim = _folder_of_the_daemon_with_a_link(tmp_path, f".file.{os.getpid()}-7.tmp")
    write_atomically(folder / "file", b"content")
    assert victim.read_bytes() == b"secret"
    assert victim.stat().st_uid == 0
    assert (folder / "file").stat().st_uid == 65534


def test_a_pipe_in_place_of_a_lock_blocks_no_process(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "lock")
    with sole(tmp_path / "lock", otherwise=say("taken")):
        pass


def test_a_lock_keeps_nothing_open_to_be_written(tmp_path: Path) -> None:
    with sole(tmp_path / "lock", otherwise=say("taken")):
        (number,) = (
            descriptor.name
            for descriptor in _descriptors()
            if _leads_to(descriptor, tmp_path / "lock")
        )
        assert fcntl.fcntl(int(number), fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY


def _descriptors() -> list[Path]:
    return list(Path("/proc/self/fd").iterdir())


def _leads_to(descriptor: Path, path: Path) -> bool:
    with contextlib.suppress(OSError):  # the one that listed them is closed by now
        return descriptor.readlink() == path
    return False


@pytest.mark.usefixtures("needs_fuse")
def test_a_bad_sector_is_found_wherever_it_is_and_a_sound_file_has_none(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(bytes(3 * PAGE_OCTETS))
    assert not has_bad_sector(path)
    assert not has_bad_sector(tmp_path / "none")
    for page in range(3):
        with bad_pages(path, [page]):
            assert has_bad_sector(path)
