# SPDX-License-Identifier: Apache-2.0
"""Names that never leave the school, one by one."""

from __future__ import annotations

import ipaddress

import pytest

from filterd.resolve.special_use import SpecialAnswer, SpecialReason, judge
from tests.support.policies import wire

A, NS, SOA, PTR, TXT, AAAA, DS, HTTPS = 1, 2, 6, 12, 16, 28, 43, 65

LOOPBACK, NXDOMAIN, NODATA = SpecialAnswer.LOOPBACK, SpecialAnswer.NXDOMAIN, SpecialAnswer.NODATA
EXISTING = frozenset(map(wire, ("vn", "com", "local", "168.192.in-addr.arpa")))

TABLE = [
    # RFC 6761
    ("localhost", LOOPBACK, SpecialReason.LOCALHOST),
    ("a.localhost", LOOPBACK, SpecialReason.LOCALHOST),
    ("invalid", NXDOMAIN, SpecialReason.NEVER_DELEGATED),
    ("a.invalid", NXDOMAIN, SpecialReason.NEVER_DELEGATED),
    ("test", NXDOMAIN, SpecialReason.NEVER_DELEGATED),
    ("a.test", NXDOMAIN, SpecialReason.NEVER_DELEGATED),
    # RFC 6762, 7686, 8375, 9476, and what ICANN keeps for private use
    ("printer.local", NXDOMAIN, SpecialReason.NEVER_DELEGATED),
    ("a.onion", NXDOMAIN, SpecialReason.NEVER_DELEGATED),
    ("home.arpa", NXDOMAIN, SpecialReason.NEVER_DELEGATED),
    ("a.home.arpa", NXDOMAIN, SpecialReason.NEVER_DELEGATED),
    ("a.alt", NXDOMAIN, SpecialReason.NEVER_DELEGATED),
    ("a.internal", NXDOMAIN, SpecialReason.NEVER_DELEGATED),
    # RFC 9665
    ("_matter._tcp.default.service.arpa", NXDOMAIN, SpecialReason.NEVER_DELEGATED),
    # single labels, and those that something lies beneath
    ("printer", NXDOMAIN, SpecialReason.SINGLE_LABEL),
    ("vn", NODATA, SpecialReason.SINGLE_LABEL),
    ("local", NODATA, SpecialReason.NEVER_DELEGATED),
    # discovery of proxies and tunnels
    ("wpad", NXDOMAIN, SpecialReason.DISCOVERY),
    ("isatap", NXDOMAIN, SpecialReason.DISCOVERY),
    ("wpad.school.example", NXDOMAIN, SpecialReason.DISCOVERY),
    ("isatap.school.example", NXDOMAIN, SpecialReason.DISCOVERY),
    # canaries
    ("use-application-dns.net", NXDOMAIN, SpecialReason.CANARY),
    ("mask.icloud.com", NXDOMAIN, SpecialReason.CANARY),
    ("dns-tunnel-check.googlezip.net", NXDOMAIN, SpecialReason.CANARY),
    ("mask-h2.icloud.com", NXDOMAIN, SpecialReason.CANARY),
    # RFC 9462
    ("resolver.arpa", NODATA, SpecialReason.ENCRYPTED_DNS_DISCOVERY),
    ("_dns.resolver.arpa", NODATA, SpecialReason.ENCRYPTED_DNS_DISCOVERY),
    ("_dns.dns.example", NODATA, SpecialReason.ENCRYPTED_DNS_DISCOVERY),
]


@pytest.mark.parametrize(("name", "answer", "reason"), TABLE)
@pytest.mark.parametrize("qtype", [A, AAAA, TXT, HTTPS, PTR])
def test_special_name(name: str, answer: SpecialAnswer, reason: SpecialReason, qtype: int) -> None:
    special = judge(wire(name), qtype, EXISTING)
    assert special
    assert (special.answer, special.reason) == (answer, reason)


@pytest.mark.parametrize(
    "name",
    [
        ".",
        "school.example",
        "www.vn",
        "example.com",
        "localhost.example",
        "notlocalhost.example",
        "local.example",
        "xinvalid.example",
        "ipv4only.arpa",
        "170.0.0.192.in-addr.arpa",
        "icloud.com",
        "www.icloud.com",
        "a.wpad.example",
        "mywpad.example",
        "dns.example",
        "in-addr.arpa",
        "ip6.arpa",
    ],
)
def test_ordinary_name(name: str) -> None:
    assert judge(wire(name), A, EXISTING) is None


RFC_6303 = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.2.0/24",
    "192.168.0.0/16",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "255.255.255.255/32",
    "::/128",
    "::1/128",
    "fd00::/8",
    "fe80::/10",
    "2001:db8::/32",
    "100.64.0.0/10",  # RFC 7793
]
"""Every zone of RFC 6303 §4.2 to §4.6 as the range of addresses that it is about."""


@pytest.mark.parametrize("cidr", RFC_6303)
def test_reverse_zone_of_a_private_range(cidr: str) -> None:
    network = ipaddress.ip_network(cidr)
    for address in (network[0], network[-1]):
        special = judge(wire(address.reverse_pointer), PTR)
        assert special
        assert (special.answer, special.reason) == (NXDOMAIN, SpecialReason.PRIVATE_REVERSE)


@pytest.mark.parametrize("cidr", RFC_6303)
def test_reverse_names_beside_a_private_range_are_asked(cidr: str) -> None:
    private = [ipaddress.ip_network(one) for one in RFC_6303]
    network = ipaddress.ip_network(cidr)
    highest = 2**network.max_prefixlen - 1
    for number in (int(network[0]) - 1, int(network[-1]) + 1):
        if 0 <= number <= highest:
            address = type(network[0])(number)
            if not any(address in one for one in private):
                assert judge(wire(address.reverse_pointer), PTR) is None


def test_a_reverse_zone_above_one_of_the_site_is_not_denied() -> None:
    special = judge(wire("168.192.in-addr.arpa"), SOA, EXISTING)
    assert special
    assert special.answer is NODATA


@pytest.mark.parametrize("qtype", [NS, SOA, DS])
def test_what_a_validating_resolver_asks_about_a_top_level_domain_is_asked(qtype: int) -> None:
    assert judge(wire("vn"), qtype, EXISTING) is None
    assert judge(wire("printer"), qtype, EXISTING) is not None
    assert judge(wire("local"), qtype, EXISTING) is not None


@pytest.mark.parametrize("qtype", [A, AAAA, TXT, DS])
def test_localhost_is_the_loopback_for_all_types(qtype: int) -> None:
    special = judge(wire("localhost"), qtype)
    assert special
    assert special.answer is LOOPBACK


def test_a_dot_within_a_label_makes_no_special_name() -> None:
    assert judge(b"\x06a.test\x07example\0", A) is None


def test_a_name_of_the_site_that_is_not_special_is_none_and_localhost_stays_the_loopback() -> None:
    names_there = frozenset((wire("school.example"), wire("localhost")))
    assert judge(wire("school.example"), A, names_there) is None
    special = judge(wire("localhost"), A, names_there)
    assert special is not None
    assert special.answer is LOOPBACK


def test_answers_and_reasons_are_an_interface() -> None:
    assert [one.value for one in SpecialAnswer] == ["loopback", "nxdomain", "nodata"]
    assert [one.value for one in SpecialReason] == [
        *("localhost", "never-delegated", "private-reverse", "single-label", "discovery"),
        *("canary", "encrypted-dns-discovery"),
    ]
