# SPDX-License-Identifier: Apache-2.0
"""Faults of a school's link, planted with real servers between namespaces."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from filterd.appliance import link_servers, solicitation
from filterd.appliance.doctor.link_probes import dhcp, ipv6_dns, placement, port_login, staff_ranges
from filterd.appliance.doctor.probe import UnseenError
from filterd.appliance.local_network import LocalNetwork
from filterd.appliance.local_network import look as look_around
from filterd.clients.interfaces import Links, Prefix
from filterd.policy.model import Network
from tests.support.examined import CLEAN, FOUND, UNSEEN, examined, look, outcomes
from tests.support.link_servers import advertising, dnsmasq
from tests.support.link_servers import dhcp as handing_out
from tests.support.namespaces import connect, namespaces
from tests.support.policies import a_policy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from filterd.appliance.doctor.probe import ProbeFinding, ProbeOutcome
    from tests.support.namespaces import Namespace

pytestmark = pytest.mark.usefixtures("needs_namespaces")

BOX, OTHER, THIRD = "192.168.6.1", "192.168.6.2", "192.168.6.3"


class Link:
    """A box, two machines beside it, and a way to the Internet."""

    def __init__(self, box: Namespace, one: Namespace, two: Namespace, folder: Path) -> None:
        self.box, self.one, self.two, self.folder = box, one, two, folder

    def look(self, probe: Any) -> list[ProbeFinding]:
        """Return the findings of a probe on the box."""

        def there() -> list[ProbeFinding]:
            network = asyncio.run(look_around())
            return look(probe, examined(self.folder, network_or_why=network))

        found: list[ProbeFinding] = self.box.run(there)
        return found

    def dnsmasq(self, at: Namespace, *options: str) -> contextlib.AbstractContextManager[None]:
        """Run a server on a machine."""
        return dnsmasq(at, self.folder, "lan0" if at is self.box else "eth0", *options)


@contextlib.contextmanager
def laid(folder: Path) -> Iterator[Link]:
    with namespaces("box", "one", "two") as (box, one, two):
        box.ip("link add name lan0 address 02:00:5e:00:00:01 type bridge")
        box.ip("link set lan0 up")
        box.ip(f"address add {BOX}/24 dev lan0")
        box.ip("address add fd00:6::1/64 dev lan0")
        box.ip("address add fe80::b/64 dev lan0")
        for number, other in enumerate((one, two), 2):
            connect((box, f"port{number}"), (other, "eth0"))
            box.ip(f"link set port{number} master lan0")
            other.ip(f"address add 192.168.6.{number}/24 dev eth0")
            other.ip(f"address add fe80::{number}/64 dev eth0")
            other.ip(f"address add fd00:6::{number}/64 dev eth0")
        box.ip(f"route add default via {OTHER}")
        yield Link(box, one, two, folder)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Link]:
    with laid(tmp_path_factory.mktemp("link")) as link:
        yield link


@pytest.fixture
def link(shared: Link, monkeypatch: pytest.MonkeyPatch) -> Link:
    """A link that no test changes; what is silent is waited for half a second only."""
    for bound in ("DHCP_WITHIN_S", "DHCPV6_WITHIN_S", "ROUTERS_WITHIN_S", "LOGIN_WITHIN_S"):
        monkeypatch.setattr(link_servers, bound, 0.5)
    return shared


@pytest.fixture
def awaited(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return what sets that answers are waited for, and how many end the collection."""

    def await_answers(bound: str, most: int = 1) -> None:
        monkeypatch.setattr(link_servers, bound, 20.0)
        monkeypatch.setattr(solicitation, "MOST_ANSWERS", most)

    return await_answers


@pytest.fixture
def own_link(tmp_path: Path) -> Iterator[Link]:
    """A link of the test's own."""
    with laid(tmp_path) as link:
        yield link


def test_one_server_that_hands_out_filterd_is_clean(
    link: Link, awaited: Callable[..., None]
) -> None:
    awaited("DHCP_WITHIN_S")
    with link.dnsmasq(link.one, *handing_out(OTHER, BOX)):
        assert [one.outcome for one in link.look(dhcp)] == [CLEAN]


def test_a_second_server_is_found(link: Link, awaited: Callable[..., None]) -> None:
    awaited("DHCP_WITHIN_S", most=2)
    with (
        link.dnsmasq(link.one, *handing_out(OTHER, BOX)),
        link.dnsmasq(link.two, *handing_out(THIRD, BOX, "192.168.6.200")),
    ):
        (found,) = link.look(dhcp)
    assert found.outcome is FOUND
    assert OTHER in found.text
    assert THIRD in found.text


def test_another_resolver_beside_filterd_is_found(link: Link, awaited: Callable[..., None]) -> None:
    awaited("DHCP_WITHIN_S")
    with link.dnsmasq(link.one, *handing_out(OTHER, f"{BOX},8.8.8.8")):
        (found,) = link.look(dhcp)
    assert found.outcome is FOUND
    assert found.text.endswith("8.8.8.8")


def test_a_router_that_does_not_route_is_found(
    own_link: Link, awaited: Callable[..., None]
) -> None:
    awaited("DHCP_WITHIN_S")
    with own_link.dnsmasq(own_link.one, *handing_out(BOX, BOX)):
        (found,) = own_link.look(dhcp)
        assert "does not route" in found.text
        own_link.box.run(lambda: _forward("1"))
        assert [one.outcome for one in own_link.look(dhcp)] == [CLEAN]


def test_without_an_answer_nothing_is_known(link: Link) -> None:
    assert [one.outcome for one in link.look(dhcp)] == [UNSEEN]


def test_an_ipv6_router_with_dns_of_its_own_is_found(
    link: Link, awaited: Callable[..., None]
) -> None:
    awaited("ROUTERS_WITHIN_S")
    with link.dnsmasq(link.one, *advertising("2001:db8::53")):
        (found,) = link.look(ipv6_dns)
    assert found.outcome is FOUND
    assert "2001:db8::53" in found.text


def test_one_that_advertises_filterd_is_clean(link: Link, awaited: Callable[..., None]) -> None:
    awaited("ROUTERS_WITHIN_S")
    with link.dnsmasq(link.one, *advertising("fd00:6::1")):
        assert [one.outcome for one in link.look(ipv6_dns)] == [CLEAN]


@pytest.mark.parametrize(("resolver", "outcome"), [("fd00:6::1", CLEAN), ("2001:db8::53", FOUND)])
def test_dhcpv6_is_asked_what_it_hands_out(
    link: Link, awaited: Callable[..., None], resolver: str, outcome: str
) -> None:
    awaited("DHCPV6_WITHIN_S")
    named = f"--dhcp-option=option6:dns-server,[{resolver}]"
    with link.dnsmasq(link.one, "--dhcp-range=fd00:6::100,fd00:6::200,64,1h", named):
        (found,) = link.look(ipv6_dns)
    assert found.outcome == outcome
    assert "DHCPv6 server" in found.text


def test_a_switch_without_login_is_clean(link: Link) -> None:
    assert [one.outcome for one in link.look(port_login)] == [CLEAN]


def _forward(value: str) -> None:
    Path("/proc/sys/net/ipv4/ip_forward").write_text(value, encoding="ascii")


@pytest.mark.parametrize(("forwards", "letter"), [("0", "A"), ("1", "B")])
def test_the_placement_on_one_interface(own_link: Link, forwards: str, letter: str) -> None:
    own_link.box.run(lambda: _forward(forwards))
    (found,) = own_link.look(placement)
    assert found.text.startswith(f"{letter}:")


def test_the_placement_in_line(own_link: Link) -> None:
    connect((own_link.box, "wan0"), (own_link.two, "wan"))
    own_link.box.ip("address add 198.51.100.1/24 dev wan0")
    own_link.box.ip("route replace default via 198.51.100.2")
    own_link.box.run(lambda: _forward("1"))
    (found,) = own_link.look(placement)
    assert found.text.startswith("C:")


def test_no_way_to_the_internet_is_found(own_link: Link) -> None:
    own_link.box.ip("route delete default")
    assert [one.outcome for one in own_link.look(placement)] == [FOUND]


def test_a_link_without_a_cable_is_found(own_link: Link) -> None:
    own_link.box.ip("link set lan0 down")
    assert [one.outcome for one in own_link.look(placement)] == [FOUND]
    with pytest.raises(UnseenError, match="no interface"):
        own_link.look(dhcp)


@pytest.mark.parametrize(
    ("staff", "pupils", "outcome"),
    [
        ((), ("10.0.0.0/24",), CLEAN),
        (("10.0.9.0/24",), ("10.0.0.0/24",), CLEAN),
        (("10.0.0.0/24",), (), CLEAN),
        (("10.0.0.0/22",), ("10.1.0.0/24",), CLEAN),
        (("10.0.0.200/29",), (), FOUND),
        (("10.0.0.5/32",), ("10.0.0.0/24",), FOUND),
        (("10.0.0.0/24",), ("10.0.0.0/25",), FOUND),
        (("2001:db8::5/128",), (), FOUND),
        (("2001:db8::/64",), ("10.0.0.0/24",), CLEAN),
    ],
)
def test_a_range_of_the_staff_wants_a_link_of_its_own(
    tmp_path: Path, staff: tuple[str, ...], pupils: tuple[str, ...], outcome: ProbeOutcome
) -> None:
    links = tuple(Prefix(ip_network(one), "lan0") for one in ("10.0.0.0/24", "2001:db8::/64"))
    network = LocalNetwork((), (), (), (), Links(frozenset(), links))
    policy = replace(
        a_policy(), networks=(Network("office", "staff", staff), Network("lan", "6", pupils))
    )
    site = examined(tmp_path, policy_or_why=policy, network_or_why=network)
    assert outcomes(staff_ranges, site) == [outcome]
