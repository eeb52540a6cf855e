# SPDX-License-Identifier: Apache-2.0
"""What this machine has and sees, as ``ip`` reports it in network namespaces."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from filterd.appliance.local_network import LocalNetwork, look, pupils_networks
from filterd.base.errors import StoreError
from filterd.clients.interfaces import IpCommand
from filterd.policy.model import Network
from tests.support.namespaces import connect, namespaces
from tests.support.policies import a_policy

if TYPE_CHECKING:
    from pathlib import Path


class Scripted(IpCommand):
    """Answers of ``ip`` by their last but one words; None where it fails."""

    def __init__(self, **answers: Any) -> None:
        super().__init__()
        self._answers = answers

    async def ask(self, *arguments: str) -> list[dict[str, Any]] | None:
        found: list[dict[str, Any]] | None = self._answers.get(arguments[0].lstrip("-"), [])
        return found


def _look(folder: Path, **answers: Any) -> LocalNetwork:
    resolvers = folder / "resolv.conf"
    resolvers.write_text("nameserver 192.168.1.1\nnameserver 9.9.9.9\n", encoding="ascii")
    return asyncio.run(look(Scripted(**answers), resolver_file=resolvers))


@pytest.mark.usefixtures("needs_namespaces")
def test_a_gateway_sees_its_links_its_router_and_its_neighbours() -> None:
    with namespaces("box", "router") as (box, router):
        connect((box, "lan0"), (router, "lan"), "02:00:5e:00:00:01")
        connect((box, "wan0"), (router, "wan"))
        box.ip("address add 192.168.6.1/24 dev lan0")
        box.ip("address add 198.51.100.1/24 dev wan0")
        box.ip("route add default via 198.51.100.2")
        box.ip("neigh add 192.168.6.20 lladdr 02:00:5e:00:00:14 dev lan0")
        seen = box.run(lambda: asyncio.run(look()))
    assert [one.name for one in seen.lan] == ["lan0"]
    assert seen.lan[0].mac == "02:00:5e:00:00:01"
    assert seen.outward == {"wan0"}
    assert [str(route.router) for route in seen.routes] == ["198.51.100.2"]
    assert [(str(neighbour.address), neighbour.mac) for neighbour in seen.neighbours] == [
        ("192.168.6.20", "02:00:5e:00:00:14")
    ]


def test_the_resolvers_of_the_machine_are_those_of_its_file(tmp_path: Path) -> None:
    assert _look(tmp_path).resolvers == ("192.168.1.1", "9.9.9.9")


def test_damaged_output_is_left_out(tmp_path: Path) -> None:
    links: list[dict[str, Any]] = [
        {"ifname": "x" * 40},
        {"ifname": "eth0", "flags": "UP", "addr_info": [{"local": 3}, {"local": "no"}, 7]},
        {"ifname": "eth1", "flags": ["UP", "NO-CARRIER"], "address": "not a MAC"},
        {"flags": None},
    ]
    routes: list[dict[str, Any]] = [{"dev": 3}, {"nexthops": [1, {"dev": "eth0", "gateway": "?"}]}]
    seen = _look(tmp_path, address=links, **{"4": routes})
    assert [
        (interface.name, interface.mac, interface.is_up, interface.addresses)
        for interface in seen.interfaces
    ] == [
        ("eth0", "", False, ()),
        ("eth1", "", False, ()),
    ]
    assert [(route.interface, route.router) for route in seen.routes] == [("eth0", None)]


def test_without_ip_the_remedy_is_to_install_it() -> None:
    with pytest.raises(StoreError, match="install iproute2"):
        asyncio.run(look(IpCommand("no-such-ip")))


def test_pupils_are_in_all_networks_but_those_of_staff_and_guests() -> None:
    policy = a_policy(
        networks=(
            Network("three", "3", cidrs=("192.168.6.0/24",)),
            Network("office", "staff", cidrs=("192.168.9.0/24",)),
            Network("visitors", "guest", cidrs=("192.168.8.0/24",)),
        ),
    )
    assert [network.id for network in pupils_networks(policy)] == ["three"]


def test_its_own_addresses_are_without_length(tmp_path: Path) -> None:
    own = [{"ifname": "lan0", "addr_info": [{"local": "192.168.6.1", "prefixlen": 24}]}]
    assert _look(tmp_path, address=own).own == {"192.168.6.1"}
