# SPDX-License-Identifier: Apache-2.0
"""Private addresses, at the edges of every range."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from filterd.upstream.private_ranges import is_private

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
    "192.0.0.0",
    "192.0.0.7",
    "192.0.2.0",
    "192.0.2.255",
    "192.168.0.0",
    "192.168.255.255",
    "198.51.100.0",
    "198.51.100.255",
    "203.0.113.0",
    "203.0.113.255",
    "224.0.0.0",
    "239.255.255.255",
    "240.0.0.0",
    "255.255.255.255",
    "::",
    "::1",
    "::2",
    "::10.0.0.1",
    "::8.8.8.8",
    "::fffe:10.0.0.1",
    "64:ff9b:1::",
    "64:ff9b:1::10.0.0.1",
    "64:ff9b:1:ffff:ffff:ffff:ffff:ffff",
    "100::1",
    "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "2001:db8::",
    "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
    "3fff::",
    "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff",
    "4000::",
    "fbff:ffff::",
    "fc00::",
    "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "fe00::",
    "fe80::",
    "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "fec0::",
    "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "ff02::fb",
    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "::ffff:10.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:255.255.255.255",
    "::ffff:0:10.0.0.1",
    "::ffff:0:127.0.0.1",
    "::ffff:192.0.2.1",
    "64:ff9b::10.0.0.1",
    "64:ff9b::203.0.113.1",
    "2002:c633:6401::1",  # 198.51.100.1
    "64:ff9b::192.168.1.1",
    "2002:a00:1::",
    "2002:c0a8:101:1::1",
    "2002:7f00:1::1",
    "2001:0:a00:1::f7f7:f7f7",  # Teredo, its server is 10.0.0.1
    "2001:0:808:808::3f57:fefe",  # its client is 192.168.1.1
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
    "191.255.255.255",
    "192.0.0.8",
    "192.0.0.170",  # what ipv4only.arpa leads to
    "192.0.1.255",
    "192.0.3.0",
    "192.167.255.255",
    "192.169.0.0",
    "198.51.99.255",
    "198.51.101.0",
    "203.0.112.255",
    "203.0.114.0",
    "198.18.0.1",  # what a proxy on the gateway makes of a name
    "223.255.255.255",
    "2000::",
    "2001:0:808:808::f7f7:f7f7",
    "2001:1:ffff:ffff:ffff:ffff:ffff:ffff",
    "2001:2::1",
    "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff",
    "2001:db9::",
    "2002:808:808::a00:1",
    "2003::1",
    "3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "3fff:1000::",
    "3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "::ffff:198.18.0.1",
    "::ffff:0:198.18.0.1",
    "64:ff9b::198.18.0.1",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_of_a_network(address: str) -> None:
    assert is_private(ip_address(address).packed)


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_of_the_internet(address: str) -> None:
    assert not is_private(ip_address(address).packed)
