# SPDX-License-Identifier: Apache-2.0
"""Measure one server under load: CPU a question, memory, time to first answer.

The server has one core, the questions and the upstream another. CPU time is the figure
that other load on the machine disturbs least.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import statistics
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tests.support.processes import family
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.bench.peers import At

CORES = sorted(os.sched_getaffinity(0))
_FIRST = ["nice", "-n", "-15"] if os.geteuid() == 0 else []
"""Before other work of the machine, where that is allowed."""

SERVING, ASKING = ([*_FIRST, "taskset", "-c", str(core)] for core in (CORES[0], CORES[-1]))
_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
_STARTS_WITHIN_S = 120
TURNS = 15
_T_95 = 2.145
"""Student's t for as many turns, 14 degrees of freedom, two-sided."""
_NXDOMAIN = 3


class Memory(NamedTuple):
    """Megabytes of all processes of a server, what they share counted once."""

    private_mb: float
    mapped_mb: float


@contextlib.contextmanager
def running(command: list[str], log: Path) -> Iterator[int]:
    """Start a command and end it; its first process must stay its last."""
    with log.open("w") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out)
        try:
            yield process.pid
        finally:
            process.terminate()
            process.wait()


def cpu_s(pid: int) -> float:
    """Return what a family has used, those that it has waited for included."""
    ticks = 0
    for one in family(pid):
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            ticks += sum(map(int, fields[11:15]))
    return ticks / _TICKS_A_SECOND


def memory(pid: int) -> Memory:
    """Return what a family holds, by the kernel's proportional count."""
    anonymous = mapped = 0
    for one in family(pid):
        with contextlib.suppress(OSError):
            text = Path(f"/proc/{one}/smaps_rollup").read_text()
            anonymous += _kilobytes("Pss_Anon", text) + _kilobytes("Pss_Shmem", text)
            mapped += _kilobytes("Pss_File", text)
    return Memory(anonymous / 1024, mapped / 1024)


def _kilobytes(key: str, text: str) -> int:
    found = re.search(rf"^{key}:\s+(\d+)", text, re.MULTILINE)
    return int(found[1]) if found else 0


def ask(at: At, name: str, within_s: float) -> int | None:
    """Return the RCODE that a name gets, nothing if no answer comes in time."""
    with socket.socket(type=socket.SOCK_DGRAM) as asking:
        asking.settimeout(within_s)
        asking.connect((at.address, at.port))
        try:
            asking.send(a_query(name))
            return asking.recv(4096)[3] & 15
        except OSError:
            return None


def must_be_free(at: At) -> None:
    """End where another server has the address: that one would be measured."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as trying:
        try:
            trying.bind((at.address, at.port))
        except OSError as error:
            wrong = f"{at.address} port {at.port}: {error.strerror}; end what has it"
            raise SystemExit(wrong) from error


def seconds_to_block(at: At, name: str, started: float, log: Path) -> float:
    """Wait until a name is blocked; return how long after the start that was."""
    while time.perf_counter() - started < _STARTS_WITHIN_S:
        if ask(at, name, 0.1) == _NXDOMAIN:
            return time.perf_counter() - started
        time.sleep(0.01)
    raise SystemExit(f"nothing was blocked in {_STARTS_WITHIN_S} s; it said: {log.read_text()}")


def cpu_us(pid: int, load: Callable[[], int], rounds: int) -> float:
    """Return microseconds of CPU a question answered, the median of some rounds."""
    found = []
    for _ in range(rounds):
        before = cpu_s(pid)
        answered = load()
        found.append(1e6 * (cpu_s(pid) - before) / max(1, answered))
    return statistics.median(found)


def ratios_text(ratios: list[float]) -> str:
    """Format ratios of ``TURNS`` turns: median, range of 90 % of them, mean and 95 % interval."""
    low, *_, high = statistics.quantiles(ratios, n=20)
    mean, sure = statistics.fmean(ratios), _T_95 * statistics.stdev(ratios) / len(ratios) ** 0.5
    return (
        f"{statistics.median(ratios):.3f} (90 % of turns {low:.3f} to {high:.3f});"
        f" mean {mean:.3f}, 95 % interval {mean - sure:.3f} to {mean + sure:.3f}"
    )


def dnsperf(at: At, file: Path, seconds: float, *options: str) -> int:
    """Ask a file's questions, as many as are answered; return how many."""
    where = ["-s", at.address, "-p", str(at.port), "-d", str(file), "-l", str(seconds)]
    command = ["dnsperf", *where, "-c", "20", "-T", "1", "-q", "200", *options]
    done = subprocess.run([*ASKING, *command], check=True, capture_output=True, text=True)
    found = re.search(r"Queries completed:\s+(\d+)", done.stdout)
    assert found, done.stdout
    return int(found[1])


def many_sources(generator: Path, at: At, queries: list[bytes], seconds: float) -> int:
    """Ask from 2,000 addresses; return how many answers came."""
    load = ["load", at.address, str(at.port), "127.9.0.1", "2000", "1", str(max(1, int(seconds)))]
    command = [*ASKING, str(generator), *load, *(query.hex() for query in queries)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return int(done.stdout.split()[0])
