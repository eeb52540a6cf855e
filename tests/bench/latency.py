# SPDX-License-Identifier: Apache-2.0

"""Measure the latency at a rate that leaves a server idle most of the time.

Run ``python -m tests.bench.latency``; it needs gcc, taskset and dnsperf. All servers run
at once on the first core, each on a port of its own. They get the same questions of the
school mix in turns of some seconds, so that other load on the machine affects all of
them. The client spins on the other core and so wakes at once. Each turn has its mean and
its median; the table shows those of the middle turn, and the memory of a server that got
no other mix.
"""

from __future__ import annotations

import contextlib
import gc
import os
import socket
import statistics
import time
from typing import TYPE_CHECKING, NamedTuple

from tests.bench import measuring
from tests.bench.peers import PEERS, At, LargeSchool, Peer
from tests.bench.questions import Questions
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ASKED_A_SECOND, SECONDS, TURNS = 5_000, 1, 25
_FIRST_PORT = 5454
_ANSWERS_WITHIN_S = 0.5
_BUFFER_OCTETS = 4 * 1024 * 1024


class Turn(NamedTuple):
    """What a turn of questions has shown."""

    mean_us: float
    median_us: float
    lost: int


class Running(NamedTuple):
    """A server that runs: where it listens, and its first process."""

    at: At
    pid: int


def ask(at: At, queries: list[bytes], a_second: int) -> Turn:
    """Ask at a rate, whatever is answered; ``queries`` must have IDs of their own."""
    asked, waits = dict.fromkeys((query[:2] for query in queries), 0.0), list[float]()
    clock, unasked, number = time.perf_counter, len(queries), 0
    with socket.socket(type=socket.SOCK_DGRAM) as asking:
        asking.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_OCTETS)
        asking.connect((at.address, at.port))
        asking.setblocking(False)
        began = clock()
        end = began + len(queries) / a_second + _ANSWERS_WITHIN_S
        while asked and (now := clock()) < end:
            while number < unasked and now >= began + number / a_second:
                asked[queries[number][:2]] = clock()
                asking.send(queries[number])
                number += 1
            with contextlib.suppress(BlockingIOError):
                sent_at = asked.pop(asking.recv(4096)[:2], None)
                if sent_at is not None:  # else it is answered twice
                    waits.append(clock() - sent_at)
    waits = waits or [_ANSWERS_WITHIN_S]
    return Turn(1e6 * statistics.fmean(waits), 1e6 * statistics.median(waits), len(asked))


def measure(
    peers: list[Peer], listed: list[str], names: Path, folder: Path
) -> dict[str, dict[str, float]]:
    """Start the peers, ask them in turns, end them; figures by the title of their row.

    Args:
        peers: those that are installed.
        listed: the names on the list.
        names: the same as a file.
        folder: for what the peers need; an upstream must be running.
    """
    questions, turns = Questions(listed, folder), {peer.name: list[Turn]() for peer in peers}
    with all_at_once(peers, questions, listed[-1], names, folder) as running:
        for turn in range(TURNS):
            file = questions.of("school", ASKED_A_SECOND * SECONDS)
            queries = [
                a_query(name, qtype, edns=False, message_id=number)
                for number, (name, qtype) in enumerate(
                    map(str.split, file.read_text().split("\n")[:-1])
                )
            ]
            for peer in in_turn(peers, turn):
                with _alone_on_the_last_core():
                    turns[peer.name].append(ask(running[peer.name].at, queries, ASKED_A_SECOND))
        held = {name: measuring.memory(one.pid).private_mb for name, one in running.items()}
    each = f"at {ASKED_A_SECOND:,} a second, school"
    return {
        name: {
            f"mean wait {each}, µs": statistics.median(one.mean_us for one in found),
            f"median wait {each}, µs": statistics.median(one.median_us for one in found),
            f"lost {each}": sum(one.lost for one in found),
            "memory after that alone, private, MB": held[name],
        }
        for name, found in turns.items()
    }


@contextlib.contextmanager
def all_at_once(
    peers: list[Peer], questions: Questions, name: str, names: Path, folder: Path
) -> Iterator[dict[str, Running]]:
    """Run all servers, each on a port of its own and with a warm cache; yield them by name.

    Args:
        peers: those that are installed.
        questions: the mixes.
        name: a listed one.
        names: the list.
        folder: for what the peers need; an upstream must be running.
    """
    warming = questions.warming()
    with contextlib.ExitStack() as stack:
        running = dict[str, Running]()
        for number, peer in enumerate(peers):
            at, own = At(port=_FIRST_PORT + number), folder / f"peer-{number}"
            own.mkdir()
            measuring.must_be_free(at)
            command = [*measuring.SERVING, *peer.prepare(names, at, own)]
            pid = stack.enter_context(measuring.running(command, own / "log"))
            measuring.seconds_to_block(at, name, time.perf_counter(), own / "log")
            measuring.dnsperf(at, warming, 60, "-n", "1")
            running[peer.name] = Running(at, pid)
        yield running


def in_turn(peers: list[Peer], turn: int) -> list[Peer]:
    """Return all peers, each time another one first."""
    first = turn % len(peers)
    return [*peers[first:], *peers[:first]]


@contextlib.contextmanager
def _alone_on_the_last_core() -> Iterator[None]:
    """Ask from a core on which no server runs, and stop for no garbage."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {measuring.CORES[-1]})
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        os.sched_setaffinity(0, before)


def main() -> None:
    """Measure every peer that is here and print a table."""
    from tests.bench.table import show, the_setting  # noqa: PLC0415 -- it uses this module

    with the_setting(__doc__) as (listed, names, folder):
        show(measure(usual(), listed, names, folder))


def usual() -> list[Peer]:
    """Return those that are installed, of filterd the usual school only."""
    return [one for one in PEERS if not one.missing() and not isinstance(one, LargeSchool)]


if __name__ == "__main__":
    main()
