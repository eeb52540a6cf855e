# SPDX-License-Identifier: Apache-2.0
"""Special-use names never leave the school."""

from __future__ import annotations

from ipaddress import ip_network
from typing import TYPE_CHECKING

import dns.name
import dns.rcode
import dns.rrset
import pytest

from filterd.resolve import special_use
from tests.support.serving import Serving, a_site

if TYPE_CHECKING:
    from typing import TypeAlias

    from filterd.lists.index import Index
    from tests.support.upstream import FakeUpstream

    Said: TypeAlias = tuple[dns.rcode.Rcode, list[dns.rrset.RRset]]

pytestmark = pytest.mark.usefixtures("patient")

PRIVATE_REVERSE = [
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "0.0.0.0/8",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "192.0.2.0/24",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "255.255.255.255/32",
    "100.64.0.0/10",
    "::/128",
    "::1/128",
    "fd00::/8",
    "fe80::/10",
    "2001:db8::/32",
]
"""RFC 6303 §4, and RFC 7793."""

NXDOMAIN: Said = (dns.rcode.NXDOMAIN, [])
NODATA: Said = (dns.rcode.NOERROR, [])
NEVER_LEAVE = [
    *(
        (f"{prefix}{name}", NXDOMAIN)
        for name in (
            *("test", "invalid", "onion", "alt", "local", "internal"),
            *("home.arpa", "service.arpa"),
        )
        for prefix in ("", "a.", "a.b.c.")
    ),
    *(
        (ip_network(cidr)[at].reverse_pointer, NXDOMAIN)
        for cidr in PRIVATE_REVERSE
        for at in (0, -1)
    ),
    *((name, NXDOMAIN) for name in ("printer", "xn--my-in-2ib", "intranet", "nosuchtld")),
    *((name, NXDOMAIN) for name in ("wpad", "isatap", "wpad.truong.edu.vn", "isatap.example.com")),
    *((name, NXDOMAIN) for name in ("use-application-dns.net", "mask.icloud.com")),
    *((name, NXDOMAIN) for name in ("mask-h2.icloud.com", "mask-canary.icloud.com")),
    *((name, NODATA) for name in ("resolver.arpa", "_dns.resolver.arpa", "_dns.example.com")),
    *((name, NODATA) for name in ("vn", "com", "arpa")),
]


@pytest.mark.parametrize("rtype", ["A", "AAAA", "HTTPS", "SVCB", "PTR", "TXT"])
def test_names_that_never_leave(index: Index, upstream: FakeUpstream, rtype: str) -> None:
    with Serving(a_site(index, [upstream], top_level=["vn", "com", "arpa"])) as serving:
        said = {name: serving.ask(name, rtype) for name, _ in NEVER_LEAVE}
    seen = {name: (one.rcode(), one.answer) for name, one in said.items()}
    assert seen == dict(NEVER_LEAVE)
    for name, response in said.items():
        (soa,) = response.authority
        assert dns.name.from_text(name).is_subdomain(soa.name)
    assert upstream.asked == []


@pytest.mark.parametrize("name", ["localhost", "a.localhost", "LOCALHOST"])
def test_localhost_is_this_device(serving: Serving, upstream: FakeUpstream, name: str) -> None:
    addresses = [
        rdata.to_text()
        for rtype in ("A", "AAAA")
        for rrset in serving.ask(name, rtype).answer
        for rdata in rrset
    ]
    assert addresses == ["127.0.0.1", "::1"]
    assert serving.ask(name, "MX").rcode() == dns.rcode.NOERROR
    assert upstream.asked == []


@pytest.mark.parametrize(
    "name", ["ipv4only.arpa", "example.com", "www.local.example", "x.arpa", "a.wpad.example"]
)
def test_names_that_look_alike_are_asked(
    serving: Serving, upstream: FakeUpstream, name: str
) -> None:
    serving.ask(name)
    assert upstream.asked == [f"{name} A"]


def test_control_without_the_safeguard_all_of_them_would_leave(
    serving: Serving, upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(special_use, "judge", lambda *_: None)
    for name, _ in NEVER_LEAVE:
        serving.ask(name)
    assert len(upstream.asked) == len({name for name, _ in NEVER_LEAVE})
