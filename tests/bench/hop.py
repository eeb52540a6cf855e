# SPDX-License-Identifier: Apache-2.0
"""Two releases hop back and forth on a machine while its school asks; needs root.

    HOP_MINUTES=60 python -m tests.bench.hop

Releases come by upgrade, by downgrade and by ``filterd release rollback``, in turn. Clients of
two networks ask at a fixed rate and do not repeat a question; they know of each answer whether
the name had to be blocked.
"""

from __future__ import annotations

import argparse
import itertools
import os
import socket
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from filterd.base.clock import SystemClock
from filterd.version import __version__
from tests.support.booted import booted
from tests.support.gateway import gateway
from tests.support.installed_school import (
    BOX,
    FOR_STAFF,
    LOCKED,
    OFFICE_BOX,
    OPEN,
    InstalledSchool,
)
from tests.support.packages import NEXT, package
from tests.support.wire import a_query

if TYPE_CHECKING:
    from tests.support.namespaces import Namespace

RELEASES = (__version__, NEXT)
PATIENCE_S = 5.0
"""A stub asks again then: the question was lost."""
_EVERY_S = 0.01
_SETTLE_S = 3.0
_NXDOMAIN, _NOERROR = 3, 0
_CLOCK = SystemClock()


class Figures(NamedTuple):
    """What the school saw.

    Attributes:
        hops: how often another release came into service.
        asked: questions.
        lost: of these, without an answer within ``PATIENCE_S``.
        failed: answered by an error such as SERVFAIL.
        unfiltered: answers with an address for a name that had to be blocked.
        overblocked: blocks of a name that had to be open.
        longest_gap_s: between two answers to one client.
        shortest_gap_s: the same of the hop in which it was shortest.
        longest_wait_s: of one question for its answer.
        memory_mb: of the service at its start, and at the end.
        disk_mb: used on the machine before the first hop, and at the end.
        releases: those kept at the end.
    """

    hops: int
    asked: int
    lost: int
    failed: int
    unfiltered: int
    overblocked: int
    longest_gap_s: float
    shortest_gap_s: float
    longest_wait_s: float
    memory_mb: tuple[float, float]
    disk_mb: tuple[float, float]
    releases: int


@dataclass
class Client:
    """Asks from one network at a fixed rate, from its start to ``ended``."""

    opened: socket.socket
    is_staff: bool
    ended: threading.Event = field(default_factory=threading.Event)
    asked: int = 0
    lost: int = 0
    failed: int = 0
    unfiltered: int = 0
    overblocked: int = 0
    longest_gap_s: float = 0.0
    longest_wait_s: float = 0.0
    _waiting: dict[int, tuple[float, bool]] = field(default_factory=dict)
    _last: float = 0.0

    def run(self) -> None:
        """Ask until the end, then wait for the last answers."""
        with self.opened:
            self._ask()

    def _ask(self) -> None:
        names = itertools.cycle(((LOCKED, True), (OPEN, False), (FOR_STAFF, not self.is_staff)))
        self._last = due = _CLOCK.monotonic()
        self.opened.settimeout(_EVERY_S)
        while not self.ended.is_set():
            name, is_closed = next(names)
            self.asked += 1
            number = self.asked % 65536
            self._waiting[number] = (_CLOCK.monotonic(), is_closed)
            # A label of its own: every second question is in no cache.
            asked = f"n{self.asked}.{name}" if self.asked % 2 else name
            query = a_query(asked, message_id=number)
            try:
                self.opened.send(query)
            except ConnectionRefusedError:  # of the question before; this one was not sent
                self.opened.send(query)
            due += _EVERY_S
            self._take_until(due)
        self._take_until(_CLOCK.monotonic() + PATIENCE_S)
        self.lost += len(self._waiting)

    def _take_until(self, due: float) -> None:
        while (left_s := due - _CLOCK.monotonic()) > 0:
            self.opened.settimeout(left_s)
            try:
                self._take(self.opened.recv(4096), _CLOCK.monotonic())
            except TimeoutError:
                break
            except ConnectionRefusedError:  # nothing listened for a moment: the question is lost
                continue
        now = _CLOCK.monotonic()
        for number, (since, _) in list(self._waiting.items()):
            if now - since <= PATIENCE_S:
                break
            del self._waiting[number]
            self.lost += 1

    def _take(self, said: bytes, now: float) -> None:
        since, is_closed = self._waiting.pop(int.from_bytes(said[:2]), (now, None))
        if is_closed is None:
            return
        self.longest_gap_s, self._last = max(self.longest_gap_s, now - self._last), now
        self.longest_wait_s = max(self.longest_wait_s, now - since)
        rcode = said[3] & 15
        if rcode not in {_NOERROR, _NXDOMAIN}:
            self.failed += 1
        elif is_closed and rcode != _NXDOMAIN:
            self.unfiltered += 1
        elif not is_closed and rcode == _NXDOMAIN:
            self.overblocked += 1


def hop(school: InstalledSchool, packages: tuple[Path, Path], lasts_s: float) -> Figures:
    """Let two releases hop while clients ask; the school is set up, with the first of them.

    Each way is gone once at least, also where that lasts longer.
    """
    around = school.around
    clients = [_client(around.pupil, BOX), _client(around.office, OFFICE_BOX, is_staff=True)]
    memory, disk = _memory_mb(school), _disk_mb(school)
    for name, file in zip(("old", "new"), packages, strict=True):
        school.box.give(file, f"/root/{name}.deb")
    install = ("dpkg", "--install")
    ways = [(*install, "/root/new.deb"), (*install, "/root/old.deb")]
    ways += [("filterd", "release", "rollback")] * 2
    gaps, end = list[float](), _CLOCK.monotonic() + lasts_s
    with ThreadPoolExecutor(len(clients)) as pool:
        asking = [pool.submit(one.run) for one in clients]
        try:
            for words in itertools.cycle(ways):
                if len(gaps) >= len(ways) and _CLOCK.monotonic() > end:
                    break
                school.box.run(*words, within_s=300)
                time.sleep(_SETTLE_S)
                gaps.append(max(one.longest_gap_s for one in clients))
                for client in clients:
                    client.longest_gap_s = 0.0
        finally:
            for client in clients:
                client.ended.set()
    for one in asking:
        one.result()
    return Figures(
        len(gaps),
        sum(one.asked for one in clients),
        sum(one.lost for one in clients),
        sum(one.failed for one in clients),
        sum(one.unfiltered for one in clients),
        sum(one.overblocked for one in clients),
        max(gaps),
        min(gaps),
        max(one.longest_wait_s for one in clients),
        (memory, _memory_mb(school)),
        (disk, _disk_mb(school)),
        len(school.box.run("ls", "/opt/filterd/releases").out.split()),
    )


def _client(where: Namespace, server: str, *, is_staff: bool = False) -> Client:
    return Client(where.socket(socket.SOCK_DGRAM, server), is_staff)


def _memory_mb(school: InstalledSchool) -> float:
    shown = school.box.run("systemctl", "show", "--value", "-pControlGroup", "filterd").out.strip()
    pids = school.box.run("cat", f"/sys/fs/cgroup{shown}/cgroup.procs").out.split()
    rollups = school.box.run("cat", *(f"/proc/{pid}/smaps_rollup" for pid in pids)).out
    lines = [line.split() for line in rollups.splitlines() if line.startswith("Pss:")]
    return sum(int(line[1]) for line in lines) / 1024


def _disk_mb(school: InstalledSchool) -> float:
    shown = school.box.run("du", "-sxk", "/opt", "/usr/lib/filterd", "/var/lib", "/var/log").out
    return sum(int(line.split()[0]) for line in shown.splitlines()) / 1024


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    minutes = float(os.environ.get("HOP_MINUTES", "60"))
    parser.add_argument("--minutes", type=float, default=minutes)
    parser.add_argument("--suite", default="trixie")
    given = parser.parse_args()
    old, new = (package(given.suite, version=version) for version in RELEASES)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        with (
            gateway(folder, upstream_port=53) as around,
            booted(given.suite, folder / "box", around.gateway.name) as box,
        ):
            school = InstalledSchool(box, around)
            school.install(old)
            school.set_up()
            figures = hop(school, (old, new), given.minutes * 60)
    for name, value in figures._asdict().items():
        sys.stdout.write(f"{name:15} {value}\n")


if __name__ == "__main__":
    main()
