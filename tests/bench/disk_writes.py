# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: T201 -- a script that prints what it measured
"""Measure what a school day with a million lookups writes to an SD card.

Run ``python -m tests.bench.disk_writes`` as root; it takes eleven minutes. For each level of
the log a daemon has its state folder on an ext4 of its own, on a loop device, and the kernel
counts the sectors that reach it, those of the journal of ext4 too. Nothing is accelerated, so
that the number of commits is that of a day: a school day is ten hours of 28 lookups a second, of
which the bench has ten minutes, and fourteen hours without a lookup, of which it has as many,
from a daemon that is not asked. A fifth of the lookups are blocked; 50,000 names are asked, some
more often than others, by 200 clients. The level full needs a second person, so it is measured
by the level blocked where every lookup is blocked: both write a row for each lookup. The index
of a million names, as a nightly sync compiles it, is measured by itself; the texts that are
fetched come on top.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import random
import socket
import subprocess
import tempfile
from pathlib import Path
from time import perf_counter, sleep
from typing import TYPE_CHECKING, NamedTuple

from tests.bench.index_figures import made_names
from tests.bench.restarts import OWN_LIST
from tests.support.commands import call
from tests.support.daemon import free_port, serving, write_site
from tests.support.echo import Echo
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Iterator

A_DAY, BUSY_H, NAMES, CLIENTS, BLOCKED_PART = 1_000_000, 10, 50_000, 200, 0.2
DISK_MB, SETTLED_S = 256, 30.0
SECTOR_OCTETS, WRITTEN = 512, 6
IDLE = "no lookups"
FULL = "full"
LEVELS = ("counts", "names", "blocked", FULL)


class Watched(NamedTuple):
    """A daemon on a disk of its own; ``is_full``: it is asked for blocked names only."""

    folder: Path
    device: str
    port: int
    is_asked: bool
    is_full: bool = False

    def octets(self) -> int:
        """Return what was written, once all that waits in memory is on the disk."""
        subprocess.run(["sync", "--file-system", str(self.folder)], check=True)
        text = Path(f"/sys/block/{self.device}/stat").read_text("ascii")
        return int(text.split()[WRITTEN]) * SECTOR_OCTETS


@contextlib.contextmanager
def disk(folder: Path) -> Iterator[str]:
    """Mount an ext4 at a folder; yield the name of its loop device."""
    image = folder.with_suffix(".img")
    with image.open("wb") as file:
        file.truncate(DISK_MB << 20)
    folder.mkdir()
    # Its tables are written now, and not by the kernel while it is measured.
    lazy = "lazy_itable_init=0,lazy_journal_init=0"
    subprocess.run(["mkfs.ext4", "-q", "-E", lazy, str(image)], check=True)
    subprocess.run(["mount", "-o", "loop,noatime", str(image), str(folder)], check=True)
    try:
        words = ["findmnt", "-no", "SOURCE", str(folder)]
        yield Path(subprocess.check_output(words, text=True).strip()).name
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@contextlib.contextmanager
def watched(folder: Path, level: str, upstream: int) -> Iterator[Watched]:
    """Serve on a disk of its own at a level of the log."""
    port = free_port()
    config = write_site(folder / f"site-{level}".replace(" ", "-"), port=port, upstream=upstream)
    with disk(folder / level.replace(" ", "-")) as device:
        state = folder / level.replace(" ", "-") / "state"
        done = call("lists", "build", "--quiet", "--config", config, "--state", state)
        assert done.code == 0, done.err
        with serving(config, state) as served:
            if level in LEVELS[1:]:
                raised = (
                    level.replace(FULL, "blocked"),
                    "--tier",
                    "primary",
                    "--for",
                    "1d",
                    "--reason",
                    "measured",
                )
                done = call("log", "level", *raised, *served.options)
                assert done.code == 0, done.err
            yield Watched(state, device, port, level != IDLE, level == FULL)


def ask(of: list[Watched], seconds: float) -> None:
    """Ask as a school does, each daemon the same, in real time."""
    chosen, a_second = random.Random(1), A_DAY / (BUSY_H * 3600)
    clients = [socket.socket(type=socket.SOCK_DGRAM) for _ in range(CLIENTS)]
    for number, client in enumerate(clients):
        client.bind((f"127.0.3.{number + 1}", 0))
        client.setblocking(False)
    began = perf_counter()
    for n in itertools.count():
        if (wait := began + n / a_second - perf_counter()) > 0:
            sleep(wait)
        if perf_counter() > began + seconds:
            break
        place = int(NAMES * chosen.random() ** 3)
        name = f"www.name-{place}.example.net"
        query = a_query("www.tiktok.com" if chosen.random() < BLOCKED_PART else name)
        blocked = a_query(f"name-{place}.www.tiktok.com")
        client = chosen.choice(clients)
        for one in of:
            client.sendto(blocked if one.is_full else query, ("127.0.0.1", one.port))
        with contextlib.suppress(BlockingIOError):
            while client.recv(4096):
                pass
    for client in clients:
        client.close()


def night(folder: Path) -> int:
    """Return the octets that a new version of a million names writes while it is compiled."""
    config = write_site(folder / "site-night", port=free_port(), more=OWN_LIST)
    (config / "bench.txt").write_text("\n".join(made_names(1_000_000)), encoding="ascii")
    with disk(folder / "night") as device:
        state = folder / "night" / "state"
        build = ("lists", "build", "--quiet", "--config", config, "--state", state)
        on = Watched(folder / "night", device, 0, is_asked=False)
        assert call(*build).code == 0
        before = on.octets()
        assert call(*build).code == 0
        return on.octets() - before


def main() -> None:
    """Parse arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--seconds", type=float, default=600.0)
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory() as name:
        print(f"a million names compiled: {night(Path(name)) / 1e6:.0f} MB")
    if not seconds:
        return
    with tempfile.TemporaryDirectory() as folder, Echo() as echo, contextlib.ExitStack() as stack:
        upstream = echo.address[1]
        of = {
            level: stack.enter_context(watched(Path(folder), level, upstream))
            for level in (IDLE, *LEVELS)
        }
        sleep(SETTLED_S)
        before = {level: one.octets() for level, one in of.items()}
        ask([one for one in of.values() if one.is_asked], seconds)
        written = {level: one.octets() - before[level] for level, one in of.items()}
    hours = 3600 / seconds
    idle = written[IDLE] * hours * (24 - BUSY_H) / 1e6
    print(f"{IDLE}: {written[IDLE] * hours * 24 / 1e6:.0f} MB a day")
    for level in LEVELS:
        busy = written[level] * hours * BUSY_H / 1e6
        print(f"{level}: {busy + idle:.0f} MB a day ({busy:.0f} of them while it is asked)")


if __name__ == "__main__":
    main()
