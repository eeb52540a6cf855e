# SPDX-License-Identifier: Apache-2.0

"""How long who asks waits, at a rate that leaves a server idle most of the time.

Run ``python -m tests.bench.latency``; it needs gcc, taskset and dnsperf. All
servers run at once on the first core, each on a port of its own, and are asked
the same questions of the school mix in turns of some seconds, so that whatever
else the machine does concerns them all. Who asks spins on the other core and
so wakes at once. Each turn has its mean and its median; those of the middle
turn are shown, and what a server holds when it has been asked nothing else.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import os
import socket
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tests.bench import index_figures, measuring
from tests.bench.peers import PEERS, At, LargeSchool, Peer
from tests.bench.questions import Questions
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Iterator

ASKED_A_SECOND, SECONDS, TURNS = 5_000, 1, 25
_FIRST_PORT = 5454
_ANSWERS_WITHIN_S = 0.5
_BUFFER_OCTETS = 4 * 1024 * 1024


class Turn(NamedTuple):
    """What a turn of questions has shown."""

    mean_us: float
    median_us: float
    lost: int


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
    questions = Questions(listed, folder)
    warming, turns = questions.warming(), {peer.name: list[Turn]() for peer in peers}
    with contextlib.ExitStack() as stack:
        at, pid = dict[str, At](), dict[str, int]()
        for number, peer in enumerate(peers):
            at[peer.name] = where = At(port=_FIRST_PORT + number)
            own = folder / f"latency-{number}"
            own.mkdir()
            measuring.must_be_free(where)
            command = [*measuring.SERVING, *peer.prepare(names, where, own)]
            pid[peer.name] = stack.enter_context(measuring.running(command, own / "log"))
            measuring.seconds_to_block(where, listed[-1], time.perf_counter(), own / "log")
            measuring.dnsperf(where, warming, 60, "-n", "1")
        for turn in range(TURNS):
            file = questions.of("school", ASKED_A_SECOND * SECONDS)
            queries = [
                a_query(name, qtype, edns=False, message_id=number)
                for number, (name, qtype) in enumerate(
                    map(str.split, file.read_text().split("\n")[:-1])
                )
            ]
            for peer in (*peers[turn % len(peers) :], *peers[: turn % len(peers)]):
                with _alone_on_the_last_core():
                    turns[peer.name].append(ask(at[peer.name], queries, ASKED_A_SECOND))
        held = {name: measuring.memory(one).private_mb for name, one in pid.items()}
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
    from tests.bench.table import build, check_needs, show  # noqa: PLC0415 -- it uses this module

    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--names", type=int, default=1_000_000)
    given = parser.parse_args()
    check_needs()
    with tempfile.TemporaryDirectory() as where:
        folder, at = Path(where), At()
        names, listed = folder / "names.txt", list(index_figures.made_names(given.names))
        names.write_text("\n".join(listed) + "\n", encoding="ascii")
        stub = [str(build("upstream.c", folder)), at.upstream, str(at.upstream_port)]
        with measuring.running([*measuring.ASKING, *stub], folder / "stub.log"):
            show(measure(usual(), listed, names, folder))


def usual() -> list[Peer]:
    """Return those that are installed, of filterd the usual school only."""
    return [one for one in PEERS if not one.missing() and not isinstance(one, LargeSchool)]


if __name__ == "__main__":
    main()
