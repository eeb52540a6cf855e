# SPDX-License-Identifier: Apache-2.0
"""A process that dies thousands of times takes nothing away, and leaves nothing.

The daemon is real, and so are its forks; only the pauses of its supervisor pass at once.
"""

from __future__ import annotations

import os
import re
import signal
import threading
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

import pytest

from filterd.base.clock import SystemClock
from tests.support.bad_card import dead_folder
from tests.support.commands import call
from tests.support.daemon import asked, copy_lists, free_port, serving, starting, write_site
from tests.support.processes import children
from tests.support.waiting import ask, is_blocked, until
from tests.support.wire import a_query

if TYPE_CHECKING:
    from filterd.base.state_folder import StateFolder
    from tests.support.daemon import Served

pytestmark = pytest.mark.usefixtures("warm_children")

PROGRAM = """
import os, signal, sys
from filterd.base.clock import SystemClock
from filterd.daemon import main
from filterd.daemon.serving import supervisor
from filterd.daemon.serving.worker import Worker
config, state, order, *how = {words!r}
wait, begin = signal.sigtimedwait, Worker.start

class Hurried(SystemClock):
    passed = 0.0

    def monotonic(self):
        return SystemClock.monotonic() + self.passed

def dies(name):
    try:
        with open(order) as file:
            return file.read() == name
    except FileNotFoundError:
        return False

def die():
    with open(order + ".deaths", "ab") as deaths:
        deaths.write(b"x")
    os.kill(os.getpid(), signal.SIGKILL)

def mortal(child):
    live = child.run
    def run():
        if dies(child.name):
            die()
        live()
    child.run = run

async def start(worker):
    await begin(worker)
    if dies("started"):
        die()

def supervising(children, page, _, sites):
    clock = Hurried()
    def hurried(numbers, seconds):
        is_pausing = any(not one.pid for one in children)
        received = wait(numbers, 0 if is_pausing else seconds)
        if received is None and is_pausing:
            clock.passed += seconds
        return received
    for one in children:
        mortal(one)
        if "hurried" in how:
            one.patience_ticks = 10**9  # in its time no heart beats
            signal.sigtimedwait = hurried
    return Supervisor(children, page, clock, sites)

Supervisor, main.Supervisor, Worker.start = main.Supervisor, supervising, start
{more}
main.main(config, state, "en", "no")
"""
"""A daemon whose processes die while a file has their name, or "started": workers that have."""
COUNTS_EACH_DEATH = "import filterd.base.clock; filterd.base.clock._MOST_DOUBLINGS = 10**6"
"""The pause grows with each death, as it did once: a power of two that is no float ends it."""
KEEPS_A_DESCRIPTOR = "os.register_at_fork(before=lambda: os.open(os.devnull, os.O_RDONLY))"
"""Each fork leaves an open file in the supervisor."""

DEATHS, STEP, AFTER_A_START = 5_000, 500, 40
DEATHS_OF_A_MANAGER = 2_000
WITHIN_S = 1.0
KILLS = 3
RATE = "rate_limit: {queries_a_second: 100000, burst: 100000}\n"
LOCKED = "www.pornhub.com"
MOST_GROWTH_KB = 2_048
CONTROL_DEATHS = 1_100


class Held(NamedTuple):
    """What a supervisor holds: open files, memory of its own, processes."""

    descriptors: int
    memory_kb: int
    children: int


class School:
    """A site whose daemon dies as a file orders."""

    def __init__(self, folder: Path, built: StateFolder) -> None:
        self.port, self.folder, self.order = free_port(), folder, folder / "order"
        self._deaths = folder / "order.deaths"
        self.state = copy_lists(built, folder / "state")
        self.config = write_site(folder / "site", port=self.port, more=RATE)

    def program(self, *how: str, more: str = "") -> tuple[str, str]:
        """Return what the interpreter runs."""
        words = str(self.config), str(self.state.folder), str(self.order), *how
        return "-c", PROGRAM.format(words=words, more=more)

    def die(self, served: Served, name: str, deaths: int) -> None:
        """Have a process die so often, and one time more."""
        of = "worker 1" if name == "started" else name
        self._deaths.write_bytes(b"")
        fresh = self.order.with_suffix(".new")
        fresh.write_text(name, encoding="ascii")
        fresh.replace(self.order)
        os.kill(_process(served, of), signal.SIGKILL)
        for some in (*range(STEP, deaths, STEP), deaths):  # each in its time, on a busy machine
            until(partial(self._has_died, served, some), f"{some} deaths")
        self.order.unlink()

    def _has_died(self, served: Served, deaths: int) -> bool:
        assert served.process.poll() is None, "the daemon has ended"
        return self._deaths.stat().st_size >= deaths


@pytest.fixture
def school(tmp_path: Path, built: StateFolder) -> School:
    return School(tmp_path, built)


class Asking(threading.Thread):
    """Asks without end for a blocked name; notes what is not right and the longest wait."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self.answers = self.wrong = 0
        self.longest_s = 0.0
        self._port, self._over = port, threading.Event()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()

    def run(self) -> None:
        """Ask until it is over."""
        clock = SystemClock()
        while not self._over.wait(0.005):
            began = clock.monotonic()
            self.wrong += asked(self._port, a_query(LOCKED))[3] & 15 != 3
            self.longest_s = max(self.longest_s, clock.monotonic() - began)
            self.answers += 1


def _held(pid: int) -> Held:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    found = re.search(r"^RssAnon:\s+(\d+)", status, re.MULTILINE)
    assert found
    descriptors = len([*Path(f"/proc/{pid}/fd").iterdir()])
    return Held(descriptors, int(found[1]), len(children(pid)))


def _grown(before: Held, after: Held) -> list[str]:
    """Return what has grown."""
    grown = {
        "descriptors": after.descriptors - before.descriptors,
        "memory": max(0, after.memory_kb - before.memory_kb - MOST_GROWTH_KB),
        "children": after.children - before.children,
    }
    return [f"{name}: {more}" for name, more in grown.items() if more > 0]


def _process(served: Served, name: str) -> int:
    """Return the only worker, or the manager, which the kernel is to end sooner."""
    scores = {
        int(Path(f"/proc/{pid}/oom_score_adj").read_text(encoding="ascii")): pid
        for pid in children(served.process.pid)
    }
    return scores[max(scores) if name == "manager" else min(scores)]


def _answers_again(school: School, served: Served) -> float:
    """Kill the worker; return how long it takes until a question is answered."""
    clock = SystemClock()
    worker = _process(served, "worker 1")
    began = clock.monotonic()
    os.kill(worker, signal.SIGKILL)
    assert is_blocked(school.port, LOCKED)
    return clock.monotonic() - began


def _list_many(school: School) -> None:
    names = "".join(
        f"n{number * 7919 % 999_983}.made{number % 97}.test\n" for number in range(900_000)
    )
    school.config.joinpath("many.txt").write_text(names, encoding="ascii")
    more = RATE + "lists: [{id: many, file: many.txt, category: gambling}]\n"
    write_site(school.config, port=school.port, more=more)
    folders = ("--config", school.config, "--state", school.state.folder)
    assert call("lists", "build", "--quiet", *folders).code == 0


@pytest.mark.long
@pytest.mark.usefixtures("needs_fuse")
def test_after_5_000_deaths_a_worker_with_900_000_names_is_there_in_a_second_on_a_dead_disk(
    school: School,
) -> None:
    _list_many(school)
    program = school.program("hurried")
    with (
        serving(school.config, school.state.folder, program=program) as served,
        dead_folder(school.state.folder),
        dead_folder(school.config),
    ):
        pid = served.process.pid
        school.die(served, "worker 1", 20)
        assert is_blocked(school.port, LOCKED)
        before = _held(pid)
        school.die(served, "worker 1", DEATHS)
        school.die(served, "started", AFTER_A_START)
        assert is_blocked(school.port, LOCKED)
        gaps = [_answers_again(school, served) for _ in range(KILLS)]
        print(f"{before}, then {_held(pid)}; {gaps} s")  # noqa: T201
        assert min(gaps) < WITHIN_S
        until(lambda: _grown(before, _held(pid)) == [], "that nothing has grown")
        assert served.end() == 0


def test_a_worker_that_has_died_for_an_hour_is_replaced_within_a_second(school: School) -> None:
    """Its pauses are real, and at their longest."""
    with serving(school.config, school.state.folder, program=school.program()) as served:
        school.die(served, "worker 1", 8)
        assert is_blocked(school.port, LOCKED)
        assert min(_answers_again(school, served) for _ in range(KILLS)) < WITHIN_S


@pytest.mark.long
def test_a_manager_that_dies_2_000_times_takes_no_answer_away(school: School) -> None:
    program = school.program("hurried")
    with serving(school.config, school.state.folder, program=program) as served:
        pid = served.process.pid
        school.die(served, "manager", 20)
        assert ask(school.state.control_socket, "status")  # a manager is there to be counted
        before = _held(pid)
        with Asking(school.port) as asking:
            school.die(served, "manager", DEATHS_OF_A_MANAGER)
        print(f"{before}, then {_held(pid)}; {asking.answers}, {asking.longest_s} s")  # noqa: T201
        assert asking.answers
        assert asking.wrong == 0
        assert asking.longest_s < WITHIN_S
        assert ask(school.state.control_socket, "status")
        assert _grown(before, _held(pid)) == []


@pytest.mark.control
def test_control_a_pause_that_counts_each_death_ends_the_daemon(school: School) -> None:
    program = school.program("hurried", more=COUNTS_EACH_DEATH)
    with starting(school.config, school.state.folder, program=program) as served:
        served.wait_for("filterd listens on")
        with pytest.raises(AssertionError, match="the daemon has ended"):
            school.die(served, "worker 1", CONTROL_DEATHS)
        assert served.process.wait()


@pytest.mark.control
def test_control_a_supervisor_that_keeps_a_file_for_each_death_is_noticed(school: School) -> None:
    program = school.program("hurried", more=KEEPS_A_DESCRIPTOR)
    with serving(school.config, school.state.folder, program=program) as served:
        before = _held(served.process.pid)
        school.die(served, "worker 1", 20)
        assert is_blocked(school.port, LOCKED)
        assert _grown(before, _held(served.process.pid))
