# SPDX-License-Identifier: Apache-2.0
"""Real servers of a link in a namespace: dnsmasq with DHCP and router advertisements."""

from __future__ import annotations

import contextlib
import subprocess
from typing import TYPE_CHECKING

from tests.support.needs import command

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.namespaces import Namespace


@contextlib.contextmanager
def dnsmasq(namespace: Namespace, folder: Path, interface: str, *options: str) -> Iterator[None]:
    """Run dnsmasq on an interface, without DNS, until the block ends."""
    command("dnsmasq")
    leases = folder / f"{namespace.name}.leases"
    words = [
        *("dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--port=0", "--no-ping"),
        *("--user=root", "--log-facility=-", f"--dhcp-leasefile={leases}"),
        *(f"--interface={interface}", *options),
    ]
    process = namespace.process(*words, stderr=subprocess.PIPE)
    assert process.stderr is not None
    try:
        for line in process.stderr:
            if "started" in line:
                break
        yield
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def dhcp(router: str, resolver: str, first: str = "192.168.6.100") -> tuple[str, ...]:
    """Return options that hand out addresses, a router and a DNS server."""
    last = f"{first.rpartition('.')[0]}.199"
    return (
        f"--dhcp-range={first},{last},255.255.255.0,1h",
        f"--dhcp-option=3,{router}",
        f"--dhcp-option=6,{resolver}",
        "--dhcp-authoritative",
    )


def advertising(resolver: str, prefix: str = "fd00:6::") -> tuple[str, ...]:
    """Return options that advertise a prefix, and a DNS server if one is given."""
    named = (f"--dhcp-option=option6:dns-server,[{resolver}]",) if resolver else ()
    return ("--enable-ra", f"--dhcp-range={prefix},ra-only,64,1h", *named)
