# SPDX-License-Identifier: Apache-2.0
"""What the kernel says by netlink is what ``ip`` prints."""

from __future__ import annotations

import asyncio
import socket
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from filterd.clients import kernel_tables
from filterd.clients.interfaces import IpCommand
from filterd.clients.kernel_tables import KernelTables
from filterd.clients.neighbours import parse_neighbours
from tests.support.namespaces import connect, namespaces

if TYPE_CHECKING:
    from filterd.clients.interfaces import Links
    from filterd.clients.neighbours import Neighbour

ADDRESSES = ("address", "show")
IPV4 = ("-4", "route", "show", "default", "table", "all")
IPV6 = ("-6", "route", "show", "default", "table", "all")
NEIGHBOURS = ("neigh", "show")
SET_UP = (
    "address add 192.168.6.1/24 dev lan0",
    "address add 192.168.7.1/24 dev lan0",
    "address add fd00:6::1/64 dev lan0 nodad",
    "address add 198.51.100.1/24 dev wan0",
    "address add 203.0.113.1/24 dev wan1",
    "address add 10.9.0.1 peer 10.9.0.2/32 dev wan1",
    "-6 address add fd00:9::1 peer fd00:9::2/128 dev wan1",
    "route add default table 77 via 198.51.100.2",
    "route add default metric 5 nexthop via 198.51.100.2 nexthop via 203.0.113.2",
    "route add unreachable default metric 4000",
    "route add 10.77.0.0/16 via 198.51.100.2",
    "-6 route add default via fd00:6::2",
    "neigh add 192.168.6.20 lladdr 02:00:5e:00:00:14 dev lan0",
    "neigh add 192.168.6.21 lladdr 02:00:5e:00:00:15 nud stale dev lan0",
    "neigh add 192.168.6.22 lladdr 02:00:5e:00:00:16 nud reachable dev lan0",
    "neigh add 192.168.6.23 lladdr 02:00:5e:00:00:17 nud noarp dev lan0",
    "neigh add fd00:6::20 lladdr 02:00:5e:00:00:18 nud stale dev lan0",
    "neigh add 192.168.6.24 nud failed dev lan0",
)


async def _seen(tables: IpCommand, *lan: str) -> tuple[Links | None, set[Neighbour]]:
    table = await tables.ask(*NEIGHBOURS)
    assert table is not None
    return await tables.links(lan), set(parse_neighbours(table))


@pytest.mark.usefixtures("needs_namespaces")
def test_links_routes_and_neighbours_are_those_that_ip_prints() -> None:
    with namespaces("box", "lan", "router") as (box, lan, router):
        connect((box, "lan0"), (lan, "eth0"))
        connect((box, "wan0"), (router, "eth0"))
        connect((box, "wan1"), (router, "eth1"))
        for words in SET_UP:
            box.ip(words)
        for names in ((), ("lan0",)):
            by_kernel = box.run(lambda: asyncio.run(_seen(KernelTables(), *names)))  # noqa: B023
            by_ip = box.run(lambda: asyncio.run(_seen(IpCommand(), *names)))  # noqa: B023
            assert by_kernel == by_ip
    links, neighbours = by_kernel
    assert links is not None
    assert {str(one.network) for one in links.lan} >= {"192.168.6.0/24", "fd00:6::/64"}
    assert len(neighbours) == 4


def test_the_real_tables_can_be_read() -> None:
    async def every() -> list[list[dict[str, Any]] | None]:
        tables = KernelTables()
        return [await tables.ask(*one) for one in (ADDRESSES, IPV4, IPV6, NEIGHBOURS)]

    addresses, *others = asyncio.run(every())
    assert addresses
    assert "lo" in {address["ifname"] for address in addresses}
    assert None not in others


class Refusing(socket.socket):
    """The kernel has no such table, or does not answer."""

    def recv(self, *_: Any) -> bytes:
        head = kernel_tables._HEADER.pack(36, kernel_tables._ERROR, 0, 1, 0)
        return head + (-95).to_bytes(4, "little", signed=True) + bytes(16)


def test_a_kernel_that_refuses_is_one_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    refusing = SimpleNamespace(**{**vars(socket), "socket": Refusing})
    monkeypatch.setattr("filterd.clients.kernel_tables.socket", refusing)
    tables = KernelTables()
    for _ in range(2):
        assert asyncio.run(tables.ask(*ADDRESSES)) is None
    assert len(caplog.records) == 1


@pytest.mark.parametrize(
    "octets", [b"", b"\1", bytes(16), b"\x40\0\0\0" + bytes(12), b"\4\0\1\0\3\0\1\0\1\0\0\0"]
)
def test_damaged_messages_end_nothing(octets: bytes) -> None:
    assert all(len(message) == 3 for message in kernel_tables._messages(octets))
    assert all(
        len(attribute) <= len(octets) for attribute in kernel_tables._attributes(octets).values()
    )
    assert len(list(kernel_tables._next_hops(octets))) <= 1
