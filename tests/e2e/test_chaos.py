# SPDX-License-Identifier: Apache-2.0
"""Processes are killed and stopped at random while thousands ask and sites reload.

Two seconds by default, ``FILTERD_E2E_CHAOS_S`` for longer.
"""

from __future__ import annotations

import contextlib
import os
import random
import select
import signal
import socket
import threading
import time
from typing import TYPE_CHECKING, Self

import pytest

from tests.support.commands import call
from tests.support.daemon import SOURCES, Served, build_lists, free_port, serving, write_site
from tests.support.processes import children, descriptors
from tests.support.upstream import FakeUpstream
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.long

SECONDS = float(os.environ.get("FILTERD_E2E_CHAOS_S", "2"))
SEED = int(os.environ.get("FILTERD_E2E_CHAOS_SEED", "0"))
PAUSE_S = 0.0005
LAST_ANSWERS_S = 2.0
KEYS = "workers: {}\nrate_limit: {{queries_a_second: 100000, burst: 100000}}\n"
BLOCK = "exceptions:\n  - {block: new.example, reason: vì thế}\n"
NXDOMAIN = 3


class Stub(threading.Thread):
    """Asks for a name without end, and counts what comes back for each ID."""

    def __init__(self, port: int, name: str = "www.tiktok.com") -> None:
        super().__init__()
        self.answers: list[int] = []
        self.unfiltered = 0
        self._query = a_query(name)
        self._stopping = threading.Event()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self._socket.bind((SOURCES["3"], 0))
        self._socket.connect(("127.0.0.1", port))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self.join()
        self._socket.close()

    def run(self) -> None:
        while not self._stopping.is_set() and len(self.answers) < 65_536:
            self._socket.send(len(self.answers).to_bytes(2) + self._query[2:])
            self.answers.append(0)
            self._read(PAUSE_S)
        until = time.monotonic() + LAST_ANSWERS_S  # noqa: TID251 -- a test's patience is real time
        while 0 in self.answers and time.monotonic() < until:  # noqa: TID251 -- as above
            self._read(0.1)

    def _read(self, within_s: float) -> None:
        while select.select([self._socket], [], [], within_s)[0]:
            answer, within_s = self._socket.recv(4096), 0
            self.answers[int.from_bytes(answer[:2])] += 1
            self.unfiltered += answer[3] & 15 != NXDOMAIN


class Chaos:
    """What can be done to a daemon, at random."""

    def __init__(self, served: Served, write: list[str]) -> None:
        self.killed = 0
        self._served, self._texts = served, write
        self._random = random.Random(SEED)
        self._stopped: list[int] = []

    def strike(self) -> None:
        """Do one thing to it."""
        self._random.choice([self._kill, self._kill, self._stop, self._hang_up, self._reload])()

    def _one(self) -> int:
        return self._random.choice(children(self._served.process.pid) or [0])

    def _kill(self) -> None:
        self._signal(self._one(), signal.SIGKILL)
        self.killed += 1

    def _stop(self) -> None:
        self.go_on()
        self._stopped.append(self._one())
        self._signal(self._stopped[-1], signal.SIGSTOP)

    def go_on(self) -> None:
        """Let what was stopped go on."""
        while self._stopped:
            self._signal(self._stopped.pop(), signal.SIGCONT)

    def _hang_up(self) -> None:
        self._served.process.send_signal(signal.SIGHUP)

    def _reload(self) -> None:
        self.go_on()
        text = self._random.choice(self._texts)
        (self._served.config / "site.yaml").write_text(text, encoding="utf-8")
        call("reload", *self._served.options)

    @staticmethod
    def _signal(pid: int, number: signal.Signals) -> None:
        if pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)


class School:
    """A site that comes in three texts: invalid, with a block of its own, without."""

    def __init__(self, folder: Path, upstream: FakeUpstream, workers: int) -> None:
        self.port, self.config, self.state = free_port(), folder / "site", folder / "state"
        self.texts = ["nonsense: 1\n"]
        for more in (BLOCK, ""):
            keys = KEYS.format(workers) + more
            write_site(self.config, port=self.port, upstream=upstream.port, more=keys)
            self.texts.append((self.config / "site.yaml").read_text(encoding="utf-8"))
        build_lists(self.config, self.state)

    def block(self, served: Served) -> None:
        """Activate the block, once there is a manager to do it."""
        (self.config / "site.yaml").write_text(self.texts[1], encoding="utf-8")
        while call("reload", *served.options).code != 0:
            assert served.process.poll() is None

    def is_blocked(self) -> bool:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.bind((SOURCES["3"], 0))
            asking.settimeout(10)
            asking.sendto(a_query("new.example"), ("127.0.0.1", self.port))
            return asking.recv(4096)[3] & 15 == NXDOMAIN


@pytest.fixture
def upstream() -> Iterator[FakeUpstream]:
    with FakeUpstream() as fake:
        for name in ("www.tiktok.com.", "new.example."):
            fake.add(f"{name} 60 IN A 198.18.0.66")
        yield fake


def _strike_for_a_while(served: Served, texts: list[str]) -> int:
    """Return how often something was killed."""
    chaos = Chaos(served, texts)
    until = time.monotonic() + SECONDS  # noqa: TID251 -- a test's patience is real time
    while time.monotonic() < until:  # noqa: TID251 -- as above
        chaos.strike()
        time.sleep(0.3)
    chaos.go_on()
    return chaos.killed


@pytest.mark.parametrize("workers", [1, 2] if SECONDS > 2 else [2])
def test_whatever_is_killed_every_question_gets_one_answer_and_the_next_reload_works(
    tmp_path: Path, upstream: FakeUpstream, workers: int
) -> None:
    school = School(tmp_path, upstream, workers)
    with serving(school.config, school.state) as served:
        before = descriptors(served.process.pid)
        with Stub(school.port) as stub:
            killed = _strike_for_a_while(served, school.texts)
            school.block(served)
            assert all(school.is_blocked() for _ in range(20 * workers))
        assert descriptors(served.process.pid) < before + 32
        assert served.end() == 0
        assert not any("Traceback" in line for line in served.log), served.log
    assert stub.unfiltered == 0
    assert max(stub.answers) == 1
    # A killed worker takes what it has read, which is at most one batch.
    assert stub.answers.count(0) <= 64 * killed


def test_control_what_is_not_blocked_counts_as_unfiltered(
    tmp_path: Path, upstream: FakeUpstream
) -> None:
    school = School(tmp_path, upstream, 1)
    with serving(school.config, school.state), Stub(school.port, "new.example") as stub:
        while not stub.unfiltered:
            time.sleep(0.01)
