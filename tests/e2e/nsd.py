# SPDX-License-Identifier: Apache-2.0
"""A real authoritative server, NSD, as the domain controller of a school."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
from typing import TYPE_CHECKING

import dns.message

from tests.support.daemon import free_port
from tests.support.needs import command

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_WITHIN_S = 20.0
_POLL_S = 0.05

_SERVER = """\
server:
    ip-address: 127.0.0.1@{port}
    username: ""
    chroot: ""
    server-count: 1
    zonesdir: "{folder}"
    pidfile: "{folder}/pid"
    xfrdfile: "{folder}/xfrd"
    xfrdir: "{folder}"
    zonelistfile: "{folder}/zones"
    logfile: "{folder}/log"
remote-control:
    control-enable: no
"""


@contextlib.contextmanager
def nsd(folder: Path, zones: Mapping[str, str]) -> Iterator[int]:
    """Serve zones, given as the text of zone files by origin; yield the port of 127.0.0.1."""
    program = command("nsd")
    port = free_port()
    parts = [_SERVER.format(port=port, folder=folder)]
    for origin, text in zones.items():
        (folder / f"{origin}.zone").write_text(text, encoding="ascii")
        parts.append(f'zone:\n    name: "{origin}"\n    zonefile: "{origin}.zone"\n')
    config = folder / "nsd.conf"
    config.write_text("".join(parts), encoding="utf-8")
    process = subprocess.Popen([program, "-d", "-c", str(config)])
    try:
        _wait_until_served(process, port, next(iter(zones)))
        yield port
    finally:
        process.terminate()
        process.wait(_WITHIN_S)


def _wait_until_served(process: subprocess.Popen[bytes], port: int, zone: str) -> None:
    query = dns.message.make_query(zone, "SOA").to_wire()
    until = time.monotonic() + _WITHIN_S  # noqa: TID251 -- another program's start is real time
    while time.monotonic() < until:  # noqa: TID251 -- as above
        assert process.poll() is None, "nsd ended"
        with contextlib.suppress(OSError), socket.socket(type=socket.SOCK_DGRAM) as opened:
            opened.settimeout(_POLL_S)
            opened.connect(("127.0.0.1", port))
            opened.send(query)
            opened.recv(65535)
            return
        time.sleep(_POLL_S)
    raise AssertionError("nsd does not serve")
