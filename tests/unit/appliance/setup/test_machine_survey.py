# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import asyncio
from ipaddress import ip_address, ip_interface, ip_network
from typing import TYPE_CHECKING, Any

import pytest

from filterd.appliance import link_servers, local_network, stub_query
from filterd.appliance.link_servers import DhcpOffer, Dhcpv6Reply, RouterAdvertisement
from filterd.appliance.local_network import DefaultRoute, LocalNetwork, NetworkInterface
from filterd.appliance.setup import machine_survey
from filterd.appliance.setup.interview import SchoolLink
from filterd.appliance.setup.machine_survey import survey
from filterd.appliance.stub_query import UpstreamTrial
from filterd.base.errors import StoreError
from filterd.clients.interfaces import Links, Prefix
from filterd.clients.neighbours import Neighbour
from filterd.policy.model import Tls, UpstreamServer
from filterd.texts.i18n import say, translated

if TYPE_CHECKING:
    from pathlib import Path

OWN, ROUTER, OTHER = "192.168.1.2", "192.168.1.1", "8.8.8.8"
NETWORK = LocalNetwork(
    (NetworkInterface("eth0", "02:00:5e:10:00:01", True, (ip_interface(f"{OWN}/24"),)),),
    (DefaultRoute("eth0", ip_address(ROUTER)),),
    (),
    (ROUTER,),
    Links(frozenset(), (Prefix(ip_network("192.168.1.0/24"), "eth0"),)),
)


@pytest.fixture
def link(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The answers of the link; a test changes them. Only the router works, and not by TLS."""
    found: dict[str, Any] = {"offers": (), "routers": (), "replies": (), "asked": []}
    found["called"] = []

    async def look() -> LocalNetwork:
        return NETWORK

    async def offers(*_: str) -> tuple[DhcpOffer, ...]:
        if isinstance(found["offers"], OSError):
            raise found["offers"]
        return tuple(found["offers"])

    async def advertisements(_: str) -> tuple[RouterAdvertisement, ...]:
        return tuple(found["routers"])

    async def replies(*_: str) -> tuple[Dhcpv6Reply, ...]:
        return tuple(found["replies"])

    async def attempt(server: UpstreamServer) -> UpstreamTrial:
        found["asked"].append(server.address)
        works = server.address == ROUTER and server.tls is Tls.NO
        return UpstreamTrial(server, say("") if works else say("it does not answer"), 12)

    monkeypatch.setattr(local_network, "look", look)
    monkeypatch.setattr(machine_survey, "call_devices", found["called"].extend)
    monkeypatch.setattr(link_servers, "dhcp_offers", offers)
    monkeypatch.setattr(link_servers, "advertisements", advertisements)
    monkeypatch.setattr(link_servers, "dhcpv6_replies", replies)
    monkeypatch.setattr(stub_query, "attempt", attempt)
    monkeypatch.setattr(machine_survey, "users", lambda: ("lan",))
    return found


def test_links_router_and_resolvers_are_found_working_ones_first(link: dict[str, Any]) -> None:
    link["offers"] = [DhcpOffer(ROUTER, (ROUTER,), (ROUTER, OTHER))]
    machine = asyncio.run(survey("lan"))
    assert machine.links == (SchoolLink("192.168.1.0/24", "eth0", OWN),)
    assert (machine.router, machine.outward, machine.user) == (ROUTER, ("eth0",), "lan")
    answers = [(upstream.answer, upstream.works) for upstream in machine.upstreams]
    assert answers[:2] == [("system", True), (ROUTER, True)]
    assert (f"tls:{ROUTER}", False) in answers
    assert translated(machine.upstreams[0].about, "en") == (
        f"what this machine uses now, {ROUTER}: answers in 12 ms"
    )
    assert (OTHER, False) in answers
    assert link["asked"].count(ROUTER) == 2


@pytest.mark.usefixtures("link")
def test_the_running_filterd_is_no_upstream_of_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    async def look() -> LocalNetwork:
        return NETWORK._replace(resolvers=("127.0.0.1",))

    monkeypatch.setattr(local_network, "look", look)
    answers = [upstream.answer for upstream in asyncio.run(survey("")).upstreams]
    assert answers == [ROUTER, f"tls:{ROUTER}"]


def test_a_dhcp_server_counts_that_hands_out_another_resolver(link: dict[str, Any]) -> None:
    link["offers"] = [DhcpOffer(ROUTER, (ROUTER,), (OWN,))]
    assert asyncio.run(survey("")).dhcp == ()
    link["offers"] = [DhcpOffer(ROUTER, (ROUTER,), (OWN, OTHER))]
    assert asyncio.run(survey("")).dhcp == (ROUTER,)


@pytest.mark.usefixtures("link")
def test_devices_are_offered_by_name_and_mac_telephones_last_routers_never(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    laptop, phone, router = "00:00:5e:00:53:02", "02:00:5e:00:53:01", "00:00:5e:00:53:03"
    seen = (("192.168.1.20", phone), ("192.168.1.21", laptop), (ROUTER, router))
    neighbours = tuple(Neighbour(ip_address(one), "eth0", mac, True) for one, mac in seen)

    async def look() -> LocalNetwork:
        return NETWORK._replace(neighbours=neighbours)

    monkeypatch.setattr(local_network, "look", look)
    leases = tmp_path / "leases"
    leases.write_text(f"0 {laptop} 192.168.1.21 may-co-lan *\n", "utf-8")
    found = asyncio.run(survey("lan", [str(leases)])).devices
    assert [(one.answer, translated(one.text, "en")) for one in found] == [
        (laptop, "may-co-lan, 192.168.1.21"),
        (phone, "192.168.1.20 (randomised MAC)"),
    ]


def test_the_addresses_of_a_link_are_called_so_that_its_devices_are_seen(
    link: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    neighbour = Neighbour(ip_address("192.168.1.20"), "eth0", "00:00:5e:00:53:02", True)

    async def look() -> LocalNetwork:
        return NETWORK._replace(neighbours=(neighbour,) if link["called"] else ())

    monkeypatch.setattr(local_network, "look", look)
    machine = asyncio.run(survey("lan"))
    called = [(one.address, one.interface) for one in link["called"]]
    assert (called[0], called[-1]) == (("192.168.1.1", "eth0"), ("192.168.1.254", "eth0"))
    assert [device.answer for device in machine.devices] == [neighbour.mac]
    monkeypatch.setattr(machine_survey, "call_devices", lambda _: None)
    link["called"].clear()
    assert asyncio.run(survey("lan")).devices == ()  # control: unless they are called


def test_the_dhcp_servers_can_be_probed_again(link: dict[str, Any]) -> None:
    machine = asyncio.run(survey(""))
    assert machine.probe_dhcp() == ()
    link["offers"] = [DhcpOffer(ROUTER, (ROUTER,), (OTHER,))]
    assert machine.probe_dhcp() == (ROUTER,)


def test_a_router_counts_that_announces_another_resolver(link: dict[str, Any]) -> None:
    quiet = RouterAdvertisement("fe80::1", 1800, False, False, (), ())
    link["routers"] = [quiet, quiet._replace(router="fe80::2", resolvers=("2001:db8::53",))]
    link["replies"] = [Dhcpv6Reply("fe80::3", ("2001:db8::53",)), Dhcpv6Reply("fe80::4", ())]
    assert asyncio.run(survey("")).advertised == ("fe80::2", "fe80::3")


def test_without_root_there_is_no_dhcp_and_the_rest_is_found(link: dict[str, Any]) -> None:
    link["offers"] = PermissionError(1, "Operation not permitted")
    machine = asyncio.run(survey("stranger"))
    assert machine.links
    assert (machine.dhcp, machine.user) == ((), "")


def test_without_the_command_ip_nothing_is_found(
    link: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails() -> LocalNetwork:
        raise StoreError(say("no ip"))

    monkeypatch.setattr(local_network, "look", fails)
    machine = asyncio.run(survey(""))
    assert (machine.links, machine.users) == ((), ("lan",))
    assert link["asked"] == []
