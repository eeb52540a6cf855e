# SPDX-License-Identifier: Apache-2.0
"""A real Unbound with zones of its own, behind filterd or in front of it."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import dns.exception
import dns.message
import dns.zone

from tests.support.daemon import free_port
from tests.support.needs import command

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path


WITHIN_S = 20.0
_POLL_S = 0.05

_ROOT_ZONE = """\
. 3600 IN SOA ns.lab. root.lab. 1 3600 600 86400 60
. 3600 IN NS ns.lab.
ns.lab. 3600 IN A 198.18.0.53
"""
"""All that there is beside the zones of a test, so that nothing is asked of the Internet."""

_SERVER = """\
server:
    interface: 127.0.0.1
    port: {port}
    directory: "{folder}"
    chroot: ""
    username: ""
    pidfile: ""
    use-syslog: no
    logfile: ""
    do-daemonize: no
    num-threads: 1
    access-control: 127.0.0.0/8 allow
    do-not-query-localhost: no
    minimal-responses: no
    rrset-roundrobin: no
    cache-max-ttl: 2147483647
    ede: yes
    trust-anchor-signaling: no
    incoming-num-tcp: 100
    tcp-idle-timeout: 60000
    module-config: "{modules}"
"""


@dataclass(frozen=True, slots=True)
class Unbound:
    """One that serves."""

    port: int

    @property
    def address(self) -> tuple[str, int]:
        """Where it serves."""
        return ("127.0.0.1", self.port)


@contextlib.contextmanager
def unbound(
    folder: Path,
    *,
    zones: Mapping[str, dns.zone.Zone] | None = None,
    forward_to: int | None = None,
    anchors: Iterable[str] = (),
    more: str = "",
) -> Iterator[Unbound]:
    """Start one and end it.

    Args:
        folder: for its files; made.
        zones: its own, by origin; beside them there is an empty root.
        forward_to: the port of 127.0.0.1 where everything is asked instead.
        anchors: what it trusts; it validates if there are any.
        more: further lines of its ``server:`` clause.
    """
    program = command("unbound")
    folder.mkdir(parents=True, exist_ok=True)
    anchors = list(anchors)
    port = free_port()
    modules = "validator iterator" if anchors else "iterator"
    parts = [_SERVER.format(port=port, folder=folder, modules=modules), more]
    parts += [f'    trust-anchor: "{anchor}"\n' for anchor in anchors]
    if forward_to is None:
        parts.append(_auth_zone(folder, ".", _ROOT_ZONE))
    else:
        parts.append(f"forward-zone:\n    name: .\n    forward-addr: 127.0.0.1@{forward_to}\n")
    parts += [_auth_zone(folder, origin, zone_text(z)) for origin, z in (zones or {}).items()]
    config = folder / "unbound.conf"
    config.write_text("".join(parts), encoding="utf-8")
    with _running([program, "-d", "-c", str(config)], folder / "log") as process:
        _wait_until_served(process, port, folder / "log")
        yield Unbound(port)


def _auth_zone(folder: Path, origin: str, text: str) -> str:
    path = folder / f"zone-{origin.strip('.') or 'root'}"
    path.write_text(text, encoding="ascii")
    return (
        f'auth-zone:\n    name: "{origin}"\n    zonefile: "{path}"\n'
        "    for-downstream: no\n    for-upstream: yes\n    fallback-enabled: no\n"
    )


def zone_text(zone: dns.zone.Zone) -> str:
    """Write a zone as RFC 3597 §5 has it, which every server reads, whatever types it knows."""
    lines = []
    for name, ttl, rdata in zone.iterate_rdatas():
        owner = name.derelativize(zone.origin) if zone.origin else name
        generic = rdata.to_generic(zone.origin).to_text()
        line = f"{owner} {ttl} IN TYPE{int(rdata.rdtype)} {generic}\n"
        lines.append(line)
    return "".join(sorted(lines, key=lambda line: " TYPE6 " not in line))


@contextlib.contextmanager
def _running(command: list[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(WITHIN_S)


def _wait_until_served(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    query = dns.message.make_query(".", "SOA")
    until = time.monotonic() + WITHIN_S  # noqa: TID251 -- another program's start is real time
    while time.monotonic() < until:  # noqa: TID251 -- as above
        said = log.read_text(encoding="utf-8", errors="replace")
        assert process.poll() is None, f"unbound ended: {said}"
        with contextlib.suppress(dns.exception.Timeout, OSError):
            with socket.socket(type=socket.SOCK_DGRAM) as opened:
                opened.connect(("127.0.0.1", port))
                opened.settimeout(_POLL_S)
                opened.send(query.to_wire())
                opened.recv(65535)
            return
        time.sleep(_POLL_S)
    raise AssertionError(f"unbound does not serve: {log.read_text(encoding='utf-8')}")
