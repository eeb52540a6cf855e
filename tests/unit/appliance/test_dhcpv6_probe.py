# SPDX-License-Identifier: Apache-2.0
"""DHCPv6 servers of a link, and octets that are no replies."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filterd.appliance.dhcpv6_probe import Dhcpv6Reply, parse_reply, replies, request
from tests.support.link_servers import dnsmasq
from tests.support.namespaces import connect, namespaces

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.namespaces import Namespace

MAC, EXCHANGE = "02:00:5e:00:00:01", b"\1\2\3"
HEAD = b"\7" + EXCHANGE
SERVER = bytes((0, 2, 0, 1, 9))
RESOLVER = bytes.fromhex("20010db8000000000000000000000053")
DNS = bytes((0, 23, 0, 16)) + RESOLVER


@pytest.fixture
def link() -> Iterator[tuple[Namespace, Namespace]]:
    with namespaces("box", "router") as (box, router):
        connect((box, "lan0"), (router, "eth0"))
        box.ip("address add fe80::b/64 dev lan0")
        router.ip("address add fe80::a/64 dev eth0")
        router.ip("address add fd00:6::a/64 dev eth0")
        yield box, router


def test_a_server_is_found_with_its_dns(link: tuple[Namespace, Namespace], tmp_path: Path) -> None:
    box, router = link
    named = "--dhcp-option=option6:dns-server,[2001:db8::53]"
    with dnsmasq(router, tmp_path, "eth0", "--dhcp-range=fd00:6::,ra-stateless,64", named):
        (found,) = box.run(lambda: asyncio.run(replies("lan0", MAC, within_s=10, enough=1)))
    assert found.resolvers == ("2001:db8::53",)
    assert found.server.startswith("fe80::")


def test_a_link_without_a_server_has_none(link: tuple[Namespace, Namespace]) -> None:
    assert link[0].run(lambda: asyncio.run(replies("lan0", MAC, within_s=0.1))) == ()


@pytest.mark.parametrize(
    ("message", "resolvers"),
    [
        (HEAD + SERVER + DNS, ("2001:db8::53",)),
        (HEAD + SERVER, ()),
        (HEAD + SERVER + DNS[:-1], ()),
        (HEAD + SERVER + bytes((0, 23, 0, 15)) + RESOLVER[:15], ()),
        (HEAD + SERVER + bytes((0, 23, 1, 0)) + RESOLVER * 16, ("2001:db8::53",) * 8),
    ],
)
def test_whole_addresses_of_a_reply_are_read(message: bytes, resolvers: tuple[str, ...]) -> None:
    assert parse_reply(message, "fe80::1", EXCHANGE) == Dhcpv6Reply("fe80::1", resolvers)


@pytest.mark.parametrize(
    "message",
    [
        b"",
        HEAD,
        HEAD + DNS,
        b"\7\1\2\4" + SERVER,
        b"\2" + EXCHANGE + SERVER,
        HEAD + SERVER + bytes(1_500),
        request(EXCHANGE, MAC),
    ],
)
def test_what_is_no_reply_is_left_out(message: bytes) -> None:
    assert parse_reply(message, "fe80::1", EXCHANGE) is None


@given(st.binary(max_size=200))
def test_no_octets_raise(data: bytes) -> None:
    parse_reply(HEAD + data, "fe80::1", EXCHANGE)
    parse_reply(data, "fe80::1", EXCHANGE)
