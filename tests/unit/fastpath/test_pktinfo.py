# SPDX-License-Identifier: Apache-2.0
"""Sockets report by which interface and to which address a datagram came."""

from __future__ import annotations

import os
import socket

import pytest

from filterd.base.errors import ConfigError
from filterd.base.port_holders import PortHolder
from filterd.fastpath.pktinfo import (
    ANCILLARY_OCTETS,
    PacketInfo,
    arrival_of,
    bind,
    has_family,
    interface_of,
    is_bound,
    is_here,
)
from filterd.policy.model import ListenAddress
from tests.support import needs
from tests.support.no_ipv6 import NoIpv6

LOOPBACK = socket.if_nametoindex("lo")
V6 = pytest.param("::1", "::1", marks=needs.IPV6)
DNSMASQ = PortHolder("udp", "0.0.0.0", "root", (9,), "dnsmasq")


def received_by(listening: socket.socket, destination: tuple[str, int]) -> PacketInfo:
    listening.setblocking(True)
    listening.settimeout(5)
    with socket.socket(listening.family, socket.SOCK_DGRAM) as sending:
        if sending.family == socket.AF_INET:
            sending.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        sending.sendto(b"?", destination)
    return arrival_of(listening.recvmsg(16, ANCILLARY_OCTETS)[1])


@pytest.mark.parametrize(
    ("bound", "asked"), [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.9"), V6]
)
def test_a_datagram_has_its_interface(bound: str, asked: str) -> None:
    with bind(ListenAddress(bound, 0), socket.SOCK_DGRAM) as listening:
        arrival = received_by(listening, (asked, listening.getsockname()[1]))
    assert (arrival.interface, arrival.to_many) == (LOOPBACK, False)


def test_a_broadcast_is_distinguished_from_a_datagram_to_one_address() -> None:
    with bind(ListenAddress("0.0.0.0", 0), socket.SOCK_DGRAM) as listening:
        port = listening.getsockname()[1]
        assert received_by(listening, ("127.255.255.255", port)).to_many
        assert not received_by(listening, ("127.255.255.254", port)).to_many


def test_an_ipv4_multicast_address_is_many() -> None:
    asked = socket.inet_aton("224.0.0.251")
    data = LOOPBACK.to_bytes(4, "little") + socket.inet_aton("192.0.2.1") + asked
    assert arrival_of([(socket.IPPROTO_IP, 8, data)]).to_many


@pytest.mark.parametrize(("address", "many"), [("ff02::fb", True), ("2001:db8::1", False)])
def test_an_ipv6_multicast_address_is_many(address: str, many: bool) -> None:
    data = socket.inet_pton(socket.AF_INET6, address) + bytes(4)
    assert arrival_of([(socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, data)]).to_many is many


def test_an_answer_to_a_link_local_address_leaves_by_its_interface() -> None:
    link, world = (
        socket.inet_pton(socket.AF_INET6, one) + b"\7\0\0\0" for one in ("fe80::1", "2001:db8::1")
    )
    level, kind = socket.IPPROTO_IPV6, socket.IPV6_PKTINFO
    assert arrival_of([(level, kind, link)]).reply_from == [(level, kind, link)]
    assert arrival_of([(level, kind, world)]).reply_from == [(level, kind, world[:16] + bytes(4))]


def test_no_control_message_gives_no_interface() -> None:
    assert arrival_of([]) == PacketInfo()


@pytest.mark.parametrize("address", ["127.0.0.1", pytest.param("::1", marks=needs.IPV6)])
def test_a_connection_has_its_interface(address: str) -> None:
    with bind(ListenAddress(address, 0), socket.SOCK_STREAM) as listening:
        listening.listen()
        with socket.create_connection(listening.getsockname()[:2]):
            listening.setblocking(True)
            connection, _ = listening.accept()
            with connection:
                assert interface_of(connection) == LOOPBACK


def test_a_connection_of_another_socket_has_no_known_interface() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        socket.create_connection(listening.getsockname()),
    ):
        connection, _ = listening.accept()
        with connection:
            assert interface_of(connection) == 0


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM])
def test_an_address_in_use_is_named_with_what_to_do(kind: socket.SocketKind) -> None:
    with bind(ListenAddress("127.0.0.1", 0), kind) as first:
        if kind == socket.SOCK_STREAM:
            first.listen()
        port = first.getsockname()[1]
        who = rf"127\.0\.0\.1 port {port}: \S+ \(process {os.getpid()}\) has it \(stop it"
        with pytest.raises(ConfigError, match=who):
            bind(ListenAddress("127.0.0.1", port), kind)


@pytest.mark.parametrize(
    ("holders", "local"),
    [
        ([DNSMASQ], "dnsmasq (process 9) has it (set port=0 in its configuration"),
        ([DNSMASQ._replace(protocol="tcp")], "another server has it"),
        ([PortHolder("udp", "127.0.0.1", "avahi")], "a process of the user avahi has it"),
        ([], "another server has it"),
    ],
)
def test_the_process_that_has_a_port_is_named_with_its_remedy(
    monkeypatch: pytest.MonkeyPatch, holders: list[PortHolder], local: str
) -> None:
    monkeypatch.setattr("filterd.fastpath.pktinfo.holders", lambda _: holders)
    with bind(ListenAddress("127.0.0.1", 0), socket.SOCK_DGRAM) as first:
        taken = ListenAddress("127.0.0.1", first.getsockname()[1])
        with pytest.raises(ConfigError) as raised:
            bind(taken, socket.SOCK_DGRAM)
    assert local in str(raised.value)


@pytest.mark.parametrize(
    "address", ["203.0.113.9", pytest.param("2001:db8:113::9", marks=needs.IPV6)]
)
@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM])
def test_an_address_that_may_come_later_is_bound(address: str, kind: socket.SocketKind) -> None:
    with bind(ListenAddress(address, 0), kind) as opened:
        assert opened.getsockname()[0] == address
    assert not is_here(address)


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "0.0.0.0", *(pytest.param(one, marks=needs.IPV6) for one in ("::1", "::"))],
)
def test_an_address_of_this_machine_is_here(address: str) -> None:
    assert is_here(address)


def test_on_a_kernel_without_ipv6_no_address_of_ipv6_is_here(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(socket, "socket", NoIpv6)
    assert [has_family(one) for one in ("::1", "127.0.0.1")] == [False, True]
    assert not is_here("::1")


@pytest.mark.usefixtures("needs_ipv6")
def test_an_interface_that_is_not_there_is_one_line() -> None:
    with pytest.raises(ConfigError, match="fe80::1%nowhere0 port 0: no interface with this name"):
        bind(ListenAddress("fe80::1%nowhere0", 0), socket.SOCK_DGRAM)


@pytest.mark.usefixtures("needs_ipv6")
def test_a_socket_is_bound_to_the_address_family_and_kind_that_it_was_opened_for() -> None:
    at, kinds = ListenAddress("::1", 0), (socket.SOCK_DGRAM, socket.SOCK_STREAM)
    for kind in kinds:
        with bind(at, kind) as opened:
            port = opened.getsockname()[1]
            assert is_bound(opened, ListenAddress("0:0::1", port), kind)
            others = [("::1", port - 1), ("::", port), ("127.0.0.1", port), ("fe80::1%none", port)]
            assert not any(is_bound(opened, ListenAddress(*one), kind) for one in others)
            assert not is_bound(opened, ListenAddress("::1", port), kinds[kind == kinds[0]])
        assert not is_bound(opened, ListenAddress("::1", port), kind)
