# SPDX-License-Identifier: Apache-2.0
"""Private addresses, at the edges of every range of dns.md §11."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from filterd.upstream.addresses import is_private

PRIVATE = [
    "0.0.0.0",
    "0.255.255.255",
    "10.0.0.0",
    "10.255.255.255",
    "100.64.0.0",
    "100.127.255.255",
    "127.0.0.0",
    "127.255.255.255",
    "169.254.0.0",
    "169.254.255.255",
    "172.16.0.0",
    "172.31.255.255",
    "192.168.0.0",
    "192.168.255.255",
    "::",
    "::1",
    "fc00::",
    "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "fe80::",
    "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "::ffff:10.0.0.1",
    "::ffff:127.0.0.1",
    "64:ff9b::10.0.0.1",
    "64:ff9b::192.168.1.1",
]

PUBLIC = [
    "1.0.0.0",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "169.253.255.255",
    "169.255.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.167.255.255",
    "192.169.0.0",
    "192.0.0.170",  # what ipv4only.arpa leads to
    "255.255.255.255",
    "::2",
    "::a00:1",
    "fbff:ffff::",
    "fe00::",
    "fec0::",
    "2001:db8::1",
    "::ffff:192.0.2.1",
    "::fffe:10.0.0.1",
    "64:ff9b::192.0.2.1",
    "64:ff9b:1::10.0.0.1",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_of_a_network(address: str) -> None:
    assert is_private(ip_address(address).packed)


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_of_the_internet(address: str) -> None:
    assert not is_private(ip_address(address).packed)
