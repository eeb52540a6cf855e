# SPDX-License-Identifier: Apache-2.0
"""The filters to compare, each with the same list and upstream.

A peer is as Debian packages it, with one thread and its fastest way to block a list.
Those that are not installed are left out.
"""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Protocol

from filterd import control
from filterd.base.state_folder import StateFolder

HERE = Path(__file__).parent
CACHED_MOST = 200_000
_FILTERD = HERE.parents[1] / ".venv" / "bin" / "filterd"
_READS_ANEW_WITHIN_S = 8

_DNSDIST = """
setLocal("{at.address}:{at.port}")
setACL("127.0.0.0/8")
setSecurityPollSuffix("")
newServer({{address="{at.upstream}:{at.upstream_port}", checkInterval=3600, sockets=4}}):setUp()
getPool(""):setCache(newPacketCache({cached}, {{maxTTL=86400}}))
listed = newSuffixMatchNode()
for line in io.lines("{names}") do listed:add(newDNSName(line)) end
addAction(SuffixMatchNodeRule(listed, true), RCodeAction(DNSRCode.NXDOMAIN))
"""

_UNBOUND = """server:
  interface: {at.address}@{at.port}
  access-control: 127.0.0.0/8 allow
  do-not-query-localhost: no
  module-config: "iterator"
  num-threads: 1
  outgoing-range: 8192
  num-queries-per-thread: 4096
  msg-cache-size: 64m
  rrset-cache-size: 128m
  so-rcvbuf: 4m
  username: ""
  chroot: ""
  pidfile: ""
  use-syslog: no
  verbosity: 0
  include: "{zones}"
forward-zone:
  name: "."
  forward-addr: {at.upstream}@{at.upstream_port}
"""


class At(NamedTuple):
    """The address of a filter, and its upstream."""

    address: str = "127.0.0.1"
    port: int = 5454
    upstream: str = "127.0.0.2"
    upstream_port: int = 5300


Change = Callable[[int], None]
"""Puts something new in force in the server with this process ID, and returns when it is."""


class Peer(Protocol):
    """One filter."""

    name: str

    def missing(self) -> bool:
        """Return whether its program is not here."""

    def prepare(self, names: Path, at: At, folder: Path) -> list[str]:
        """Write its files and return the command that starts it in the foreground."""

    def changes(self) -> dict[str, Change]:
        """Return what can come into force while it serves, each way by its name."""


class Dnsdist:
    """dnsdist: a tree of suffixes and a cache of packets."""

    name = "dnsdist"

    def missing(self) -> bool:
        """Return whether its program is not here."""
        return shutil.which("dnsdist") is None

    def prepare(self, names: Path, at: At, folder: Path) -> list[str]:
        """Write its files and return the command that starts it in the foreground."""
        text = _DNSDIST.format(at=at, cached=CACHED_MOST, names=names)
        (folder / "dnsdist.conf").write_text(text)
        return ["dnsdist", "--supervised", "--disable-syslog", "-C", str(folder / "dnsdist.conf")]

    def changes(self) -> dict[str, Change]:
        """It reads its list at the start only."""
        return {}


class Unbound:
    """unbound: local zones, the quicker of its two ways."""

    name = "unbound"

    def missing(self) -> bool:
        """Return whether its program is not here."""
        return shutil.which("unbound") is None

    def prepare(self, names: Path, at: At, folder: Path) -> list[str]:
        """Write its files and return the command that starts it in the foreground."""
        zones = folder / "zones.conf"
        lines = (f'local-zone: "{name}." always_nxdomain\n' for name in names.read_text().split())
        zones.write_text("".join(lines))
        (folder / "unbound.conf").write_text(_UNBOUND.format(at=at, zones=zones))
        return ["unbound", "-d", "-c", str(folder / "unbound.conf")]

    def changes(self) -> dict[str, Change]:
        """SIGHUP makes it read its list again; it does not report the end."""

        def hang_up(pid: int) -> None:
            os.kill(pid, signal.SIGHUP)
            time.sleep(_READS_ANEW_WITHIN_S)

        return {"lists": hang_up}


class Dnsmasq:
    """dnsmasq: ``address=/name/``."""

    name = "dnsmasq"

    def missing(self) -> bool:
        """Return whether its program is not here."""
        return shutil.which("dnsmasq") is None

    def prepare(self, names: Path, at: At, folder: Path) -> list[str]:
        """Write its files and return the command that starts it in the foreground."""
        lines = (f"address=/{name}/\n" for name in names.read_text().split())
        (folder / "listed.conf").write_text("".join(lines))
        options = [
            "--keep-in-foreground",
            f"--conf-file={folder / 'listed.conf'}",
            f"--port={at.port}",
            f"--listen-address={at.address}",
            f"--server={at.upstream}#{at.upstream_port}",
            f"--cache-size={CACHED_MOST}",
            "--dns-forward-max=5000",
            "--user=root",
            "--pid-file=",
        ]
        return ["dnsmasq", "--bind-interfaces", "--no-resolv", "--no-hosts", *options]

    def changes(self) -> dict[str, Change]:
        """It reads its list at the start only."""
        return {}


class Filterd:
    """filterd as it ships, the list compiled before it starts.

    Args:
        name: the title of its column.
        here: this folder, in the checkout whose filterd is measured.
    """

    name = "filterd"
    compile_s = 0.0
    _folder: Path

    def __init__(self, name: str = "", here: Path = HERE) -> None:
        self.name, self._here = name or self.name, here

    def missing(self) -> bool:
        """It is always here."""
        return False

    def prepare(self, names: Path, at: At, folder: Path) -> list[str]:
        """Compile the list and return the command that serves it."""
        self._folder, started = folder, time.perf_counter()
        subprocess.run([self._here / "compile-list", names, folder], check=True)
        self.compile_s = time.perf_counter() - started
        where = [at.address, str(at.port), at.upstream, str(at.upstream_port), str(folder)]
        return [str(self._here / "serve-list"), str(names), *where]

    def changes(self) -> dict[str, Change]:
        """A policy with one more exception, or the lists compiled once more."""
        folder = self._folder
        state, site = StateFolder(folder / "state"), folder / "site" / "site.yaml"
        text, turns = site.read_text(), itertools.count()
        kept = [folder / "index.0", folder / "index.1"]
        shutil.copy(state.index, kept[0])
        compiling = [str(_FILTERD), "lists", "build", "--quiet", "--no-reload"]
        where = ["--config", str(site.parent), "--state", str(state.folder)]
        subprocess.run([*compiling, *where], check=True)
        shutil.copy(state.index, kept[1])

        def new_policy(_: int) -> None:
            block = f"{{block: new-{next(turns)}.example, reason: measured}}"
            site.write_text(f"{text}exceptions:\n  - {block}\n")
            control.ask(state.control_socket, "reload")

        def new_lists(_: int) -> None:
            new = state.folder / "index.new"
            new.hardlink_to(kept[next(turns) % 2])  # as a build keeps the one before
            new.replace(state.index)
            control.ask(state.control_socket, "reload")

        return {"policy": new_policy, "lists": new_lists}


class LargeSchool(Filterd):
    """filterd with all tiers, the list in 20 parts and 500 local names."""

    name = "filterd, large school"
    grades = ("preschool", "1", "6", "10", "continuing", "staff", "guest")
    parts, local_names = 20, 500

    def prepare(self, names: Path, at: At, folder: Path) -> list[str]:
        """Write the keys that make it large, then do as always."""
        lines = names.read_text().split()
        site = folder / "site"
        site.mkdir(parents=True)
        for part in range(self.parts):
            (site / f"part-{part}.txt").write_text("\n".join(lines[part :: self.parts]) + "\n")
        keys = folder / "keys.yaml"
        keys.write_text("".join(self._keys()))
        os.environ["FILTERD_BENCH_KEYS"] = str(keys)
        try:
            command = super().prepare(names, at, folder)
        finally:
            del os.environ["FILTERD_BENCH_KEYS"]
        return ["env", f"FILTERD_BENCH_KEYS={keys}", *command]

    def _keys(self) -> list[str]:
        networks = [
            f"  of-{grade}: {{cidrs: [127.0.{number}.0/24], grade: {grade}}}\n"
            for number, grade in enumerate(self.grades)
        ]
        lists = [
            f"  - {{id: part-{part}, file: part-{part}.txt, category: porn}}\n"
            for part in range(self.parts)
        ]
        records = [
            f"      - pc-{n} A 192.168.{n // 250}.{n % 250 + 1}\n" for n in range(self.local_names)
        ]
        zone = ["local_zones:\n  - name: school.home.arpa\n    records:\n", *records]
        return ["networks:\n", *networks, "lists:\n", *lists, *zone]


PEERS: tuple[Peer, ...] = (Dnsdist(), Unbound(), Dnsmasq(), Filterd(), LargeSchool())
