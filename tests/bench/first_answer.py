# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: T201 -- a script that prints what it measured
"""Measure the time from the start of the service to its first filtered answer.

Run ``python -m tests.bench.first_answer`` as root: the daemon is in a network namespace without
a link, an address or a route but those of loopback, as on a board whose cable and DHCP server
are not there yet, and listens on all addresses. Each kind of state is started ten times: lists
that ship, a million names more, both compiled; a policy of another release; and no state at all.

A Raspberry Pi 4 is estimated from the processor time that the start took, of all its processes:
its core (Cortex-A72, 1.5 GHz) has 0.58 of the clock of the core measured by (2.6 GHz) and
does about 0.4 of the work in a cycle, so it takes 4.3 times as long. A start keeps about one
core busy, and its files are in memory or on a card that reads 40 MB/s.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter, sleep
from typing import TYPE_CHECKING

from tests.bench.index_figures import made_names
from tests.bench.restarts import OWN_LIST
from tests.support.commands import ROOT, call
from tests.support.daemon import SOURCES, write_site
from tests.support.processes import family
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Callable

PORT, ASK_EVERY_S, SETTLED_S = 53, 0.002, 0.5
NXDOMAIN = 3
OF_A_PI = 2.6 / 1.5 / 0.4
_TICKS = os.sysconf("SC_CLK_TCK")


def start(config: Path, state: Path) -> tuple[float, float]:
    """Return seconds to the first answer, and of the processors until then."""
    with socket.socket(type=socket.SOCK_DGRAM) as asking:
        asking.bind((SOURCES["3"], 0))
        asking.connect(("127.0.0.1", PORT))
        asking.settimeout(ASK_EVERY_S)
        words = ("serve", "--config", str(config), "--state", str(state))
        began = perf_counter()
        with subprocess.Popen(
            [sys.executable, "-m", "filterd", *words], cwd=ROOT, stderr=subprocess.DEVNULL
        ) as daemon:
            answer = _first(asking)
            took, worked = perf_counter() - began, sum(map(_worked_s, family(daemon.pid)))
            assert answer[3] & 15 == NXDOMAIN, "unfiltered"
            sleep(SETTLED_S)
            daemon.send_signal(signal.SIGTERM)
    return took, worked


def _first(asking: socket.socket) -> bytes:
    while True:
        try:
            asking.send(a_query("www.tiktok.com"))
            return asking.recv(4096)
        except TimeoutError:
            pass
        except ConnectionRefusedError:
            sleep(ASK_EVERY_S)


def _worked_s(pid: int) -> float:
    """Return the time of a process, with its children that have ended (proc(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / _TICKS


def _as_it_is(_: Path) -> None:
    pass


def _updated(state: Path) -> None:
    record = state / "policy.filterd.origin"
    origin = json.loads(record.read_bytes().splitlines()[-1])
    record.write_text(json.dumps(origin | {"program": {"/opt/filterd/releases/0": [1, 1]}}))


def _emptied(state: Path) -> None:
    shutil.rmtree(state)


def measure(
    name: str, folder: Path, names: int, starts: int, before: Callable[[Path], None]
) -> None:
    """Start so many times on so many names more than ship, and print; ``before`` each start."""
    config, state = folder / "site", folder / "state"
    write_site(config, port=PORT, more=OWN_LIST if names else "")
    text = (config / "site.yaml").read_text("utf-8")
    everywhere = f"listen: ['0.0.0.0:{PORT}', '[::]:{PORT}']"
    (config / "site.yaml").write_text(text.replace(f"listen: ['127.0.0.1:{PORT}']", everywhere))
    if names:
        (config / "bench.txt").write_text("\n".join(made_names(names)), encoding="ascii")
    done = call("lists", "build", "--quiet", "--config", config, "--state", state)
    assert done.code == 0, done.err
    start(config, state)  # compiles the policy
    figures = []
    for _ in range(starts):
        before(state)
        figures.append(start(config, state))
    took, worked = zip(*figures, strict=True)
    median, busy = statistics.median(took), statistics.median(worked)
    print(
        f"{name}: median {1000 * median:.0f} ms, worst {1000 * max(took):.0f} ms;"
        f" processors {1000 * busy:.0f} ms, so a Pi 4 about {busy * OF_A_PI:.1f} s"
    )


def main() -> None:
    """Parse arguments, enter a namespace, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--starts", type=int, default=10)
    parser.add_argument("--names", type=int, default=1_000_000)
    arguments = parser.parse_args()
    if "UNSHARED" not in os.environ:
        words = ["unshare", "--net", sys.executable, "-m", "tests.bench.first_answer"]
        os.execvpe(words[0], [*words, *sys.argv[1:]], os.environ | {"UNSHARED": "1"})
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    kinds = {
        "the lists that ship": (0, _as_it_is),
        f"{arguments.names:,} names more": (arguments.names, _as_it_is),
        "a policy of another release": (0, _updated),
        "no state at all": (0, _emptied),
    }
    for name, (names, before) in kinds.items():
        with tempfile.TemporaryDirectory() as folder:
            measure(name, Path(folder), names, arguments.starts, before)


if __name__ == "__main__":
    main()
