# SPDX-License-Identifier: Apache-2.0
"""An environment takes its name when it is whole; a kill leaves the old one or the new one."""

from __future__ import annotations

import fcntl
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from deploy.checkout import environment_folder
from deploy.checkout.editable_install import add_project
from deploy.checkout.environment_folder import EnvironmentFolder, head, locked, retarget, with_head
from deploy.checkout.project import Project
from deploy.checkout.set_up_record import RECORD

if TYPE_CHECKING:
    from collections.abc import Callable

PROJECT = Project("1.2", (), ("idna",), (), "")
LONG = "/home/thầy Hoàng/" + "d" * 110


class Killed(BaseException):
    """The process is gone: nothing after it is done."""


@pytest.fixture
def folder(tmp_path: Path) -> EnvironmentFolder:
    """An environment that is in force, and has an old word."""
    made = EnvironmentFolder(tmp_path / ".venv")
    make(made.final, "old")
    return made


def make(folder: Path, word: str, record: str = '{"format": 1}') -> None:
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "tool").write_text(f"{_head(folder)}{word}\n")
    (folder / "bin" / "tool").chmod(0o755)
    (folder / "pyvenv.cfg").write_text(f"command = python -m venv {folder}\n")
    if record:
        (folder / RECORD).write_text(record)


def _head(folder: Path) -> str:
    """Return what a tool of this folder begins with; the path of a test may be long."""
    return head(os.fsencode(folder / "bin" / "python")).decode()


def word_of(folder: EnvironmentFolder) -> str:
    first, tool = _head(folder.final), (folder.final / "bin" / "tool").read_text()
    assert tool.startswith(first)
    assert (folder.final / RECORD).exists()
    return tool.removeprefix(first).strip()


def test_a_new_environment_takes_the_place_of_the_old_one(folder: EnvironmentFolder) -> None:
    make(folder.new, "new", record="")
    folder.install("{}")
    assert word_of(folder) == "new"
    assert (folder.final / "pyvenv.cfg").read_text() == f"command = python -m venv {folder.final}\n"
    assert list(folder.final.parent.iterdir()) == [folder.final]


_CALLS = ["retarget", "replace_file", "exchange", "_exchange_names", "remove"]


@pytest.mark.parametrize("at", [*_CALLS, "rename 1", "rename 2"])
@pytest.mark.parametrize("after", [False, True])
def test_a_kill_at_any_step_leaves_the_old_or_the_new_one(
    folder: EnvironmentFolder, monkeypatch: pytest.MonkeyPatch, at: str, after: bool
) -> None:
    make(folder.new, "new", record="")
    calls = 0

    def dying(called: Callable[..., object], number: int) -> Callable[..., object]:
        def call(*arguments: object) -> object:
            nonlocal calls
            calls += 1
            if calls == number and not after:
                raise Killed
            done = called(*arguments)
            if calls == number:
                raise Killed
            return done

        return call

    if at.startswith("rename"):

        def refuse(*_: object) -> None:
            raise OSError

        monkeypatch.setattr(environment_folder, "_exchange_names", refuse)
        monkeypatch.setattr(Path, "rename", dying(Path.rename, int(at[-1])))
    else:
        monkeypatch.setattr(environment_folder, at, dying(getattr(environment_folder, at), 1))
    with pytest.raises(Killed):
        folder.install("{}")
    monkeypatch.undo()
    folder.recover()
    assert word_of(folder) in {"old", "new"}
    assert list(folder.final.parent.iterdir()) == [folder.final]


def test_control_without_recovery_a_kill_between_two_names_leaves_none(
    folder: EnvironmentFolder,
) -> None:
    make(folder.new, "new")
    folder.final.rename(folder.old)
    assert not folder.final.exists()


def test_what_is_not_whole_is_removed(folder: EnvironmentFolder) -> None:
    make(folder.new, "half", record="")
    folder.recover()
    assert word_of(folder) == "old"
    assert not folder.new.exists()


def test_another_layer_is_added_to_a_copy_that_shares_files(folder: EnvironmentFolder) -> None:
    large = folder.final / "large.so"
    large.write_bytes(b"x")
    folder.begin_from_old()
    assert not (folder.new / RECORD).exists(), "it is not whole yet"
    assert (folder.new / "large.so").samefile(large)
    tool = (folder.new / "bin" / "tool").read_text()
    assert tool == f"{_head(folder.new)}old\n"
    assert word_of(folder) == "old", "the one in force is as it was"
    folder.install("{}")
    assert word_of(folder) == "old"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("/a/.venv.new", "/a/.venv"),
        (f"{LONG}/.venv.new", f"{LONG}/.venv"),
        ("/a/.venv", f"{LONG}/.venv"),
        (f"{LONG}/.venv", "/a/.venv"),
    ],
)
def test_scripts_of_both_kinds_name_the_python_of_the_final_path(before: str, after: str) -> None:
    script = head(os.fsencode(before) + b"/bin/python3.11") + b"import sys\n"
    moved = with_head(script.replace(os.fsencode(before), os.fsencode(after)))
    assert moved == head(os.fsencode(after) + b"/bin/python3.11") + b"import sys\n"
    assert moved.startswith(b"#!/bin/sh\n'''exec' \"" if after.startswith(LONG) else b"#!/a/")


def test_the_path_of_another_environment_with_a_longer_name_stays(tmp_path: Path) -> None:
    make(tmp_path / ".venv", "see ", record="")
    other = f"{tmp_path}/.venv-system/bin"
    (tmp_path / ".venv" / "bin" / "activate").write_text(f"A={tmp_path}/.venv\nB={other}\n")
    (tmp_path / ".venv" / "bin" / "binary").write_bytes(
        b"\x7fELF" + os.fsencode(tmp_path / ".venv")
    )
    retarget(tmp_path / ".venv", tmp_path / ".venv", Path("/b/.venv"))
    assert (tmp_path / ".venv/bin/activate").read_text() == f"A=/b/.venv\nB={other}\n"
    assert os.fsencode(tmp_path) in (tmp_path / ".venv/bin/binary").read_bytes()


def test_the_command_runs_whatever_the_path(tmp_path: Path) -> None:
    final = tmp_path / "ổ đĩa" / ("d" * 90) / ".venv"
    (final / "lib/python3.13/site-packages").mkdir(parents=True)
    (final / "bin").mkdir()
    add_project(final, final, PROJECT)
    (final / "bin" / "python").write_text('#!/bin/sh\necho "$1" "$2"\n')
    (final / "bin" / "python").chmod(0o755)
    script = final / "bin" / "filterd"
    done = subprocess.run([script, "status"], capture_output=True, text=True, check=True)
    assert done.stdout == f"{script} status\n"
    metadata = final / "lib/python3.13/site-packages/filterd-1.2.dist-info/METADATA"
    assert "Version: 1.2\nRequires-Dist: idna\n" in metadata.read_text()


def test_two_set_ups_wait_for_each_other(tmp_path: Path) -> None:
    waited = list[str]()
    path = tmp_path / "lock"
    with locked(path, waited.append):
        other = os.open(path, os.O_RDWR)
        with pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(other)
        assert path.read_text() == f"{os.getpid()}\n"
    with locked(path, waited.append):
        assert waited == []
