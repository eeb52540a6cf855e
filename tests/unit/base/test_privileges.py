# SPDX-License-Identifier: Apache-2.0
"""Root gives its rights up below a folder of another user's, and takes them back."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from filterd.base import privileges
from filterd.base.privileges import as_owner_of, of_a_child, own_rights
from tests.support.commands import ROOT
from tests.support.unprivileged import NOBODY

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("needs_root")


def _ids() -> tuple[int, int, list[int]]:
    return os.geteuid(), os.getegid(), sorted(os.getgroups())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "state"
    found.mkdir()
    os.chown(found, NOBODY, NOBODY)
    return found


def test_below_the_folder_it_has_the_owner_s_rights_and_no_group_of_root_s(folder: Path) -> None:
    before = _ids()
    with as_owner_of(folder):
        uid, _, groups = _ids()
        assert uid == NOBODY
        assert 0 not in groups
        with own_rights():
            assert _ids() == before
        assert os.geteuid() == NOBODY
    assert _ids() == before


def test_an_error_gives_the_rights_back_too(folder: Path) -> None:
    before = _ids()
    with pytest.raises(ValueError, match="x"), as_owner_of(folder), own_rights():
        raise ValueError("x")
    assert _ids() == before


def _uid_beside_another_thread(folder: Path) -> int:
    """Return the user that a thread has while another takes root's rights and gives them back."""

    def take_and_give() -> None:
        with own_rights():
            pass

    other = threading.Thread(target=take_and_give)
    with as_owner_of(folder):
        with own_rights():
            other.start()
            other.join(0.2)  # with the lock it waits for this thread
            uid = os.geteuid()
        other.join()
    return uid


def test_no_thread_loses_the_rights_to_another(folder: Path) -> None:
    assert _uid_beside_another_thread(folder) == 0


def test_control_without_the_lock_a_thread_loses_them(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(privileges, "_one_thread", contextlib.nullcontext())
    assert _uid_beside_another_thread(folder) == NOBODY


def test_a_folder_that_is_missing_is_of_the_owner_of_the_one_above(folder: Path) -> None:
    with as_owner_of(folder / "a" / "b"):
        assert os.geteuid() == NOBODY


def test_a_folder_of_root_s_changes_nothing(tmp_path: Path) -> None:
    with as_owner_of(tmp_path):
        assert os.geteuid() == 0
        assert of_a_child() == {}


def test_own_rights_outside_are_those_that_there_are() -> None:
    before = _ids()
    with own_rights():
        assert _ids() == before


@pytest.mark.parametrize("for_good", [True, False], ids=["child", "control"])
def test_a_child_cannot_take_root_s_rights_back(folder: Path, *, for_good: bool) -> None:
    with as_owner_of(folder):
        ids = of_a_child() if for_good else {}
        printed = subprocess.check_output(["grep", "^Uid:", "/proc/self/status"], text=True, **ids)
    assert (printed.split()[1] == "0") is not for_good


@pytest.mark.parametrize(("more", "then"), [((300,), 300), ((700, 700), 1000)])
def test_a_process_and_its_children_are_ended_sooner(more: tuple[int, ...], then: int) -> None:
    calls = "".join(f"end_sooner({one});" for one in more)
    program = (
        "import subprocess; from pathlib import Path;"
        "from filterd.base.privileges import end_sooner;"
        "before = int(Path('/proc/self/oom_score_adj').read_text());"
        f"{calls} print(before, flush=True); subprocess.run(['cat', '/proc/self/oom_score_adj'])"
    )
    printed = subprocess.check_output([sys.executable, "-c", program], cwd=ROOT, text=True)
    before, after = map(int, printed.split())
    assert after == min(1000, before + then)
