# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: T201 -- a script that prints a table
"""Measure a whole `filterd sync` beside a daemon that serves.

Run ``python -m tests.bench.feed_sync``. The names of ``../shared/data``, if it is there,
are the feed; otherwise generated ones. Half a percent of them change over night. Daemon
and sync share one core, and sync is as nice as its service
(``deploy/units/filterd-feed.service``). On the other core a client asks 2,000 questions a
second and one name 500 times a second, without a sync and during it.

Memory is that of the command and the guard's child together, by the kernel's
proportional count, read every 20 ms. The urgent order is one more name; its time goes
from the start of the command to the first blocked answer.

Goals (issue: the central feed): at most 10 s and 300 MB for the night's difference, an
unchanged mean latency, and an order in force 5 s after `sync --now`.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import statistics
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import NamedTuple

from filterd.base.clock import SystemClock
from filterd.base.paths import shipped
from filterd.base.state_folder import StateFolder
from filterd.publish.signing import targets_of
from filterd.publish.version_build import build_version
from tests.bench import measuring
from tests.bench.feed_figures import ROOT, nights, text
from tests.bench.peers import At
from tests.support.evidence_folder import write_contact
from tests.support.publisher import Publisher
from tests.support.wire import a_query

HERE = Path(__file__).resolve().parents[2]
FILTERD = HERE / ".venv" / "bin" / "filterd"
AT = At(port=5466, upstream="127.0.0.1", upstream_port=5465)
LISTED, URGENT = "listed-always.example", "urgent-order.example"
LOAD_A_SECOND, PROBES_A_SECOND, QUIET_S = 2_000, 500, 5.0
_PROBE_WITHIN_S = 2.0
_SOURCE = "blocklistproject-phishing"


class Run(NamedTuple):
    """What a command has cost.

    Attributes:
        cpu_s: of it and its children.
        wall_s: from its start to its end.
        peak_mb: the most that it and its children have held at once.
    """

    cpu_s: float
    wall_s: float
    peak_mb: float


class Bench:
    """A publisher and a school below one folder.

    Args:
        folder: an empty one.
        names: of the feed, at most.
        churn: the part of them that changes over night.
    """

    def __init__(self, folder: Path, names: int, churn: float) -> None:
        self.folder, self.config = folder, folder / "site"
        self.state = StateFolder(folder / "state")
        self._now = SystemClock().wall()
        self._publisher = Publisher(folder / "www", now=self._now)
        self._built = list[Path]()
        self._catalog = Path(shutil.copytree(shipped("blocklists"), folder / "catalog"))
        write_contact(self._catalog)
        self.before, self.after = _lists(names, churn)
        self.config.mkdir()
        (self.config / "site.yaml").write_text(
            f"school: {{name: Mẫu}}\nlisten: ['{AT.address}:{AT.port}']\n"
            f"upstreams: ['{AT.upstream}:{AT.upstream_port}']\nfeed: https://feed.example/\n"
            "rate_limit: {queries_a_second: 1000000, burst: 1000000}\n",
            encoding="utf-8",
        )

    def publish(self, names: bytes, *, urgent: bool = False) -> None:
        """Build a version out of what ships and a large source, and publish it."""
        folder = self.folder / f"version-{len(self._built)}"
        given = self.folder / "source.txt"
        given.write_bytes(names)
        build_version(self._catalog, {_SOURCE: given}, folder, today="2027-01-15", accepted=True)
        targets = targets_of(folder, self._built[:1])
        self._built.insert(0, folder)
        self._publisher.repository.publish(
            targets, self._publisher.signers, now=self._now, urgent=urgent
        )

    def trust(self) -> None:
        """Give the school the publisher's root."""
        root = self.folder / "root.json"
        root.write_bytes(self._publisher.root)
        self.run("feed", "trust", str(root))

    def sync(self, *words: str) -> Run:
        """Take what is published."""
        return self.run("sync", *words, "--from", str(self.folder / "www"))

    def run(self, *words: str) -> Run:
        """Run a command on the daemon's core and measure it."""
        places = ("--config", str(self.config), "--state", str(self.state.folder), "--lang", "en")
        core = str(measuring.CORES[0])
        command = ["nice", "-n", "15", "taskset", "-c", core, str(FILTERD), *words, *places]
        started = time.perf_counter()
        peak = 0.0
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
            while True:
                pid, status, used = os.wait4(process.pid, os.WNOHANG)
                if pid:
                    break
                peak = max(peak, measuring.memory(process.pid).private_mb)
                time.sleep(0.02)
            process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{' '.join(words)}: exit code {process.returncode}")
        took = time.perf_counter() - started
        return Run(used.ru_utime + used.ru_stime, took, peak)


def _lists(names: int, churn: float) -> tuple[bytes, bytes]:
    """Return the large list on both evenings, as text."""
    always = f"{LISTED}\n".encode()
    if ROOT.is_dir():
        [night] = nights(churn, names, together=True)
        return always + text(night.before), always + text(night.after)
    made = [b"name%d.test%d.example\n" % (n, n % 977) for n in range(names)]
    changed = round(churn * names / 2)
    return always + b"".join(made[:-changed]), always + b"".join(made[changed:])


class Probes:
    """One name asked again and again; ``waits`` has how long each answer took."""

    def __init__(self) -> None:
        self.waits: list[float] = []
        self.lost = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._ask, daemon=True)
        self._thread.start()

    def stop(self) -> tuple[float, float, int]:
        """Return the mean and the worst wait in ms, and how many got no answer."""
        self._stopping.set()
        self._thread.join()
        return 1e3 * statistics.fmean(self.waits), 1e3 * max(self.waits), self.lost

    def _ask(self) -> None:
        query = a_query(LISTED)
        with socket.socket(type=socket.SOCK_DGRAM) as asking:
            asking.settimeout(_PROBE_WITHIN_S)
            asking.connect((AT.address, AT.port))
            while not self._stopping.is_set():
                began = time.perf_counter()
                try:
                    asking.send(query)
                    asking.recv(4096)
                except OSError:
                    self.lost += 1
                else:
                    self.waits.append(time.perf_counter() - began)
                time.sleep(max(0.0, began + 1 / PROBES_A_SECOND - time.perf_counter()))


def _print_run(what: str, run: Run) -> None:
    print(
        f"{what}: {run.cpu_s:.1f} s of CPU, {run.wall_s:.1f} s by the clock,"
        f" {run.peak_mb:.0f} MB private at most"
    )


def measure(bench: Bench) -> None:
    """Print the figures."""
    bench.publish(bench.before)
    bench.trust()
    _print_run("first version, whole, without a daemon", bench.sync())
    bench.publish(bench.after)
    questions = bench.folder / "questions"
    questions.write_text(f"{LISTED} A\nwww.pornhub.com A\n")
    places = ["--config", str(bench.config), "--state", str(bench.state.folder)]
    serving = [*measuring.SERVING, str(FILTERD), "serve", *places]
    load = ["-s", AT.address, "-p", str(AT.port), "-d", str(questions), "-l", "600", "-c", "20"]
    load = [*measuring.ASKING, "dnsperf", *load, "-Q", str(LOAD_A_SECOND)]
    log = bench.folder / "serve.log"
    with measuring.running(serving, log):
        measuring.seconds_to_block(AT, LISTED, time.perf_counter(), log)
        with measuring.running(load, bench.folder / "load.log"):
            probes = Probes()
            time.sleep(QUIET_S)
            mean, worst, lost = probes.stop()
            print(f"quiet: mean {mean:.2f} ms, worst {worst:.1f} ms, {lost} lost")
            probes = Probes()
            run = bench.sync("--now")
            mean, worst, lost = probes.stop()
            _print_run("the night's difference (goals 10 s, 300 MB)", run)
            print(f"meanwhile: mean {mean:.2f} ms, worst {worst:.1f} ms, {lost} lost")
            bench.publish(bench.after + f"{URGENT}\n".encode(), urgent=True)
            started = time.perf_counter()
            taking = threading.Thread(target=bench.sync, args=("--now",))
            taking.start()
            enforced = measuring.seconds_to_block(AT, URGENT, started, log)
            taking.join()
            print(f"an urgent order is enforced {enforced:.1f} s after `sync --now` (goal 5 s)")


def main() -> None:
    """Measure, in a folder of its own."""
    parser = argparse.ArgumentParser(description="Measure `filterd sync`.")
    parser.add_argument("--names", type=int, default=1_000_000)
    parser.add_argument("--churn", type=float, default=0.005)
    chosen = parser.parse_args()
    print(f"at most {chosen.names} {'real' if ROOT.is_dir() else 'made'} names")
    with tempfile.TemporaryDirectory() as folder:
        measure(Bench(Path(folder), chosen.names, chosen.churn))


if __name__ == "__main__":
    main()
