# SPDX-License-Identifier: Apache-2.0
"""The shared view of all processes of a daemon."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from filterd.daemon.shared_page import PolicyClock, SharedPage
from filterd.policy.unknown_time import UNKNOWN_LEAD_S, is_known
from tests.support.clock import FakeClock
from tests.support.commands import ROOT

if TYPE_CHECKING:
    from pathlib import Path


PARENT_AND_CHILD = """
import os
from filterd.daemon.shared_page import SharedPage

page = SharedPage()
word = page.epoch_word
child = os.fork()
if not child:
    page.epoch = 7
    page.beat(3)
    page.note_ready(3, os.getpid())
    os._exit(0)
os.waitpid(child, 0)
print(page.epoch, word[0], page.beats(3), page.is_ready(3, child), page.is_ready(2, child))
"""


def test_a_child_s_words_are_seen_by_its_parent() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PARENT_AND_CHILD],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["7", "7", "1", "True", "False"]


def test_nobody_is_ready_at_first() -> None:
    page = SharedPage()
    assert page.epoch == 0
    assert not page.is_ready(1, 0)


def test_a_file_is_verified_as_long_as_nobody_touches_it(tmp_path: Path) -> None:
    page, path = SharedPage(), tmp_path / "index"
    path.write_bytes(b"one")
    assert not page.is_verified(path.stat())
    page.note_verified(path.stat())
    assert page.is_verified(path.stat())
    path.write_bytes(b"longer")
    assert not page.is_verified(path.stat())


def test_a_file_renamed_into_its_place_is_another(tmp_path: Path) -> None:
    page, path, new = SharedPage(), tmp_path / "index", tmp_path / "new"
    path.write_bytes(b"one")
    page.note_verified(path.stat())
    new.write_bytes(b"two")
    new.replace(path)
    assert not page.is_verified(path.stat())


def test_processes_have_words_of_their_own() -> None:
    page = SharedPage()
    for process in range(17):
        page.beat(process)
    assert [page.beats(process) for process in range(17)] == [1] * 17


def test_no_epoch_is_prepared_twice_whoever_prepares_it() -> None:
    page = SharedPage()
    assert not page.is_undecided
    given_up = page.next_epoch()
    assert page.is_undecided
    epoch = page.next_epoch()
    assert page.epoch < given_up < epoch
    page.epoch = epoch
    assert not page.is_undecided


def test_where_nobody_keeps_the_time_it_shows_the_machines() -> None:
    clock = FakeClock()
    policy = PolicyClock(clock, SharedPage())
    clock.set_wall(3600.0)
    assert policy.wall() == policy.least() == clock.wall()


def test_a_clock_that_is_set_moves_it_only_with_the_page() -> None:
    clock, page = FakeClock(), SharedPage()
    policy, before = PolicyClock(clock, page), clock.wall()
    page.lead_s = before - clock.monotonic()
    clock.set_wall(3600.0)
    assert policy.wall() == before
    page.lead_s += 60.0
    assert policy.wall() == before + 60.0


def test_of_an_unknown_time_the_floor_is_certain() -> None:
    clock, page = FakeClock(), SharedPage()
    page.lead_s, page.floor = UNKNOWN_LEAD_S, 1_764_000_000.0
    policy = PolicyClock(clock, page)
    assert not is_known(policy.wall())
    assert policy.least() == page.floor
