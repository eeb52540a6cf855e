# SPDX-License-Identifier: Apache-2.0
"""DHCP servers that a link has, and octets that are no offers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filterd.appliance.dhcp_probe import DhcpOffer, discover, offers, parse_offer
from tests.support.link_servers import dhcp, dnsmasq
from tests.support.namespaces import connect, namespaces

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.namespaces import Namespace

MAC = "02:00:5e:00:00:01"
SERVER = bytes((54, 4, 192, 168, 6, 1))


def _offer(options: bytes, exchange: int = 7) -> bytes:
    """Return a server's message: the head of a question, turned into a reply."""
    question = discover(exchange, MAC)
    return bytes((2,)) + question[1:240] + bytes((53, 1, 2)) + options


@pytest.fixture
def link() -> Iterator[tuple[Namespace, Namespace, Namespace]]:
    """Return a box and two machines beside it on one switch."""
    with namespaces("box", "one", "two") as (box, one, two):
        box.ip("link add name br0 address 02:00:5e:00:00:01 type bridge")
        box.ip("link set br0 up")
        box.ip("address add 192.168.6.1/24 dev br0")
        for number, other in enumerate((one, two)):
            connect((box, f"port{number}"), (other, "eth0"))
            box.ip(f"link set port{number} master br0")
            other.ip(f"address add 192.168.6.{number + 2}/24 dev eth0")
        yield box, one, two


def _ask(box: Namespace, within_s: float, enough: int = 16) -> tuple[DhcpOffer, ...]:
    found: tuple[DhcpOffer, ...] = box.run(
        lambda: asyncio.run(offers("br0", MAC, within_s=within_s, enough=enough))
    )
    return found


def test_each_server_is_found_with_its_router_and_dns(
    link: tuple[Namespace, Namespace, Namespace], tmp_path: Path
) -> None:
    box, one, two = link
    with (
        dnsmasq(one, tmp_path, "eth0", *dhcp("192.168.6.1", "192.168.6.1")),
        dnsmasq(two, tmp_path, "eth0", *dhcp("192.168.6.3", "8.8.8.8", "192.168.6.200")),
    ):
        found = _ask(box, 10, enough=2)
    assert sorted(found) == [
        DhcpOffer("192.168.6.2", ("192.168.6.1",), ("192.168.6.1",)),
        DhcpOffer("192.168.6.3", ("192.168.6.3",), ("8.8.8.8",)),
    ]


def test_the_server_of_this_machine_is_found_too(
    link: tuple[Namespace, Namespace, Namespace], tmp_path: Path
) -> None:
    box, *_ = link
    with dnsmasq(box, tmp_path, "br0", *dhcp("192.168.6.1", "192.168.6.1")):
        found = _ask(box, 10, enough=1)
    assert [one.server for one in found] == ["192.168.6.1"]


def test_no_lease_is_taken(link: tuple[Namespace, Namespace, Namespace], tmp_path: Path) -> None:
    box, one, _ = link
    with dnsmasq(one, tmp_path, "eth0", *dhcp("192.168.6.1", "192.168.6.1")):
        assert _ask(box, 10, enough=1)
    assert not any(path.read_text().strip() for path in tmp_path.glob("*.leases"))


def test_a_link_without_a_server_has_none(link: tuple[Namespace, Namespace, Namespace]) -> None:
    assert _ask(link[0], 0.1) == ()


def test_an_interface_that_is_gone_is_an_error() -> None:
    with pytest.raises(OSError, match=r"No such device|not permitted"):
        asyncio.run(offers("no-such-if", MAC, within_s=0.1))


def test_an_offer_has_at_most_eight_addresses_of_a_kind() -> None:
    many = bytes((6, 252)) + bytes(252)
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


@given(st.binary(max_size=400))
def test_no_octets_raise(options: bytes) -> None:
    parse_offer(_offer(options), 7)
    parse_offer(options, 7)
