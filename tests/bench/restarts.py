# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: T201 -- a script that prints what it measured
"""Measure the time without answers after a kill of the only worker, and the loss.

Run ``python -m tests.bench.restarts``; it takes eight minutes, ``--kills 3`` makes it
short. A real daemon gets a blocked name every millisecond while its worker is ended by
SIGKILL again and again, with the lists that ship and with a million names more. The time
runs from the signal to the first answer to a question sent after it. A worker may lose
only questions that it had read.

The kills are further apart than what counts as a long life, so that no pause of the
supervisor is measured; those are for workers that keep dying.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import statistics
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter, sleep
from typing import TYPE_CHECKING, Self

from tests.bench.index_figures import made_names
from tests.support.commands import call
from tests.support.daemon import SOURCES, free_port, serving, write_site
from tests.support.processes import children
from tests.support.wire import a_query

if TYPE_CHECKING:
    from tests.support.daemon import Served

APART_S = 10.5
ASK_EVERY_S = 0.001
GIVE_UP_S = 5.0
RATE = "rate_limit: {queries_a_second: 100000, burst: 100000}\n"
OWN_LIST = "lists: [{id: bench, file: bench.txt, category: gambling}]\n"


@dataclass
class Figures:
    """Seconds without an answer, kill by kill; how many were asked, lost, answered twice."""

    gaps_s: list[float] = field(default_factory=list)
    asked: int = 0
    lost: int = 0
    twice: int = 0
    unfiltered: int = 0


class Stub:
    """Asks a blocked name all the time, each time with the next ID, and notes when it was answered.

    IDs come again after a minute, long after everything asked under them is settled.
    """

    def __init__(self, port: int) -> None:
        self.asked_at: dict[int, float] = {}
        self.figures = Figures()
        self._answered_at: dict[int, float] = {}
        self._query = a_query("www.tiktok.com")
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((SOURCES["3"], 0))
        self._socket.connect(("127.0.0.1", port))
        self._socket.settimeout(0.1)
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=one) for one in (self._ask, self._read)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        self._socket.close()

    def _ask(self) -> None:
        number = 0
        while not self._stopping.is_set():
            number = (number + 1) % 65_536
            self._settle(number)
            self.asked_at[number] = perf_counter()
            self.figures.asked += 1
            self._socket.send(number.to_bytes(2) + self._query[2:])
            sleep(ASK_EVERY_S)

    def _settle(self, number: int) -> None:
        """Count the question that had this ID before as lost, if it has no answer by now."""
        if self.asked_at.pop(number, None) and not self._answered_at.pop(number, None):
            self.figures.lost += 1

    def _read(self) -> None:
        while not self._stopping.is_set():
            try:
                answer = self._socket.recv(4096)
            except TimeoutError:
                continue
            number = int.from_bytes(answer[:2])
            self.figures.twice += number in self._answered_at
            self.figures.unfiltered += answer[3] & 15 != 3
            self._answered_at[number] = perf_counter()

    def first_answer_after(self, moment: float) -> float:
        """Wait for an answer to something asked after ``moment``; return when it came."""
        while perf_counter() < moment + GIVE_UP_S:
            asked = list(self.asked_at.items())
            later = (self._answered_at.get(number) for number, at in asked if at > moment)
            if times := [at for at in later if at]:
                return min(times)
            sleep(0.005)
        raise AssertionError("nobody answers any more")

    def finish(self) -> Figures:
        """Return what was counted, once all that was asked has had its time."""
        for number in list(self.asked_at):
            self._settle(number)
        return self.figures


def kill_again_and_again(served: Served, port: int, kills: int) -> Figures:
    """Kill the only worker ``kills`` times while a stub asks."""
    with Stub(port) as stub:
        for _ in range(kills):
            sleep(APART_S)
            _, worker = children(served.process.pid)
            moment = perf_counter()
            os.kill(worker, signal.SIGKILL)
            stub.figures.gaps_s.append(stub.first_answer_after(moment) - moment)
    return stub.finish()


def measure(folder: Path, names: int, kills: int) -> Figures:
    """Serve the shipped lists and so many names more, and kill."""
    config, port = folder / "site", free_port()
    write_site(config, port=port, more=RATE + (OWN_LIST if names else ""))
    if names:
        (config / "bench.txt").write_text("\n".join(made_names(names)), encoding="ascii")
    done = call("lists", "build", "--quiet", "--config", config, "--state", folder / "state")
    assert done.code == 0, done.err
    with serving(config, folder / "state") as served:
        return kill_again_and_again(served, port, kills)


def main() -> None:
    """Parse arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--names", type=int, nargs="*", default=[0, 1_000_000])
    arguments = parser.parse_args()
    for names in arguments.names:
        with tempfile.TemporaryDirectory() as folder:
            measured = measure(Path(folder), names, arguments.kills)
        median, worst = statistics.median(measured.gaps_s), max(measured.gaps_s)
        print(f"the lists that ship and {names:,} names more: {len(measured.gaps_s)} kills")
        print(f"  to the first answer: median {1000 * median:.0f} ms, worst {1000 * worst:.0f} ms")
        print(
            f"  asked {measured.asked}, lost {measured.lost},"
            f" answered twice {measured.twice}, unfiltered {measured.unfiltered}"
        )


if __name__ == "__main__":
    main()
