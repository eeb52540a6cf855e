# SPDX-License-Identifier: Apache-2.0
"""Servers of a real link, a bound on what is collected, and octets that are no answers."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filterd.appliance import link_servers, solicitation
from filterd.appliance.link_servers import (
    DhcpOffer,
    Dhcpv6Reply,
    advertisements,
    authenticators,
    dhcp_offers,
    dhcpv6_replies,
    discover,
    information_request,
    is_request,
    parse_advertisement,
    parse_offer,
    parse_reply,
)
from tests.support.link_servers import advertising, dhcp, dnsmasq
from tests.support.namespaces import Namespace, connect, namespaces

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from filterd.appliance.link_servers import RouterAdvertisement

MAC, PORT_MAC = "02:00:5e:00:00:01", "02:00:5e:00:00:02"
RESOLVER = bytes.fromhex("20010db8000000000000000000000053")
OTHER = RESOLVER[:-1] + b"\x54"

Link = tuple[Namespace, Namespace, Namespace]


@pytest.fixture(scope="module")
def link() -> Iterator[Link]:
    """A box and two machines beside it on one switch; nothing runs on it yet."""
    with namespaces("box", "one", "two") as (box, one, two):
        box.ip(f"link add name br0 address {MAC} type bridge")
        box.ip("link set br0 up")
        box.ip("address add 192.168.6.1/24 dev br0")
        box.ip("address add fe80::b/64 dev br0")
        for number, other in enumerate((one, two), 2):
            connect((box, f"port{number}"), (other, "eth0"))
            box.ip(f"link set port{number} master br0")
            other.ip(f"address add 192.168.6.{number}/24 dev eth0")
            other.ip(f"address add fe80::{number}/64 dev eth0")
            other.ip(f"address add fd00:6::{number}/64 dev eth0")
        yield box, one, two


@pytest.fixture
def most(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return what sets how many answers end a collection."""
    return lambda number: monkeypatch.setattr(solicitation, "MOST_ANSWERS", number)


def _at(box: Namespace, asking: Any, *words: str, within_s: float = 20) -> Any:
    return box.run(lambda: asyncio.run(asking(*words, within_s=within_s)))


@pytest.mark.usefixtures("needs_namespaces")
@pytest.mark.parametrize(
    "asking",
    [dhcp_offers, dhcpv6_replies, advertisements, authenticators],
    ids=lambda one: one.__name__,
)
def test_a_link_without_a_server_has_none_and_one_that_is_gone_is_an_error(
    link: Link, asking: Any
) -> None:
    mac = (MAC,) if asking in (dhcp_offers, dhcpv6_replies) else ()
    assert _at(link[0], asking, "br0", *mac, within_s=0.1) == ()
    with pytest.raises(OSError, match=r"[Nn]o such device|no interface|not permitted"):
        asyncio.run(asking("no-such-if", *mac, within_s=0.1))


@pytest.mark.usefixtures("needs_namespaces")
def test_each_dhcp_server_is_found_with_its_router_and_dns(
    link: Link, most: Any, tmp_path: Path
) -> None:
    box, one, two = link
    most(2)
    with (
        dnsmasq(one, tmp_path, "eth0", *dhcp("192.168.6.1", "192.168.6.1")),
        dnsmasq(two, tmp_path, "eth0", *dhcp("192.168.6.3", "8.8.8.8", "192.168.6.200")),
    ):
        found = _at(box, dhcp_offers, "br0", MAC)
    assert sorted(found) == [
        DhcpOffer("192.168.6.2", ("192.168.6.1",), ("192.168.6.1",)),
        DhcpOffer("192.168.6.3", ("192.168.6.3",), ("8.8.8.8",)),
    ]
    assert not any(path.read_text().strip() for path in tmp_path.glob("*.leases"))


@pytest.mark.usefixtures("needs_namespaces")
def test_the_dhcp_server_of_this_machine_is_found_too(
    link: Link, most: Any, tmp_path: Path
) -> None:
    most(1)
    with dnsmasq(link[0], tmp_path, "br0", *dhcp("192.168.6.1", "192.168.6.1")):
        found = _at(link[0], dhcp_offers, "br0", MAC)
    assert [one.server for one in found] == ["192.168.6.1"]


@pytest.mark.usefixtures("needs_namespaces")
def test_a_dhcpv6_server_is_found_with_its_dns(link: Link, most: Any, tmp_path: Path) -> None:
    most(1)
    named = "--dhcp-option=option6:dns-server,[2001:db8::53]"
    with dnsmasq(link[1], tmp_path, "eth0", "--dhcp-range=fd00:6::,ra-stateless,64", named):
        (found,) = _at(link[0], dhcpv6_replies, "br0", MAC)
    assert found.resolvers == ("2001:db8::53",)
    assert found.server.startswith("fe80::")


@pytest.mark.usefixtures("needs_namespaces")
def test_a_router_is_found_with_its_prefix_and_its_dns(
    link: Link, most: Any, tmp_path: Path
) -> None:
    most(1)
    with dnsmasq(link[1], tmp_path, "eth0", *advertising("2001:db8::53")):
        (found,) = _at(link[0], advertisements, "br0")
    assert found.router.startswith("fe80::")
    assert found.prefixes == ("fd00:6::/64",)
    assert found.resolvers == ("2001:db8::53",)
    assert found.lifetime_s > 0


EAPOL = 0x888E
REQUEST = bytes((2, 0, 0, 5, 1, 7, 0, 5, 1))
"""EAP-Request/Identity."""


@pytest.mark.usefixtures("needs_namespaces")
def test_a_switch_that_asks_for_a_login_is_found() -> None:
    def opened() -> socket.socket:
        made = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(EAPOL))
        made.bind(("port1", EAPOL))
        made.settimeout(20)
        return made

    def answer() -> None:
        _, sender = port.recvfrom(100)
        port.sendto(REQUEST, sender)

    with namespaces("box", "switch") as (box, switch):
        connect((switch, "port1"), (box, "eth0"), PORT_MAC)
        with switch.run(opened) as port:
            answering = threading.Thread(target=answer)
            answering.start()
            found = _at(box, authenticators, "eth0")
            answering.join()
    assert found == (PORT_MAC,)


@pytest.mark.parametrize(
    "frame",
    [b"", REQUEST[:7], b"\2\1\0\0", REQUEST[:4] + b"\3" + REQUEST[5:], REQUEST + bytes(1_500)],
)
def test_what_is_no_request_for_a_login_is_left_out(frame: bytes) -> None:
    assert not is_request(frame)


SERVER = bytes((54, 4, 192, 168, 6, 1))


def _offer(options: bytes, exchange: int = 7) -> bytes:
    """Return a server's message: the head of a question, turned into a reply."""
    question = discover(exchange, MAC)
    return bytes((2,)) + question[1:240] + bytes((53, 1, 2)) + options


def test_an_offer_has_at_most_eight_addresses_of_a_kind() -> None:
    many = bytes((6, 252)) + bytes(range(252))
    found = parse_offer(_offer(SERVER + many), 7)
    assert found is not None
    assert len(found.resolvers) == 8


@pytest.mark.parametrize(
    "message",
    [
        b"",
        _offer(SERVER)[:239],
        _offer(SERVER, exchange=8),
        discover(7, MAC),
        _offer(b"\x35\x01\x05"),  # no address of a server
        _offer(SERVER).replace(bytes((53, 1, 2)), bytes((53, 1, 5))),  # an ACK
        _offer(SERVER) + bytes(1_500),
        bytes((2,)) + discover(7, MAC)[1:236] + bytes(4) + bytes((53, 1, 2)) + SERVER,  # no cookie
    ],
)
def test_what_is_no_offer_is_left_out(message: bytes) -> None:
    assert parse_offer(message, 7) is None


def test_an_option_past_the_end_is_not_read() -> None:
    found = parse_offer(_offer(SERVER + bytes((6, 200, 8, 8, 8, 8))), 7)
    assert found == DhcpOffer("192.168.6.1", (), ())


EXCHANGE = b"\1\2\3"
REPLY, SERVER_ID = b"\7" + EXCHANGE, bytes((0, 2, 0, 1, 9))
DNS = bytes((0, 23, 0, 16)) + RESOLVER


@pytest.mark.parametrize(
    ("options", "resolvers"),
    [
        (DNS, ("2001:db8::53",)),
        (b"", ()),
        (DNS[:-1], ()),
        (bytes((0, 23, 0, 15)) + RESOLVER[:15], ()),
        (
            bytes((0, 23, 1, 0)) + b"".join(bytes((32, *bytes(14), n)) for n in range(16)),
            ("2000::", *(f"2000::{n}" for n in range(1, 8))),
        ),
        (bytes((0, 23, 0, 160)) + RESOLVER * 9 + OTHER, ("2001:db8::53", "2001:db8::54")),
    ],
)
def test_whole_addresses_of_a_reply_are_read(options: bytes, resolvers: tuple[str, ...]) -> None:
    found = parse_reply(REPLY + SERVER_ID + options, "fe80::1", EXCHANGE)
    assert found == Dhcpv6Reply("fe80::1", resolvers)


@pytest.mark.parametrize(
    "message",
    [
        b"",
        REPLY,
        REPLY + DNS,
        b"\7\1\2\4" + SERVER_ID,
        b"\2" + EXCHANGE + SERVER_ID,
        REPLY + SERVER_ID + bytes(1_500),
        information_request(EXCHANGE, MAC),
    ],
)
def test_what_is_no_reply_is_left_out(message: bytes) -> None:
    assert parse_reply(message, "fe80::1", EXCHANGE) is None


HEAD = struct.pack("!BBHBBHII", 134, 0, 0, 64, 0xC0, 1800, 0, 0)


def _rdnss(lifetime_s: int, *addresses: bytes) -> bytes:
    return struct.pack("!BBHI", 25, 1 + 2 * len(addresses), 0, lifetime_s) + b"".join(addresses)


def _prefix(length: int) -> bytes:
    return struct.pack("!BBBBIII", 3, 4, length, 0xC0, 60, 60, 0) + RESOLVER


def _parsed(message: bytes, source: str = "fe80::1", hops: int = 255) -> RouterAdvertisement | None:
    return parse_advertisement(message, source, hops)


@pytest.mark.parametrize(
    ("options", "prefixes", "resolvers"),
    [
        (
            _prefix(64) + _rdnss(60, RESOLVER) + bytes((1, 1, 2, 0, 0, 0, 0, 1)),
            ("2001:db8::/64",),
            ("2001:db8::53",),
        ),
        (_rdnss(0, RESOLVER), (), ()),  # withdrawn
        (_rdnss(60, *[RESOLVER] * 9, OTHER), (), ("2001:db8::53", "2001:db8::54")),
        (_prefix(129), (), ()),
        *((one + _rdnss(60, RESOLVER), (), ())  # nothing behind a broken option is read
          for one in (bytes((25, 0)) + bytes(30), bytes((25, 9)) + bytes(30), b"\x19")),
    ],
)  # fmt: skip
def test_flags_prefixes_and_resolvers_of_an_advertisement_are_read(
    options: bytes, prefixes: tuple[str, ...], resolvers: tuple[str, ...]
) -> None:
    found = _parsed(HEAD + options)
    assert found is not None
    assert (found.managed, found.other, found.lifetime_s) == (True, True, 1800)
    assert (found.prefixes, found.resolvers) == (prefixes, resolvers)


@pytest.mark.parametrize(
    ("message", "source", "hops"),
    [
        (HEAD[:15], "fe80::1", 255),
        (HEAD, "2001:db8::1", 255),
        (HEAD, "fe80::1", 64),
        (bytes((135,)) + HEAD[1:], "fe80::1", 255),
        (HEAD[:1] + b"\1" + HEAD[2:], "fe80::1", 255),
        (HEAD + bytes(2_000), "fe80::1", 255),
    ],
)
def test_what_is_no_advertisement_is_left_out(message: bytes, source: str, hops: int) -> None:
    assert _parsed(message, source, hops) is None


def test_control_without_the_hop_limit_an_advertisement_from_afar_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(link_servers, "_HOPS", 64)
    assert _parsed(HEAD, hops=64) is not None


@given(st.binary(max_size=400))
def test_no_octets_raise(data: bytes) -> None:
    for message in (_offer(data), data):
        parse_offer(message, 7)
    for message in (REPLY + data, data):
        parse_reply(message, "fe80::1", EXCHANGE)
    for message in (HEAD + data, data):
        _parsed(message)
