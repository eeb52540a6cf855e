# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: T201 -- a script that prints what it measured
"""Measure the memory of all services of a school by day, and of a compilation by night.

Run ``python -m tests.bench.memory``, with ``--names 5000000`` for the largest lists. Memory is
the kernel's proportional count (PSS, proc(5)): a page that several processes share is divided
among them. By day every name of the index has been looked up once, so that all of it is mapped, and
the cache has been asked for as many names as a school asks.

The services are those of ``deploy/units/``: the resolver and the follower of feeds all the time,
the monitor, the dashboard and the pupils' page where they are used. By night the index is
compiled once more beside them, which is most of what a new version of a feed takes.
"""

from __future__ import annotations

import argparse
import contextlib
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from time import sleep

from tests.bench.index_figures import made_names
from tests.bench.measuring import memory
from tests.bench.restarts import OWN_LIST, RATE
from tests.support.commands import ROOT, call
from tests.support.daemon import SOURCES, free_port, serving, write_site
from tests.support.wire import a_query

ASKED, TOGETHER = 200_000, 50
LOOK_EVERY_S, SETTLED_S = 0.2, 5.0
ALWAYS = {"feed": ("sync", "--follow")}
WHERE_USED = {
    "monitor": ("monitor",),
    "web": ("web", "--listen", "127.0.0.1:{web}"),
    "page": ("blockpage", "--listen", "127.0.0.1:{page}"),
}


def measure(folder: Path, names: int) -> None:
    """Serve so many names more than ship, and print."""
    config, state, port = folder / "site", folder / "state", free_port()
    write_site(config, port=port, more=RATE + OWN_LIST)
    listed = list(made_names(names))
    (config / "bench.txt").write_text("\n".join(listed), encoding="ascii")
    build = ("lists", "build", "--quiet", "--config", config, "--state", state)
    assert call(*build).code == 0
    assert call("cert", "make", "--config", config, "--state", state).code == 0
    with serving(config, state) as served, contextlib.ExitStack() as running:
        _ask(port, listed[:: max(1, names // ASKED)])
        del listed
        pids = {"resolver": served.process.pid}
        ports = {"web": free_port(), "page": free_port()}
        for services in (ALWAYS, WHERE_USED):
            for name, words in services.items():
                text = [word.format_map(ports) for word in words]
                places = ["--config", str(config), "--state", str(state)]
                service = subprocess.Popen(
                    [sys.executable, "-m", "filterd", *text, *places],
                    cwd=ROOT,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
                running.enter_context(service)
                running.callback(service.terminate)
                pids[name] = service.pid
            sleep(SETTLED_S)
            _print(f"{names:,} names by day", pids)
        night = subprocess.Popen([sys.executable, "-m", "filterd", *map(str, build)], cwd=ROOT)
        peak = 0.0
        while night.poll() is None:
            peak = max(peak, sum(_mb(one) for one in (*pids.values(), night.pid)))
            sleep(LOOK_EVERY_S)
        print(f"{names:,} names by night: {peak:.0f} MB with a compilation")


def _print(when: str, pids: dict[str, int]) -> None:
    held = {name: _mb(pid) for name, pid in pids.items()}
    parts = ", ".join(f"{name} {octets:.0f}" for name, octets in held.items())
    print(f"{when}: {sum(held.values()):.0f} MB ({parts})", flush=True)


def _mb(pid: int) -> float:
    held = memory(pid)
    return held.private_mb + held.mapped_mb


def _ask(port: int, names: list[str]) -> None:
    """Ask for names, so many at a time, as one device."""
    with socket.socket(type=socket.SOCK_DGRAM) as asking:
        asking.bind((SOURCES["3"], 0))
        asking.connect(("127.0.0.1", port))
        asking.settimeout(1.0)
        for first in range(0, len(names), TOGETHER):
            some = names[first : first + TOGETHER]
            for name in some:
                asking.send(a_query(name))
            for _ in some:
                with contextlib.suppress(TimeoutError):
                    asking.recv(4096)


def main() -> None:
    """Parse arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--names", type=int, nargs="*", default=[1_000_000])
    for names in parser.parse_args().names:
        with tempfile.TemporaryDirectory() as folder:
            measure(Path(folder), names)


if __name__ == "__main__":
    main()
