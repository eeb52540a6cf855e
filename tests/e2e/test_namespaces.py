# SPDX-License-Identifier: Apache-2.0
"""The client of a question and the source of its answer, on real interfaces.

Skipped where network namespaces cannot be made (they need root).
"""

from __future__ import annotations

import signal
import socket
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

import dns.message
import dns.rcode
import pytest

from filterd import control
from tests.support import needs
from tests.support.daemon import build_lists, write_site
from tests.support.dhcp import socket_for_dhcp, take_lease
from tests.support.gateway import (
    CLOSED,
    LATER,
    OTHER_PORT,
    PORT,
    SPECIFIC,
    SPECIFIC_PORT,
    UPSTREAM,
    ZONE,
    Gateway,
    Site,
    ask,
    eventually,
    gateway,
    is_blocked,
    is_silent,
)
from tests.support.needs import command

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filterd.base.state_folder import StateFolder
    from tests.support.daemon import Served

pytestmark = pytest.mark.usefixtures("needs_namespaces")


@pytest.fixture(scope="module")
def around(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with gateway(tmp_path_factory.mktemp("gateway")) as made:
        yield made


@pytest.fixture(scope="module")
def lists(tmp_path_factory: pytest.TempPathFactory) -> StateFolder:
    config = write_site(tmp_path_factory.mktemp("site"), port=5353)
    return build_lists(config, tmp_path_factory.mktemp("state"))


@pytest.fixture(scope="module")
def serving(around: Gateway, lists: StateFolder) -> Iterator[Gateway]:
    """A gateway that answers on whatever addresses it has."""
    with around.serving(lists, Site(PORT)):
        yield around


@pytest.fixture(scope="module")
def specific(around: Gateway, lists: StateFolder) -> Iterator[Gateway]:
    """A gateway that answers on a few of its addresses."""
    with around.serving(lists, Site(SPECIFIC_PORT, (*SPECIFIC, LATER))):
        yield around


LINK_PORT = OTHER_PORT + 1
"""Of a daemon on one address of a link."""
OTHER = Site(OTHER_PORT, allowed="198.51.100.2/32", more="lan_interfaces: [lan1]")


@pytest.fixture(scope="module")
def other(around: Gateway, lists: StateFolder) -> Iterator[Served]:
    """A gateway that does without what is tested here: the provider may ask, and lan0 may not."""
    with around.serving(lists, OTHER) as served:
        yield served


SERVER = "192.168.6.1"
ASKED = (
    SERVER,
    "192.168.6.254",
    "192.168.9.1",
    "fd00:6::1",
    "2001:db8:6::1",
    "fe80::1%eth0",
)


@pytest.mark.parametrize("tcp", [False, True], ids=["udp", "tcp"])
@pytest.mark.parametrize("server", ASKED)
def test_an_answer_comes_from_where_it_was_asked(
    serving: Gateway, server: str, *, tcp: bool
) -> None:
    """By a connected socket: the kernel throws away what comes from elsewhere."""
    answer = ask(serving.pupil, server, tcp=tcp)
    assert answer
    assert answer.answer


@pytest.mark.parametrize("tcp", [False, True], ids=["udp", "tcp"])
@pytest.mark.parametrize("server", ASKED)
def test_the_same_holds_where_it_listens_on_these_addresses(
    specific: Gateway, server: str, *, tcp: bool
) -> None:
    assert ask(specific.pupil, server, tcp=tcp, port=SPECIFIC_PORT)


def test_a_network_is_its_interface_for_clients_with_only_a_link_local_address(
    serving: Gateway,
) -> None:
    assert not is_blocked(serving.office, "fe80::1%eth0")
    assert is_blocked(serving.pupil, "fe80::1%eth0")


@pytest.mark.parametrize("server", [SERVER, "fd00:6::1", "2001:db8:6::1", "fe80::1%eth0"])
def test_a_device_is_known_by_the_mac_that_the_kernel_saw(serving: Gateway, server: str) -> None:
    eventually(lambda: not is_blocked(serving.laptop, server))
    assert is_blocked(serving.pupil, server)


def test_a_mac_stays_with_its_device_and_not_with_the_address(serving: Gateway) -> None:
    eventually(lambda: not is_blocked(serving.laptop, SERVER, "192.168.6.30"))
    serving.laptop.ip("address del 192.168.6.30/24 dev eth0")
    serving.pupil.ip("address add 192.168.6.30/24 dev eth0")
    try:
        serving.pupil.ip("neigh flush dev eth0")  # so that the gateway learns its address
        eventually(lambda: not is_silent(serving.pupil, SERVER, "192.168.6.30"))
        eventually(lambda: is_blocked(serving.pupil, SERVER, "192.168.6.30"))
    finally:
        serving.pupil.ip("address del 192.168.6.30/24 dev eth0")
        serving.laptop.ip("address add 192.168.6.30/24 dev eth0")


def test_a_mac_with_many_addresses_identifies_no_device(serving: Gateway) -> None:
    few, many = ["192.168.6.40", "192.168.6.41", "192.168.6.42"], "192.168.6.43"
    for address in (*few[1:], many):
        serving.relay.ip(f"address add {address}/24 dev eth0")
    eventually(lambda: not any(_are_blocked(serving, few)))
    eventually(lambda: all(_are_blocked(serving, [*few, many])))


def _are_blocked(serving: Gateway, sources: list[str]) -> list[bool]:
    return [is_blocked(serving.relay, SERVER, source) for source in sources]


def test_an_address_of_the_site_that_comes_later_is_answered_on_without_a_restart(
    specific: Gateway,
) -> None:
    assert is_silent(specific.pupil, LATER, port=SPECIFIC_PORT)
    specific.gateway.ip(f"address add {LATER}/24 dev lan0")
    try:
        for tcp in (False, True):
            assert ask(specific.pupil, LATER, tcp=tcp, port=SPECIFIC_PORT)
    finally:
        specific.gateway.ip(f"address del {LATER}/24 dev lan0")


def test_an_address_that_appears_while_it_runs_is_answered_from(serving: Gateway) -> None:
    """A public prefix, which nothing but the link lets ask."""
    serving.pupil.ip("address add 203.0.113.20/24 dev eth0")
    serving.gateway.ip("address add 203.0.113.1/24 dev lan0")
    eventually(lambda: not is_silent(serving.pupil, "203.0.113.1", "203.0.113.20"))
    assert ask(serving.pupil, "203.0.113.1", source="203.0.113.20", tcp=True)
    serving.gateway.ip("address del 203.0.113.1/24 dev lan0")
    eventually(lambda: is_silent(serving.pupil, SERVER, "203.0.113.20"))


def test_an_ipv6_prefix_that_changes_takes_the_right_to_ask_along(serving: Gateway) -> None:
    old, new = "2001:db8:6::20", "2001:db8:66::20"
    assert ask(serving.pupil, "2001:db8:6::1", source=old)
    serving.gateway.ip("address del 2001:db8:6::1/64 dev lan0")
    serving.gateway.ip("address add 2001:db8:66::1/64 dev lan0")
    serving.pupil.ip("address add 2001:db8:66::20/64 dev eth0")
    try:
        eventually(lambda: not is_silent(serving.pupil, "2001:db8:66::1", new))
        assert is_silent(serving.pupil, "2001:db8:66::1", old)
        # Its answer would have left by the only way that leads there now.
        sent = serving.recorder.sent
        assert ("wan0", old) not in {(one.interface, one.destination) for one in sent}
    finally:
        serving.gateway.ip("address del 2001:db8:66::1/64 dev lan0")
        serving.gateway.ip("address add 2001:db8:6::1/64 dev lan0")


def test_an_interface_that_appears_while_it_runs_is_a_network(serving: Gateway) -> None:
    """A VLAN, or a second interface on the same wire: what the kernel has."""
    kinds = {"vlan": "id 5", "macvlan": "mode bridge"}
    had = [kind for kind in kinds if _is_a_network(serving, kind, kinds[kind])]
    assert had, "this kernel has neither"


def _is_a_network(serving: Gateway, kind: str, options: str) -> bool:
    """Return whether the kernel has such interfaces; see that one is a network then."""
    if not serving.gateway.can_ip(f"link add link lan0 name lan0.5 type {kind} {options}"):
        return False
    serving.pupil.ip(f"link add link eth0 name eth0.5 type {kind} {options}")
    sides = ((serving.gateway, "lan0.5", 1), (serving.pupil, "eth0.5", 2))
    for namespace, interface, last in sides:
        namespace.ip(f"link set {interface} up")
        namespace.ip(f"address add 2001:db8:5::{last}/64 dev {interface}")
    try:
        eventually(lambda: not is_silent(serving.pupil, "2001:db8:5::1"))
        assert not is_blocked(serving.pupil, "2001:db8:5::1")
        assert is_blocked(serving.pupil, SERVER)
    finally:
        for namespace, interface, _ in sides:
            namespace.ip(f"link del {interface}")
    return True


ALL_NODES = pytest.param("ff02::1%eth0", marks=needs.IPV6)


@pytest.mark.parametrize("server", ["127.0.0.1", "::1", SERVER, "198.51.100.1", "fd00:6::1"])
def test_the_gateway_may_ask_itself(serving: Gateway, server: str) -> None:
    assert ask(serving.gateway, server)


@pytest.mark.parametrize("to", ["192.168.6.255", "255.255.255.255", "224.0.0.1", ALL_NODES])
def test_queries_by_broadcast_or_multicast_are_not_answered(serving: Gateway, to: str) -> None:
    """Of two questions only the second, which is to the gateway alone, is answered."""
    near, family = ("fe80::1%eth0", socket.AF_INET6) if ":" in to else (SERVER, socket.AF_INET)
    query = dns.message.make_query("www.example.com", "A")
    with serving.pupil.run(lambda: socket.socket(family, socket.SOCK_DGRAM)) as opened:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0")
        for query.id, address in enumerate((to, near)):
            opened.sendto(query.to_wire(), serving.pupil.resolved(address, family))
        opened.settimeout(30)
        assert opened.recv(512)[:2] == b"\0\1"
        opened.settimeout(0.2)
        with pytest.raises(TimeoutError):
            opened.recv(512)


OUTSIDE = ("198.51.100.1", SERVER, "2001:db8:f::1")


@pytest.mark.parametrize("tcp", [False, True], ids=["udp", "tcp"])
@pytest.mark.parametrize("server", OUTSIDE)
def test_a_stranger_gets_not_one_octet(serving: Gateway, server: str, *, tcp: bool) -> None:
    assert is_silent(serving.provider, server, tcp=tcp)


@pytest.mark.usefixtures("other")
def test_on_a_gateway_that_lets_strangers_ask_the_same_one_is_answered(around: Gateway) -> None:
    for server in OUTSIDE[:2]:
        for tcp in (False, True):
            assert ask(around.provider, server, tcp=tcp, port=OTHER_PORT)


def test_on_a_gateway_with_other_links_the_same_pupil_is_a_stranger_until_a_reload(
    around: Gateway, other: Served
) -> None:
    assert is_silent(around.pupil, "2001:db8:6::1", port=OTHER_PORT)
    assert is_silent(around.pupil, "fe80::1%eth0", port=OTHER_PORT)
    around.write(replace(OTHER, more="lan_interfaces: [lan0]"))
    other.process.send_signal(signal.SIGHUP)
    other.wait_for("reloaded")
    eventually(lambda: not is_silent(around.pupil, "2001:db8:6::1", port=OTHER_PORT))
    assert ask(around.pupil, "fe80::1%eth0", port=OTHER_PORT)


@pytest.fixture(scope="module")
def dnsmasq(serving: Gateway) -> Iterator[Path]:
    """The file of a DHCP server on the gateway."""
    command("dnsmasq")
    words = (
        "dnsmasq --keep-in-foreground --port=0 --no-ping --conf-file=/dev/null --user=root"
        " --pid-file --no-resolv --interface=lan0 --dhcp-range=192.168.6.100,192.168.6.150,1h"
    )
    process = serving.gateway.process(
        *words.split(), f"--dhcp-leasefile={serving.leases}", stderr=-3
    )
    yield serving.leases
    process.terminate()
    process.wait(10)


def test_a_device_has_the_name_that_it_gave_to_the_dhcp_server(
    serving: Gateway, dnsmasq: Path
) -> None:
    with serving.pupil.run(lambda: socket_for_dhcp("eth0")) as opened:
        address = take_lease(opened, "02:00:5e:10:00:77", b"May-Tinh-7")
        take_lease(opened, "02:00:5e:10:00:78", b"wpad")
    eventually(lambda: _addresses(serving, f"may-tinh-7.{ZONE}") == [address])
    reverse = ask(serving.pupil, SERVER, ip_address(address).reverse_pointer, rtype="PTR")
    assert reverse
    assert reverse.answer[0][0].to_text() == f"may-tinh-7.{ZONE}."
    for name in (f"wpad.{ZONE}", f"absent.{ZONE}", "wpad"):
        answer = ask(serving.pupil, SERVER, name)
        assert answer
        assert answer.rcode() == dns.rcode.NXDOMAIN
    assert not any("home.arpa" in one or "wpad" in one for one in serving.upstream.asked)
    dnsmasq.unlink()
    eventually(lambda: _addresses(serving, f"may-tinh-7.{ZONE}") == [])


def _addresses(serving: Gateway, name: str) -> list[str]:
    answer = ask(serving.pupil, SERVER, name)
    assert answer
    return [record.to_text() for rrset in answer.answer for record in rrset]


def test_nothing_leaves_the_gateway_but_answers_and_questions_to_the_upstream(
    serving: Gateway,
) -> None:
    """Whatever other tests did, names of every kind, a silent upstream."""
    serving.upstream.silent.set()
    for name in ("b.example", "c.example"):
        assert is_silent(serving.pupil, SERVER, name=name)
    serving.upstream.silent.clear()
    for name in ("a.example", "www.tiktok.com", "x.local", "a.b.internal", "printer", "wpad.com"):
        for rtype in ("A", "AAAA", "HTTPS", "TXT", "ANY", "DS"):
            ask(serving.pupil, SERVER, name, rtype=rtype)
    ask(serving.pupil, SERVER, "1.1.168.192.in-addr.arpa", rtype="PTR")
    answers = {PORT, SPECIFIC_PORT, OTHER_PORT, LINK_PORT, 67}
    left = {
        (one.destination, one.port)
        for one in serving.recorder.sent
        if one.source_port not in answers
    }
    assert left == {(UPSTREAM, serving.upstream.port)}


def _received(gateway: Gateway) -> int:
    """Return how many datagrams the gateway's kernel has given to a socket."""
    text = gateway.gateway.run(lambda: Path("/proc/thread-self/net/snmp").read_text())
    names, values = [line.split()[1:] for line in text.splitlines() if line.startswith("Udp: ")]
    return int(dict(zip(names, values, strict=True))["InDatagrams"])


def test_no_other_device_asks_from_the_addresses_of_the_self_test(
    around: Gateway, lists: StateFolder
) -> None:
    """The kernel drops such a question; where it is made to take it, it keeps the answer here."""
    loopback_abroad = Path("/proc/sys/net/ipv4/conf/all/route_localnet")
    around.pupil.run(lambda: loopback_abroad.write_text("1"))
    port = LINK_PORT
    with around.serving(lists, Site(port, (SERVER,))) as served:
        assert ask(around.pupil, SERVER, port=port), "and the link address is known"
        # On a busy machine the test of the start may still be asking: its datagrams count, too.
        control.ask(served.state.control_socket, "self-test")

        def is_dropped() -> bool:
            had = _received(around)
            is_unanswered = is_silent(around.pupil, SERVER, "127.117.0.1", port=port)
            return is_unanswered and _received(around) == had

        # Something else may come at that moment; such a question would come each time.
        assert any(is_dropped() for _ in range(3))
        before = _received(around)
        around.gateway.run(lambda: loopback_abroad.write_text("1"))
        try:
            assert is_silent(around.pupil, SERVER, "127.117.0.1", port=port)
        finally:
            around.gateway.run(lambda: loopback_abroad.write_text("0"))
        # A control: the kernel alone drops it.
        eventually(lambda: _received(around) > before)
        answer = ask(around.gateway, SERVER, CLOSED, source="127.117.0.1", port=port)
        assert answer, "the gateway itself may ask, also where only a link is listened on"
        assert answer.rcode() == dns.rcode.NXDOMAIN
        run = control.ask(served.state.control_socket, "self-test")
        assert run["failed"] == 0 < run["passed"]
