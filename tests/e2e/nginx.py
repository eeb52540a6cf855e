# SPDX-License-Identifier: Apache-2.0
"""nginx on loopback with the configuration of ``deploy/``, and its access log."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
from typing import TYPE_CHECKING, NamedTuple

from filterd.base.clock import SystemClock
from tests.support.commands import ROOT
from tests.support.needs import command
from tests.support.processes import family

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SHIPPED = ROOT / "deploy" / "feed-nginx.conf"

_AROUND = """
daemon off;
{user}
worker_processes 1;
pid "{folder}/pid";
error_log "{folder}/error.log" warn;
events {{ worker_connections 1024; }}
http {{
    log_format crowd "$msec $connection $status $bytes_sent $request_length $uri";
    access_log "{folder}/access.log" crowd;
    {temporary}
    include "{folder}/site.conf";
}}
"""
_TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


class Request(NamedTuple):
    """One request as nginx saw it; octets with their headers, without TCP's and IP's own."""

    ended: float
    connection: int
    status: int
    sent_octets: int
    received_octets: int
    path: str


class Nginx:
    """A running nginx."""

    def __init__(self, folder: Path, port: int, process: subprocess.Popen[bytes]) -> None:
        self._folder, self._process = folder, process
        self.url = f"http://127.0.0.1:{port}/"

    @property
    def cpu_s(self) -> float:
        """CPU time that all of its processes have used."""
        ticks = 0
        for pid in family(self._process.pid):
            with open(f"/proc/{pid}/stat", encoding="ascii") as stat:  # noqa: PTH123 -- not a file
                fields = stat.read().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def requests(self) -> list[Request]:
        """Return all requests so far, those of ``/`` apart."""
        lines = (self._folder / "access.log").read_text(encoding="ascii").splitlines()
        read = map(_request, lines)
        return [one for one in read if one.path != "/"]

    def errors(self) -> list[str]:
        """Return what it complained about, files that were not there apart."""
        lines = (self._folder / "error.log").read_text().splitlines()
        return [line for line in lines if "No such file" not in line]


def _request(line: str) -> Request:
    ended, connection, status, sent, received, path = line.split()
    return Request(float(ended), int(connection), int(status), int(sent), int(received), path)


@contextlib.contextmanager
def nginx(handed_out: Path, folder: Path) -> Iterator[Nginx]:
    """Hand out a folder by the shipped configuration, another port and root apart."""
    folder.mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    site = SHIPPED.read_text(encoding="utf-8")
    for old, new in (
        ("listen 80;", f"listen 127.0.0.1:{port};"),
        ("root /srv/filterd-feed;", f'root "{handed_out}";'),
    ):
        assert site.count(old) == 1
        site = site.replace(old, new)
    (folder / "site.conf").write_text(site)
    around = _AROUND.format(
        folder=folder,
        # Its workers would have another user, which may not read a test's folder.
        user="user root;" if os.geteuid() == 0 else "",
        temporary=" ".join(f'{kind}_temp_path "{folder}/{kind}";' for kind in _TEMPORARY),
    )
    (folder / "nginx.conf").write_text(around)
    words = [command("nginx"), "-p", str(folder), "-e", str(folder / "error.log")]
    process = subprocess.Popen([*words, "-c", str(folder / "nginx.conf")])
    try:
        _wait_for(port, process)
        yield Nginx(folder, port, process)
    finally:
        process.terminate()
        process.wait()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    clock = SystemClock()
    deadline = clock.monotonic() + 30
    while clock.monotonic() < deadline:
        assert process.poll() is None, "nginx ended; error.log says why"
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)) as asked:
            asked.sendall(b"GET / HTTP/1.0\r\n\r\n")
            asked.recv(1)
            return
    raise TimeoutError
