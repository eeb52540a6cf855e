# SPDX-License-Identifier: Apache-2.0
"""No stopped or looping process takes DNS away for more than 5 s."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from filterd import control
from filterd.base.clock import SystemClock
from tests.support.commands import run
from tests.support.daemon import SOURCES
from tests.support.one_worker import School, a_school
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from filterd.base.state_folder import StateFolder

pytestmark = pytest.mark.usefixtures("warm_children")
MOST_S = 5.0
_PAUSE_S = 0.01
"""Between two questions: what is asked without a pause takes the machine from what is tested."""
_MONOTONIC = SystemClock().monotonic


def _without_answer_s(
    school: School, for_s: float, until: Callable[[], bool] = lambda: False
) -> float:
    """Ask for so long, or until answers come again; return the longest time without answers.

    Once ``until`` is true, a third of a second of answers ends it too.
    """
    began, last = _MONOTONIC(), _MONOTONIC()
    longest, ends = 0.0, inf
    with socket.socket(type=socket.SOCK_DGRAM) as device:
        device.bind((SOURCES["3"], 0))
        device.connect(("127.0.0.1", school.port))
        device.settimeout(0.05)
        while last - began < min(for_s, ends) and _MONOTONIC() - last < 4 * MOST_S:
            with contextlib.suppress(TimeoutError):
                device.send(a_query("localhost"))
                device.recv(512)
                longest, last = max(longest, _MONOTONIC() - last), _MONOTONIC()
                if ends == inf and until():
                    ends = last - began + 0.3
                time.sleep(_PAUSE_S)
    return max(longest, _MONOTONIC() - last)


def _replaced(school: School, worker: int) -> Callable[[], bool]:
    return lambda: school.worker != worker


@pytest.fixture
def school(tmp_path: Path, built: StateFolder) -> Iterator[School]:
    with a_school(tmp_path, built) as running:
        yield running


@pytest.fixture(scope="module")
def whose_manager_is_stopped(
    tmp_path_factory: pytest.TempPathFactory, built: StateFolder
) -> Iterator[tuple[School, int]]:
    """A school and its manager, whose stop is noticed after 15 s, while other tests run."""
    with a_school(tmp_path_factory.mktemp("manager"), built) as school:
        manager = school.manager
        for pid in (school.served.process.pid, manager):
            os.kill(pid, signal.SIGSTOP)
            assert _without_answer_s(school, 1.0) < MOST_S
        os.kill(school.served.process.pid, signal.SIGCONT)
        yield school, manager


@pytest.mark.usefixtures("whose_manager_is_stopped")
def test_a_worker_that_is_stopped_is_replaced_in_time_each_time(school: School) -> None:
    for _ in range(5):
        worker = school.worker
        os.kill(worker, signal.SIGSTOP)
        assert _without_answer_s(school, MOST_S + 1, _replaced(school, worker)) < MOST_S
        assert school.worker != worker


def test_control_without_a_watchdog_a_stopped_worker_stops_dns(
    tmp_path: Path, built: StateFolder
) -> None:
    unseeing = (
        "from filterd.daemon.serving.supervisor import Supervisor;"
        "Supervisor._look_for_the_stuck = lambda self: None;"
        "from filterd.cli.entry import main; main()"
    )
    with a_school(tmp_path, built, "-c", unseeing) as school:
        os.kill(school.worker, signal.SIGSTOP)
        assert _without_answer_s(school, MOST_S + 1) > MOST_S
        os.kill(school.worker, signal.SIGCONT)


@pytest.mark.parametrize("work", ["sleep(9)", pytest.param("pass", marks=pytest.mark.long)])
def test_a_worker_in_a_circle_is_replaced_in_time(
    tmp_path: Path, built: StateFolder, work: str
) -> None:
    turning = (
        "from time import sleep\n"
        "from filterd.daemon.serving.worker import Worker\n"
        "async def turn(self, **asked):\n"
        f"    while True: {work}\n"
        "Worker.check = turn\n"
        "from filterd.cli.entry import main; main()"
    )
    with a_school(tmp_path, built, "-c", turning) as school:
        worker = school.worker
        asking = os.fork()
        if asking == 0:
            with contextlib.suppress(BaseException):
                what: dict[str, Any] = {
                    "qname": "00",
                    "qtype": 1,
                    "grade": "3",
                    "client": None,
                    "at": None,
                }
                control.ask(school.served.state.control_socket, "check", **what)
            os._exit(0)
        # The command is asked again of the successor, and of no third: then it ends.
        ended: list[int] = []

        def answered() -> bool:
            if not ended:
                ended.extend(pid for pid, _ in [os.waitpid(asking, os.WNOHANG)] if pid)
            return bool(ended)

        assert _without_answer_s(school, 12 * MOST_S, answered) < MOST_S
        assert answered()
        assert school.worker != worker


def test_a_stopped_manager_or_supervisor_delays_no_answer(
    whose_manager_is_stopped: tuple[School, int],
) -> None:
    school, manager = whose_manager_is_stopped
    school.served.wait_for("the manager does not react; ending it")
    assert _without_answer_s(school, 1.0) < MOST_S
    while run("status", *school.served.options).code:
        pass
    assert school.manager != manager


def test_what_lookups_need_least_is_ended_first_when_memory_is_short(school: School) -> None:
    pids = (school.served.process.pid, school.worker, school.manager)
    scores = [int(Path(f"/proc/{pid}/oom_score_adj").read_text()) for pid in pids]
    assert scores == sorted(set(scores)) or scores[-1] == 1000
