# SPDX-License-Identifier: Apache-2.0
"""The form of a block, for every type of every kind of name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import pytest

from filterd.base.paths import shipped
from filterd.lists.catalogs.catalog import load_catalog
from filterd.policy.model import BlockResponse
from filterd.policy.name_rules import Overlay
from tests.support.policies import a_category, allow, an_index, block
from tests.support.serving import GRADE_1, STAFF, Serving, a_site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from filterd.lists.index import Index
    from tests.support.policies import ListTexts
    from tests.support.upstream import FakeUpstream

LISTS: ListTexts = {
    "subtree": ("porn", "domains", False, ["whole.example", "above.example"]),
    "exact": ("porn", "hosts", False, ["0.0.0.0 host.example", "0.0.0.0 both.example"]),
    "second": ("porn", "domains", False, ["both.example"]),
    "adblock": (
        "malware",
        "adblock",
        True,
        ["||typed.example^$dnstype=A", "||spare.example^$denyallow=a.spare.example"],
    ),
    "spared": ("social-media", "adblock", True, ["||chat.example^", "@@||ok.chat.example^"]),
}
RULES = [allow("open.above.example"), allow("deep.down.beneath.example"), block("beneath.example")]

QTYPES = ["A", "AAAA", "HTTPS", "SVCB", "TXT", "MX", "NS", "SOA", "DS", "CNAME", "ANY", "TYPE65280"]

NXDOMAIN, NODATA = dns.rcode.NXDOMAIN, dns.rcode.NOERROR
LOOKS = {
    "whole.example": NXDOMAIN,
    "www.whole.example": NXDOMAIN,
    # only an exact-host entry names it
    "host.example": NODATA,
    # an exact-host entry, and one that covers what is beneath
    "both.example": NXDOMAIN,
    # something beneath it is allowed, locked category or not
    "above.example": NODATA,
    "x.above.example": NXDOMAIN,
    "beneath.example": NODATA,
    "down.beneath.example": NODATA,
    "up.beneath.example": NXDOMAIN,
    # an exception of the list beneath it
    "chat.example": NODATA,
    "www.chat.example": NXDOMAIN,
    # a denyallow beneath it, and its siblings
    "spare.example": NODATA,
    "www.spare.example": NXDOMAIN,
}


@pytest.fixture(scope="module")
def lists(tmp_path_factory: pytest.TempPathFactory) -> Index:
    return an_index(tmp_path_factory.mktemp("blocks"), LISTS)


def blocking(lists: Index, upstream: FakeUpstream, **policy: Any) -> Serving:
    return Serving(a_site(lists, [upstream], rules=RULES, **policy))


@pytest.fixture
def strict(lists: Index, upstream: FakeUpstream) -> Iterator[Serving]:
    with blocking(lists, upstream) as running:
        yield running


def codes(response: dns.message.Message) -> list[int]:
    return [
        int(option.code) for option in response.options if isinstance(option, dns.edns.EDEOption)
    ]


@pytest.mark.parametrize(("name", "rcode"), LOOKS.items())
def test_one_result_for_all_types_of_a_name(
    strict: Serving, upstream: FakeUpstream, name: str, rcode: dns.rcode.Rcode
) -> None:
    for qtype in QTYPES:
        response = strict.ask(name, dns.rdatatype.from_text(qtype))
        assert (response.rcode(), response.answer, response.additional) == (rcode, [], []), qtype
        (soa,) = response.authority
        assert dns.name.from_text(name).is_subdomain(soa.name)
        assert min(soa.ttl, soa[0].minimum) <= 10
        assert response.flags & dns.flags.RA
        assert not response.flags & (dns.flags.AA | dns.flags.AD)
        assert codes(response) in ([15], [17])
    assert upstream.asked == []


def test_an_entry_for_one_type_blocks_that_type_and_denies_nothing(
    strict: Serving, upstream: FakeUpstream
) -> None:
    upstream.add("typed.example. 300 IN TXT x")
    blocked = strict.ask("typed.example")
    assert (blocked.rcode(), blocked.answer) == (NODATA, [])
    assert strict.ask("typed.example", "TXT").answer


@pytest.mark.parametrize("name", ["open.above.example", "deep.down.beneath.example"])
def test_control_a_denial_above_would_deny_what_is_allowed_beneath(
    lists: Index, upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """RFC 8020: a resolver behind us may answer for a whole subtree from one NXDOMAIN."""
    parent = name.partition(".")[2]
    for safe in (True, False):
        if not safe:
            monkeypatch.setattr(Overlay, "has_allowed_beneath", lambda *_: False)
        with blocking(lists, upstream) as serving:
            assert (serving.ask(parent).rcode() == NXDOMAIN) is not safe


@pytest.mark.parametrize("qtype", QTYPES)
@pytest.mark.parametrize("name", LOOKS)
def test_a_sinkhole_has_addresses_and_nothing_else(
    lists: Index, upstream: FakeUpstream, name: str, qtype: str
) -> None:
    with blocking(lists, upstream, response=BlockResponse.SINKHOLE) as serving:
        response = serving.ask(name, dns.rdatatype.from_text(qtype))
    assert response.rcode() == NODATA
    found = [rdata.to_text() for rrset in response.answer for rdata in rrset]
    assert found == {"A": ["0.0.0.0"], "AAAA": ["::"]}.get(qtype, [])
    assert all(rrset.ttl <= 10 for rrset in response.answer)


@pytest.mark.parametrize("response", BlockResponse)
@pytest.mark.parametrize("qtype", ["A", "AAAA", "HTTPS"])
def test_outside_resolvers_are_never_sinkholed_refused_or_passed_over_in_silence(
    tmp_path: Path, upstream: FakeUpstream, response: BlockResponse, qtype: str
) -> None:
    categories = {"encrypted-dns": a_category("encrypted-dns", 18, sinkhole=False)}
    lists: ListTexts = {"doh": ("encrypted-dns", "domains", True, ["dns.example"])}
    site = a_site(an_index(tmp_path, lists), [upstream], categories=categories, response=response)
    with Serving(site) as serving:
        for name in ("dns.example", "use-application-dns.net", "mask.icloud.com"):
            said = serving.ask(name, qtype)
            assert said.rcode() in (NXDOMAIN, NODATA)
            assert said.answer == []
    assert upstream.asked == []


@pytest.mark.parametrize(
    ("name", "source", "code"),
    [
        ("whole.example", GRADE_1, 17),
        ("chat.example", GRADE_1, 17),
        ("www.spare.example", STAFF, 15),
        ("beneath.example", STAFF, 15),
    ],
)
def test_a_danger_and_a_word_of_the_school_are_blocked_the_rest_is_filtered(
    strict: Serving, name: str, source: str, code: int
) -> None:
    assert codes(strict.ask(name, source=source)) == [code]
    silent = strict.ask(name, source=source, edns=False)
    assert (silent.edns, silent.options) == (-1, ())


PROBES = [
    "captive.apple.com",
    "www.apple.com",
    "connectivitycheck.gstatic.com",
    "connectivitycheck.android.com",
    "clients3.google.com",
    "play.googleapis.com",
    "www.msftconnecttest.com",
    "ipv6.msftconnecttest.com",
    "www.msftncsi.com",
    "dns.msftncsi.com",
    "detectportal.firefox.com",
]
TIERS = ["127.0.101.1", GRADE_1, "127.0.6.1", "127.0.11.1", STAFF, "127.0.102.1", "127.0.0.1"]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Index:
    """Return an index that lists the domains of every probe, and even the probes."""
    parents = {name.split(".", 1)[1] for name in PROBES}
    lists: ListTexts = {"all": ("porn", "domains", True, [*sorted(parents), *PROBES])}
    return an_index(tmp_path_factory.mktemp("hostile"), lists)


@pytest.mark.parametrize("pinned", [True, False])
def test_devices_find_out_whether_they_are_on_the_internet_in_every_tier(
    hostile: Index, upstream: FakeUpstream, pinned: bool
) -> None:
    for name in PROBES:
        upstream.add(f"{name}. 300 IN A 198.18.0.80", f"{name}. 300 IN AAAA 2001:2::80")
    pins = load_catalog(shipped("blocklists")).pins if pinned else ()
    rules = [block(name) for name in PROBES]  # a site cannot do it either
    with Serving(a_site(hostile, [upstream], pins=pins, rules=rules)) as serving:
        for source in TIERS:
            for name in PROBES:
                for qtype in ("A", "AAAA"):
                    answer = serving.ask(name, qtype, source=source).answer
                    assert bool(answer) is pinned, "the control: without pins they are blocked"
