# SPDX-License-Identifier: Apache-2.0
"""A process without memory or descriptors ends or waits; it takes neither processor nor disk."""

from __future__ import annotations

import contextlib
import os
import resource
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING

import dns.message
import dns.rcode
import pytest

from tests.support.asking import Asker
from tests.support.commands import run
from tests.support.daemon import SOURCES, Served, copy_lists, free_port, serving, write_site
from tests.support.processes import children
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filterd.state_folder import StateFolder

TRIES = 10
WATCHED_S = 2.0
TIGHT = 90 << 20
MOST_LOG = 20_000
_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


class School:
    """A daemon with one worker."""

    def __init__(self, served: Served, port: int) -> None:
        self.served, self.port = served, port

    @property
    def manager(self) -> int:
        return children(self.served.process.pid)[0]

    @property
    def worker(self) -> int:
        return children(self.served.process.pid)[1]

    def answers(self) -> bool:
        """Tell whether a listed name is blocked and another one answered."""
        with Asker(("127.0.0.1", self.port), SOURCES["3"]) as asker:
            blocked, other = (
                dns.message.from_wire(asker.by_udp(a_query(name)))
                for name in ("www.tiktok.com", "localhost")
            )
        return blocked.rcode() == dns.rcode.NXDOMAIN and bool(other.answer)

    def log_octets(self) -> int:
        """Return how much it has written up to now."""
        with contextlib.suppress(Exception):
            while (line := self.served._lines.get(block=False)) is not None:
                self.served.log.append(line)
        return sum(len(line) + 1 for line in self.served.log)


@contextlib.contextmanager
def _a_school(folder: Path, built: StateFolder, *program: str) -> Iterator[School]:
    port = free_port()
    config = write_site(folder / "site", port=port)
    state = copy_lists(built, folder / "state")
    with serving(config, state.folder, program=program or ("-m", "filterd")) as served:
        yield School(served, port)


@pytest.fixture
def school(tmp_path: Path, built: StateFolder) -> Iterator[School]:
    with _a_school(tmp_path, built) as running:
        yield running


def _processor_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_A_SECOND


@pytest.mark.parametrize("whom", ["worker", "manager"])
def test_a_process_without_memory_is_replaced_and_a_reload_comes_about(
    school: School, whom: str
) -> None:
    pid = getattr(school, whom)
    resource.prlimit(pid, resource.RLIMIT_AS, (TIGHT, TIGHT))
    run("reload", *school.served.options)
    # Whoever asks while it is replaced may be told so.
    codes = (run("reload", *school.served.options).code for _ in range(TRIES))
    assert 0 in codes
    assert school.answers()
    running = children(school.served.process.pid)
    before = [_processor_s(one) for one in running]
    time.sleep(WATCHED_S)
    used = [_processor_s(one) - had for one, had in zip(running, before, strict=True)]
    assert max(used) < WATCHED_S / 4
    assert school.log_octets() < MOST_LOG
    if whom == "worker":  # a manager may find enough in what it has freed
        assert school.worker != pid


AS_IT_WAS = (
    "import logging, filterd.journal as j;"
    "j.begin = lambda: logging.basicConfig(level=logging.INFO); j.attend = lambda loop: None;"
    "from filterd.cli.entry import main; main()"
)


def test_control_with_a_plain_log_the_worker_turns_in_a_circle(
    tmp_path: Path, built: StateFolder
) -> None:
    with _a_school(tmp_path, built, "-c", AS_IT_WAS) as school:
        pid = school.worker
        resource.prlimit(pid, resource.RLIMIT_AS, (TIGHT, TIGHT))
        used, log = _processor_s(pid), school.log_octets()
        run("reload", *school.served.options)
        assert school.worker == pid
        assert _processor_s(pid) - used > WATCHED_S / 4
        assert school.log_octets() - log > MOST_LOG


def test_without_descriptors_the_manager_turns_in_no_circle(school: School) -> None:
    pid = school.manager
    limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, limits[1]))
    with contextlib.ExitStack() as held:
        for _ in range(20):
            one = held.enter_context(socket.socket(socket.AF_UNIX))
            one.settimeout(1.0)
            one.connect(str(school.served.state.control_socket))
        used, log = _processor_s(pid), school.log_octets()
        assert school.answers()
        time.sleep(WATCHED_S)
        assert _processor_s(pid) - used < WATCHED_S / 4
        assert school.log_octets() - log < MOST_LOG
    resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
    time.sleep(0.2)
    assert run("status", *school.served.options).code == 0
    assert school.answers()
