# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: T201 -- a script that prints a table
"""Measure how soon a change by command is in force, and its cost to lookups.

Run ``python -m tests.bench.changes``; it needs gcc and dnsperf. A daemon with two
workers has a million names on a list. Exceptions are set one after the other without
load, then some under 5,000 questions a second.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from functools import partial
from itertools import count
from pathlib import Path

from filterd import control
from filterd.base.state_folder import StateFolder
from tests.bench import index_figures, measuring
from tests.bench.peers import At, Filterd
from tests.bench.questions import Questions
from tests.bench.reloads import cost_of
from tests.bench.table import build

_KEYS = """workers: 2
networks:
  everybody: {cidrs: [127.0.0.0/8], grade: 6}
lists:
  - {id: measured, file: list.txt, format: domains, category: porn}
"""
_NUMBER = count()


def change(state: StateFolder) -> float:
    """Block another name for everybody; return how long that took, in milliseconds."""
    began = time.perf_counter()
    control.ask(
        state.control_socket,
        "change",
        kind="exception",
        target_kind="name",
        target=f"n{next(_NUMBER)}.changed.example",
        allow=False,
        reason="measured",
    )
    return 1000 * (time.perf_counter() - began)


def main() -> None:
    """Print both."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--names", type=int, default=1_000_000)
    parser.add_argument("--changes", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        where, at = Path(made), At()
        names, listed = where / "names.txt", list(index_figures.made_names(given.names))
        names.write_text("\n".join(listed) + "\n", encoding="ascii")
        (where / "keys.yaml").write_text(_KEYS)
        os.environ["FILTERD_BENCH_KEYS"] = str(where / "keys.yaml")
        command = Filterd().prepare(names, at, where)
        state = StateFolder(Path(command[-1]) / "state")
        stub = [str(build("upstream.c", where)), at.upstream, str(at.upstream_port)]
        with (
            measuring.running([*measuring.ASKING, *stub], where / "stub.log"),
            measuring.running([*measuring.SERVING, *command], where / "log"),
        ):
            measuring.seconds_to_block(at, listed[-1], time.perf_counter(), where / "log")
            while not control.is_running(state.control_socket):  # the workers answer first
                time.sleep(0.1)
            waits = [change(state) for _ in range(given.changes)]
            asked = Questions(listed, where).of("school", 200_000)
            other = listed[-1], "www.other.example"
            cost = cost_of(partial(change, state), at, other, asked, given.rounds)
    print("| request to in force, median | worst | worst answer meanwhile, over quiet | failed |")
    print("| --- | --- | --- | --- |")
    print(
        f"| {statistics.median(waits):.1f} ms | {max(waits):.1f} ms |"
        f" {cost.over_quiet_ms:.1f} ms | {cost.failed} |"
    )


if __name__ == "__main__":
    main()
