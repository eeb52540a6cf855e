# SPDX-License-Identifier: Apache-2.0
"""Safe search and Restricted Mode: the safe host answers, for every type."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import pytest

from filterd.base.paths import shipped
from filterd.lists.catalogs.catalog import load_catalog
from filterd.policy.engine import Engine
from filterd.policy.model import Audience, Service
from filterd.policy.temporary_rules import LocalException, Overrides, TargetKind
from filterd.policy.verdict import Action, Verdict
from filterd.resolve.site import Site
from tests.support.policies import NOW, a_category, a_pin, allow, an_index, block, wire
from tests.support.serving import GRADE_1, GRADE_11, STAFF, Serving, a_site
from tests.support.upstream import FakeUpstream

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from filterd.lists.index import Index
    from tests.support.policies import ListTexts

REWRITES = load_catalog(shipped("blocklists")).rewrites
LEVELS = {"1": ("on", "strict"), "11": ("on", "moderate")}

TWINS = [
    ("www.google.com", "forcesafesearch.google.com"),
    ("www.google.com.vn", "forcesafesearch.google.com"),
    ("www.bing.com", "strict.bing.com"),
    ("duckduckgo.com", "safe.duckduckgo.com"),
    ("search.brave.com", "safesearch.brave.com"),
    ("ya.ru", "familysearch.yandex.ru"),
    ("www.yandex.com", "familysearch.yandex.ru"),
    ("WWW.Google.com.VN", "forcesafesearch.google.com"),
    ("www.youtube.com", "restrict.youtube.com"),
    ("m.youtube.com", "restrict.youtube.com"),
    ("youtubei.googleapis.com", "restrict.youtube.com"),
]


def a_safe_site(index: Index, upstream: FakeUpstream, **policy: Any) -> Site:
    """Join a school where grade 1 has the strict level, grade 11 the moderate, staff none."""
    site = a_site(index, [upstream], **policy)
    grades = dict(site.policy.grades)
    for grade, (safe_search, youtube) in LEVELS.items():
        grades[grade] = replace(grades[grade], safe_search=safe_search, youtube=youtube)
    return Site.of(
        replace(site.policy, grades=grades, rewrites=REWRITES), index, site.route.servers
    )


@pytest.fixture
def internet(upstream: FakeUpstream) -> FakeUpstream:
    for number, twin in enumerate(sorted({twin for _, twin in TWINS})):
        upstream.add(f"{twin}. 300 IN A 198.18.0.{100 + number}")
        upstream.add(f"{twin}. 300 IN AAAA 2001:2::{100 + number}")
    upstream.add("restrictmoderate.youtube.com. 300 IN A 198.18.0.120")
    for name in {name.lower() for name, _ in TWINS}:
        upstream.add(f"{name}. 300 IN A 198.18.51.1", f"{name}. 300 IN TXT open")
        upstream.add(f"{name}. 300 IN HTTPS 1 . ipv4hint=198.18.51.1")
    return upstream


@pytest.fixture
def safe(index: Index, internet: FakeUpstream) -> Iterator[Serving]:
    with Serving(a_safe_site(index, internet)) as running:
        yield running


def codes(response: dns.message.Message) -> list[int]:
    return [
        int(option.code) for option in response.options if isinstance(option, dns.edns.EDEOption)
    ]


def lines(response: dns.message.Message) -> list[str]:
    return [f"{rrset.name} {rdata}".lower() for rrset in response.answer for rdata in rrset]


def addresses(response: dns.message.Message) -> list[str]:
    return [line.split()[1] for line in lines(response) if not line.endswith(".")]


@pytest.mark.parametrize(("name", "twin"), TWINS)
@pytest.mark.parametrize("rtype", ["A", "AAAA"])
def test_the_twin_answers_with_its_live_addresses(
    safe: Serving, internet: FakeUpstream, name: str, twin: str, rtype: str
) -> None:
    live = internet.records[f"{twin} {rtype}"][0].split()[-1]
    for _ in ("cold", "warm"):
        response = safe.ask(name, rtype, do=True, ad=True)
        assert lines(response) == [f"{name.lower()}. {twin}.", f"{twin}. {live}"]
        assert codes(response) == [4]
        assert not response.flags & (dns.flags.AD | dns.flags.AA)
        assert response.question[0].name.to_text(omit_final_dot=True) == name
    assert internet.asked == [f"{twin} {rtype}"]


@pytest.mark.parametrize(("name", "twin"), TWINS)
def test_nothing_else_leads_around_it(
    safe: Serving, internet: FakeUpstream, name: str, twin: str
) -> None:
    for rtype in ("HTTPS", "SVCB"):
        response = safe.ask(name, rtype)
        assert (response.rcode(), response.answer) == (dns.rcode.NOERROR, [])
        assert codes(response) == [4]
        assert response.authority[0].ttl <= 10
    assert internet.asked == []
    assert lines(safe.ask(name, "TXT")) == [f'{name.lower()}. "open"'], "it says not where"
    assert safe.ask(name, edns=False).edns == -1
    assert twin not in name


@pytest.mark.parametrize(
    ("source", "name", "address"),
    [
        (GRADE_1, "www.youtube.com", "restrict.youtube.com"),
        (GRADE_11, "www.youtube.com", "restrictmoderate.youtube.com"),
        (STAFF, "www.youtube.com", "www.youtube.com"),
        (STAFF, "www.google.com", "www.google.com"),
    ],
)
def test_the_grade_decides_and_the_cache_is_shared(
    safe: Serving, internet: FakeUpstream, source: str, name: str, address: str
) -> None:
    expected = internet.records[f"{address} A"][0].split()[-1]
    for other in (STAFF, GRADE_1, GRADE_11):
        safe.ask(name, source=other)
    assert addresses(safe.ask(name, source=source)) == [expected]


def test_control_without_the_safeguard_the_open_service_would_answer(
    safe: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    decide = Engine.decide

    def without(*asked: Any) -> Verdict:
        verdict = decide(*asked)
        return verdict._replace(action=Action.PASS, target=None) if verdict.target else verdict

    monkeypatch.setattr(Engine, "decide", without)
    assert addresses(safe.ask("www.google.com")) == ["198.18.51.1"]


def test_a_name_beneath_or_beside_is_itself(safe: Serving, internet: FakeUpstream) -> None:
    for name in ("mail.google.com", "a.www.google.com", "google.com", "i.ytimg.com"):
        internet.add(f"{name}. 300 IN A 198.18.51.9")
        assert addresses(safe.ask(name)) == ["198.18.51.9"]


STREAMING = {"streaming": a_category("streaming", 16)}


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ({}, []),
        ({"rules": [allow("youtube.com")]}, ["twin"]),
        ({"rules": [allow("www.youtube.com")]}, ["twin"]),
        ({"rules": [allow("youtube.com"), block("www.youtube.com")]}, []),
        ({"pins": [a_pin("www.youtube.com")]}, ["itself"]),
    ],
    ids=["closed", "opened", "opened by its own name", "closed again", "pinned"],
)
def test_a_block_goes_before_and_an_opened_service_keeps_the_level(
    tmp_path: Path, internet: FakeUpstream, policy: dict[str, Any], expected: list[str]
) -> None:
    index = an_index(tmp_path, {"tube": ("streaming", "domains", True, ["youtube.com"])})
    twin = internet.records["restrict.youtube.com A"][0].split()[-1]
    words = {twin: "twin", "198.18.51.1": "itself"}
    site = a_safe_site(index, internet, categories=STREAMING, **policy)
    with Serving(site) as serving:
        assert [words[address] for address in addresses(serving.ask("www.youtube.com"))] == expected


@pytest.mark.parametrize(
    ("kind", "target"),
    [
        (TargetKind.SERVICE, "tube"),
        (TargetKind.CATEGORY, "streaming"),
        (TargetKind.NAME, "youtube.com"),
    ],
)
def test_what_a_command_opens_keeps_the_level_of_the_tier(
    tmp_path: Path, internet: FakeUpstream, kind: TargetKind, target: str
) -> None:
    index = an_index(tmp_path, {"service:tube": ("streaming", "domains", True, ["youtube.com"])})
    site = a_safe_site(index, internet, categories=STREAMING)
    service = Service("tube", "Tube", "Tube", "streaming", None, (wire("youtube.com"),))
    policy = replace(site.timed.policy, services={"tube": service})
    opened = LocalException(
        1, kind, target, True, Audience.GRADE, "1", "bài giảng", "lan", NOW, NOW + 2700
    )
    twin = internet.records["restrict.youtube.com A"][0].split()[-1]
    for overrides, expected in ((Overrides(), []), (Overrides((opened,), number=1), [twin])):
        timed = Site.of(policy, index, site.route.servers, overrides=overrides, now=NOW)
        with Serving(timed) as serving:
            answers = [addresses(serving.ask("www.youtube.com")) for _ in range(2)]
            assert answers == [expected] * 2
            assert addresses(serving.ask("www.youtube.com", source="127.0.2.1")) == []


def test_where_the_twin_cannot_be_had_nothing_is(index: Index) -> None:
    refusing = FakeUpstream(respond=servfail)
    with refusing, Serving(a_safe_site(index, refusing)) as serving:
        response = serving.ask("www.google.com")
    assert (response.rcode(), response.answer) == (dns.rcode.SERVFAIL, [])
    assert set(refusing.asked) == {"forcesafesearch.google.com A"}


def servfail(query: dns.message.Message) -> dns.message.Message:
    response = dns.message.make_response(query)
    response.set_rcode(dns.rcode.SERVFAIL)
    return response


@pytest.mark.parametrize("before", ["open", "safe"])
def test_a_reload_holds_for_queries_that_already_wait(
    index: Index, internet: FakeUpstream, before: str
) -> None:
    sites = {"open": a_site(index, [internet]), "safe": a_safe_site(index, internet)}
    after = "safe" if before == "open" else "open"
    internet.released.clear()
    with Serving(sites[before]) as serving, serving.stub() as stub:
        stub.send(dns.message.make_query("www.google.com", "A").to_wire())
        internet.wait_until_asked()
        serving.run(lambda: setattr(serving.sites, "current", sites[after]))
        internet.released.set()
        found = addresses(dns.message.from_wire(stub.receive()))
    assert (found == ["198.18.51.1"]) is (after == "open")


def test_a_twin_that_is_blocked_is_no_way_around_the_block(
    tmp_path: Path, internet: FakeUpstream
) -> None:
    lists: ListTexts = {"all": ("porn", "domains", True, ["strict.bing.com"])}
    with Serving(a_safe_site(an_index(tmp_path, lists), internet)) as serving:
        assert serving.ask("www.bing.com").answer == []
        assert addresses(serving.ask("duckduckgo.com"))


def test_aliases_of_a_twin_are_judged(index: Index, internet: FakeUpstream) -> None:
    del internet.records["strict.bing.com A"]
    internet.add("strict.bing.com. 300 IN CNAME tracker.example.")
    internet.add("tracker.example. 300 IN A 198.18.0.9")
    with Serving(a_safe_site(index, internet)) as serving:
        assert serving.ask("www.bing.com").answer == []
