# SPDX-License-Identifier: Apache-2.0
"""A process without memory or descriptors ends or waits."""

from __future__ import annotations

import contextlib
import os
import resource
import socket
import subprocess
import sys
import time
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING

import dns.message
import dns.rcode
import pytest

from tests.support.asking import Asker
from tests.support.commands import run
from tests.support.daemon import SOURCES, copy_lists, free_port, starting, write_site
from tests.support.one_worker import School, a_school
from tests.support.processes import children
from tests.support.unix_sockets import connect
from tests.support.waiting import until
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filterd.base.state_folder import StateFolder

TRIES = 10
WATCHED_S = 2.0
TIGHT = 90 << 20
MOST_LOG = 20_000
_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


def _answers(school: School) -> bool:
    """Return whether a listed name is blocked and another one answered."""
    with Asker(("127.0.0.1", school.port), SOURCES["3"]) as asker:
        blocked, other = (
            dns.message.from_wire(asker.by_udp(a_query(name)))
            for name in ("www.tiktok.com", "localhost")
        )
    return blocked.rcode() == dns.rcode.NXDOMAIN and bool(other.answer)


def _log_octets(school: School) -> int:
    """Return how much it has written up to now."""
    served = school.served
    with contextlib.suppress(Exception):
        while (line := served._lines.get(block=False)) is not None:
            served.log.append(line)
    return sum(len(line) + 1 for line in served.log)


@pytest.fixture
def school(tmp_path: Path, built: StateFolder) -> Iterator[School]:
    with a_school(tmp_path, built) as running:
        yield running


def _processor_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_A_SECOND


def _used_s(*pids: int) -> float:
    """Watch processes; return what the busiest uses meanwhile, infinity where one ends."""
    try:
        before = [_processor_s(pid) for pid in pids]
        time.sleep(WATCHED_S)
        return max(_processor_s(one) - had for one, had in zip(pids, before, strict=True))
    except OSError:
        return inf


@pytest.mark.parametrize("whom", ["worker", "manager"])
def test_a_process_without_memory_is_replaced_and_a_reload_comes_about(
    school: School, whom: str
) -> None:
    pid = getattr(school, whom)
    resource.prlimit(pid, resource.RLIMIT_AS, (TIGHT, TIGHT))
    run("reload", *school.served.options)
    # A command while it is replaced may get an error.
    codes = (run("reload", *school.served.options).code for _ in range(TRIES))
    assert 0 in codes
    assert _answers(school)
    # A manager that was replaced has work at first; what turns in a circle never rests.
    supervisor = school.served.process.pid
    until(lambda: _used_s(*children(supervisor)) < WATCHED_S / 4, "rest")
    assert _log_octets(school) < MOST_LOG
    if whom == "worker":  # a manager may find enough in what it has freed
        assert school.worker != pid


AS_IT_WAS = (
    "import logging, filterd.base.journal as j;"
    "j.begin = lambda _: logging.basicConfig(level=logging.INFO); j.attend = lambda loop: None;"
    "from filterd.cli.entry import main; main()"
)


def test_control_with_a_plain_log_the_worker_turns_in_a_circle(
    tmp_path: Path, built: StateFolder
) -> None:
    with a_school(tmp_path, built, "-c", AS_IT_WAS) as school:
        pid = school.worker
        resource.prlimit(pid, resource.RLIMIT_AS, (TIGHT, TIGHT))
        used, log = _processor_s(pid), _log_octets(school)
        run("reload", *school.served.options)
        assert school.worker == pid
        assert _processor_s(pid) - used > WATCHED_S / 4
        assert _log_octets(school) - log > MOST_LOG


def _waiting_clients(school: School, whom: str) -> Iterator[socket.socket]:
    """Yield connections to the worker's TCP listener or to the manager's control socket."""
    for _ in range(20):
        if whom == "worker":
            yield socket.create_connection(
                ("127.0.0.1", school.port), WATCHED_S, source_address=(SOURCES["3"], 0)
            )
        else:
            one = socket.socket(socket.AF_UNIX)
            connect(one, school.served.state.control_socket)
            yield one


@contextlib.contextmanager
def _without_descriptors(school: School, whom: str) -> Iterator[None]:
    """Let clients wait for a process that can accept none."""
    pid = getattr(school, whom)
    limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, limits[1]))
    with contextlib.ExitStack() as held:
        for client in _waiting_clients(school, whom):
            held.enter_context(client)
        assert _answers(school)
        yield
    resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)


@pytest.mark.parametrize("whom", ["worker", "manager"])
def test_without_descriptors_nothing_turns_in_a_circle(school: School, whom: str) -> None:
    pid, log = getattr(school, whom), _log_octets(school)
    with _without_descriptors(school, whom):  # a circle never rests
        until(lambda: _used_s(pid) < WATCHED_S / 20, "rest")
    assert _log_octets(school) - log < MOST_LOG
    assert run("status", *school.served.options).code == 0
    with Asker(("127.0.0.1", school.port), SOURCES["3"]) as asker:
        reply = dns.message.from_wire(asker.by_tcp(a_query("www.tiktok.com")))
    assert reply.rcode() == dns.rcode.NXDOMAIN
    assert getattr(school, whom) == pid


WITHOUT_A_PAUSE = (
    "import filterd.base.acceptor as a; a.PAUSE_S = 0.0; from filterd.cli.entry import main; main()"
)


def test_control_without_a_pause_a_worker_turns_in_a_circle(
    tmp_path: Path, built: StateFolder
) -> None:
    with a_school(tmp_path, built, "-c", WITHOUT_A_PAUSE) as school:
        pid = school.worker
        with _without_descriptors(school, "worker"):
            begun = _processor_s(pid)
            until(lambda: _processor_s(pid) - begun > WATCHED_S / 2, "what no rest gives")


def _limited(megabytes: int) -> tuple[str, ...]:
    """Return the words before a command that may have so much."""
    return ("sh", "-c", f'ulimit -v {megabytes * 1000}; exec "$@"', "sh")


@pytest.fixture(scope="module")
def least_megabytes() -> int:
    """Return how many the interpreter takes until it runs a line of filterd's own."""
    begin = (sys.executable, "-c", "import filterd.cli.entry")
    for megabytes in range(20, 200, 2):
        done = subprocess.run((*_limited(megabytes), *begin), stderr=subprocess.PIPE, check=False)
        if done.returncode == 0 and not done.stderr:
            return megabytes
    raise AssertionError("it never begins")


@pytest.mark.parametrize("more", [4, 20, 40, 60, 80, 100])
def test_a_start_with_too_little_memory_says_so_in_one_line(
    tmp_path: Path, built: StateFolder, least_megabytes: int, more: int
) -> None:
    """How much it takes depends on the machine: a line of the start, or of the supervisor."""
    state = copy_lists(built, tmp_path / "state").folder
    config = write_site(tmp_path / "site", port=free_port())
    limited = _limited(least_megabytes + more)
    with (
        starting(config, state, before=limited) as served,
        contextlib.suppress(AssertionError),  # it ends, or goes on trying, or serves
    ):
        served.wait_for("filterd")
    said = "\n".join(served.log)
    assert said
    assert "Traceback" not in said
    assert "memory" in said or "listens" in said
