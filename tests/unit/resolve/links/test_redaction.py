# SPDX-License-Identifier: Apache-2.0
"""Resolutions changed for one client: only the requested part is gone."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import dns.message
import dns.rdatatype
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filterd.policy.model import LocalZone
from filterd.policy.verdict import Action, Verdict
from filterd.resolve.links.filter import behind_alias
from filterd.resolve.links.redaction import (
    Ech,
    Rebinding,
    leads_home,
    without_ech,
    without_private,
)
from filterd.resolve.query import Answer, Query, Source
from filterd.resolve.site import Site
from filterd.upstream import Resolution, UpstreamQuestion
from filterd.upstream.resolution import resolution_of
from filterd.wire import EdeCode, Question, assemble, parse_query, parse_response
from filterd.wire import name as names
from tests.support.chain import FORWARDED, a_chain_query, answer_of
from tests.support.policies import wire
from tests.support.serving import GRADE_1, GRADE_11, a_site
from tests.support.wire import a_message, a_query, a_record, a_response

if TYPE_CHECKING:
    from filterd.lists.index import Index

NAME = "www.example.com"
SIGNATURE = "3 300 20300101000000 20200101000000 1 example.com aGVsbG8="


def resolve(*answers: str, qtype: str = "A", do: bool = True) -> Resolution:
    response = parse_response(a_response(a_query(NAME, qtype), *answers))
    rdtype = dns.rdatatype.from_text(qtype)
    return resolution_of(response, UpstreamQuestion(wire(NAME), rdtype, do=do, cd=False))


def question(qtype: str = "A", name: str = NAME) -> Question:
    return Question.of(wire(name), dns.rdatatype.from_text(qtype))


def records(resolution: Resolution | None, qtype: str = "A", name: str = NAME) -> list[str]:
    """Return the answer that a client would get, a line a record."""
    assert resolution is not None
    query = parse_query(a_query(name, qtype))
    message = dns.message.from_wire(assemble(query, resolution.sections, resolution.rcode))
    return [
        f"{rrset.name.to_text(omit_final_dot=True)} {rrset.ttl} "
        f"{dns.rdatatype.to_text(rrset.rdtype)} {rdata.to_text()}"
        for rrset in message.answer
        for rdata in rrset
    ]


@pytest.mark.parametrize("name", ["EXAMPLE.com", "www.EXAMPLE.com"])
def test_only_the_private_addresses_go(name: str) -> None:
    alias = [f"{NAME} 300 CNAME {name}"] if name.lower() != NAME else []
    public, private = f"{name} 60 A 198.18.0.1", f"{name} 60 A 10.0.0.1"
    changed = without_private(resolve(*alias, public, private), question())
    assert [line.lower() for line in records(changed)] == [
        line.lower().replace("cname example.com", "cname example.com.") for line in (*alias, public)
    ]


def test_nothing_is_left_of_private_addresses_alone() -> None:
    alias = f"{NAME} 300 CNAME a.example.net"
    assert without_private(resolve(f"{NAME} 60 A 10.0.0.1"), question()) is None
    assert without_private(resolve(alias, "a.example.net 60 A 127.0.0.1"), question()) is None


@pytest.mark.parametrize("hint", ["ipv4hint=10.0.0.1", "ipv6hint=fe80::1"])
def test_a_service_binding_with_a_private_hint_goes_whole(hint: str) -> None:
    good, bad = f"{NAME} 60 HTTPS 1 . alpn=h2", f"{NAME} 60 HTTPS 2 . alpn=h2 {hint}"
    changed = without_private(resolve(good, bad, qtype="HTTPS"), question("HTTPS"))
    assert records(changed, "HTTPS") == [f'{NAME} 60 HTTPS 1 . alpn="h2"']


def test_signatures_go_with_what_they_signed_and_no_others() -> None:
    resolution = resolve(
        f"{NAME} 300 CNAME a.example.net",
        f"{NAME} 300 RRSIG CNAME 13 {SIGNATURE}",
        "a.example.net 60 A 198.18.0.1",
        "a.example.net 60 A 10.0.0.1",
        f"a.example.net 60 RRSIG A 13 {SIGNATURE}",
    )
    lines = [line.split()[0] + " " + line.split()[2] for line in records(resolution)]
    assert lines.count("a.example.net RRSIG") == 1
    changed = records(without_private(resolution, question()))
    lines = [line.split()[0] + " " + line.split()[2] for line in changed]
    assert lines == [f"{NAME} CNAME", f"{NAME} RRSIG", "a.example.net A"]


def test_what_was_changed_is_not_authentic_any_more() -> None:
    resolution = resolve(f"{NAME} 60 A 198.18.0.1", f"{NAME} 60 A 10.0.0.1")
    changed = without_private(resolution, question())
    assert changed is not None
    assert (changed.authentic, changed.private, changed.ttl_s) == (False, False, 60)


def test_the_key_goes_and_the_rest_of_the_record_stays() -> None:
    line = f'{NAME} 60 HTTPS 1 . mandatory=alpn,ech alpn=h2 ech="AARhYmNk" ipv4hint=198.18.0.1'
    resolution = resolve(line, f"{NAME} 60 RRSIG HTTPS 13 {SIGNATURE}", qtype="HTTPS")
    assert resolution.ech
    changed = without_ech(resolution, question("HTTPS"))
    assert not changed.ech
    assert records(changed, "HTTPS") == [
        f'{NAME} 60 HTTPS 1 . mandatory="alpn" alpn="h2" ipv4hint="198.18.0.1"'
    ]


def test_a_record_that_cannot_be_mended_goes_with_its_rrset() -> None:
    rdata = b"\0\1\0" + b"\0\0\0\1\5" + b"\0\5\0\1\0"  # mandatory of one octet
    good = b"\0\1\0"
    asked = a_query(NAME, "HTTPS")
    message = a_message(
        asked[12:-11] + a_record(good, rtype=65) + a_record(rdata, rtype=65),
        flags=0x8180,
        ancount=2,
    )
    upstream_question = UpstreamQuestion(wire(NAME), 65, do=False, cd=False)
    resolution = resolution_of(parse_response(message), upstream_question)
    assert records(without_ech(resolution, question("HTTPS")), "HTTPS") == []


def test_an_answer_may_stand_behind_an_alias_of_another_name() -> None:
    resolution = resolve(
        f"{NAME} 300 CNAME a.example.com",
        "a.example.com 60 A 198.18.0.1",
        f"a.example.com 60 RRSIG A 13 {SIGNATURE}",
    )
    changed = behind_alias(resolution, question(), question(name="shop.example.com"), 90)
    assert records(changed, name="shop.example.com") == [
        f"shop.example.com 90 CNAME {NAME}.",
        f"{NAME} 300 CNAME a.example.com.",
        "a.example.com 60 A 198.18.0.1",
    ]


SERVICES = st.lists(st.binary(max_size=60), min_size=1, max_size=3)


@given(SERVICES, st.sampled_from([64, 65]))
def test_whatever_an_upstream_sends_the_changes_never_fail(rdatas: list[bytes], qtype: int) -> None:
    asked = Question.of(wire(NAME), qtype)
    records = b"".join(a_record(b"\0\1\0" + rdata, rtype=qtype) for rdata in rdatas)
    message = a_message(asked.wire + records, flags=0x8180, ancount=len(rdatas))
    resolution = resolution_of(
        parse_response(message), UpstreamQuestion(wire(NAME), qtype, do=False, cd=False)
    )
    assert not without_ech(resolution, asked).ech
    left = without_private(resolution, asked)
    assert left is None or not left.private
    alias = Question.of(wire("shop.example.org"), qtype)
    changed = behind_alias(resolution, asked, alias, 5)
    assert changed.sections.ancount == resolution.sections.ancount + 1


BOTH = [f"{NAME} 300 A 198.18.0.1", f"{NAME} 300 A 10.0.0.1"]


def a_resolution(*answers: str) -> Resolution:
    response = parse_response(a_response(a_query(NAME), *answers))
    return resolution_of(response, UpstreamQuestion(wire(NAME), 1, do=False, cd=False))


def a_site_that_lets(index: Index, *names: str) -> Site:
    site = a_site(index)
    allowed = tuple(map(wire, names))
    return Site.of(replace(site.policy, private_answers=allowed), index, site.route.servers)


def answer_for(site: Site, *answers: str) -> Answer:
    found = Answer(Source.CACHED, Verdict(Action.PASS), resolution=a_resolution(*answers))

    async def cached(_: Query) -> Answer:
        return found

    return answer_of(Rebinding(), a_chain_query(site), cached)


def test_an_answer_of_the_internet_is_sent_as_it_is(index: Index) -> None:
    answer = answer_for(a_site(index), BOTH[0])
    assert (answer.source, answer.resolution) == (Source.CACHED, a_resolution(BOTH[0]))


def test_the_public_part_of_a_mixed_answer_is_sent_and_marked(index: Index) -> None:
    resolution = answer_for(a_site(index), *BOTH).resolution
    assert resolution is not None
    assert resolution.sections == a_resolution(BOTH[0]).sections
    assert [ede.code for ede in resolution.edes] == [EdeCode.BLOCKED]


def test_a_private_answer_is_a_block(index: Index) -> None:
    answer = answer_for(a_site(index), BOTH[1])
    assert (answer.source, answer.by_target, answer.resolution) == (Source.BLOCKED, True, None)
    assert answer.verdict == Verdict(Action.NODATA)


@pytest.mark.parametrize(
    ("allowed", "source"),
    [
        ("www.example.com", Source.CACHED),
        ("example.com", Source.CACHED),
        ("a.www.example.com", Source.BLOCKED),
        ("ww.example.com", Source.BLOCKED),
    ],
)
def test_the_site_may_let_a_name_lead_home(index: Index, allowed: str, source: Source) -> None:
    assert answer_for(a_site_that_lets(index, allowed), BOTH[1]).source is source


def test_the_site_by_which_the_answer_was_judged_decides(index: Index) -> None:
    before, after = a_site_that_lets(index, NAME), a_site(index)

    async def waited(_: Query) -> Answer:
        readmitted = a_chain_query(after)
        resolution = a_resolution(BOTH[1])
        return Answer(Source.FORWARDED, resolution=resolution, readmitted=readmitted)

    assert answer_of(Rebinding(), a_chain_query(before), waited).source is Source.BLOCKED


def test_an_answer_without_an_upstream_passes(index: Index) -> None:
    assert answer_of(Rebinding(), a_chain_query(a_site(index))) is FORWARDED


def a_home_site(*, may_know: bool = True) -> Any:
    zone = names.from_text("lan.school.edu.vn")

    def name_over(target: bytes) -> bytes | None:
        return zone if names.is_at_or_beneath(target, zone) else None

    return SimpleNamespace(
        may_know=lambda _: may_know,
        zones=SimpleNamespace(name_over=name_over),
        policy=SimpleNamespace(lease_zone=None),
        existing=frozenset(),
    )


@pytest.mark.parametrize(
    ("qname", "target", "leads"),
    [
        ("www.school.edu.vn", "web.lan.school.edu.vn", False),
        ("www.other.edu.vn", "web.lan.school.edu.vn", True),
        ("www.example.com", "web.lan.school.edu.vn", True),
        ("www.example.com", "localhost", True),
        ("www.example.com", "cdn.example.net", False),
    ],
)
def test_an_alias_of_another_domain_leads_home(qname: str, target: str, leads: bool) -> None:
    asked = names.from_text(qname), names.from_text(target)
    assert leads_home(a_home_site(), *asked) is leads
    assert not leads_home(a_home_site(may_know=False), *asked)


def a_site_that_strips(index: Index, grade: str) -> Site:
    site = a_site(index)
    grades = dict(site.policy.grades)
    grades[grade] = replace(grades[grade], strip_ech=True)
    return Site.of(replace(site.policy, grades=grades), index, site.route.servers)


def keys_of(site: Site, address: str, data: str) -> bool:
    response = parse_response(a_response(a_query(NAME, "HTTPS"), f"{NAME} 300 HTTPS {data}"))
    question = UpstreamQuestion(wire(NAME), 65, do=False, cd=False)
    found = Answer(Source.CACHED, resolution=resolution_of(response, question))

    async def cached(_: Query) -> Answer:
        return found

    query = a_chain_query(site, NAME, "HTTPS", address=address)
    resolution = answer_of(Ech(), query, cached).resolution
    assert resolution is not None
    return b"abcd" in resolution.sections.body


@pytest.mark.parametrize(("address", "gets_keys"), [(GRADE_1, False), (GRADE_11, True)])
def test_the_grade_decides(index: Index, address: str, gets_keys: bool) -> None:
    site = a_site_that_strips(index, "1")
    assert keys_of(site, address, '1 . ech="AARhYmNk"') is gets_keys


def test_a_binding_without_keys_is_not_touched(index: Index) -> None:
    assert keys_of(a_site_that_strips(index, "1"), GRADE_1, "1 . key65333=abcd")


def test_an_answer_without_a_resolution_keeps_its_keys(index: Index) -> None:
    assert answer_of(Ech(), a_chain_query(a_site(index))) is FORWARDED


def test_an_answer_that_leads_home_is_a_block_though_a_part_is_public(index: Index) -> None:
    site = a_site(index)
    zone = LocalZone(wire("lan.other.example"), ())
    home = Site.of(replace(site.policy, local_zones=(zone,)), index, site.route.servers)
    answers = (f"{NAME} 300 CNAME web.lan.other.example", "web.lan.other.example 300 A 198.18.0.1")
    assert answer_for(home, *answers).source is Source.BLOCKED
    assert answer_for(site, *answers).source is Source.CACHED


def test_a_block_for_a_private_answer_ends_when_the_verdict_ends(index: Index) -> None:
    found = Answer(
        Source.CACHED, Verdict(Action.PASS, valid_until=9.0), resolution=a_resolution(BOTH[1])
    )

    async def cached(_: Query) -> Answer:
        return found

    answer = answer_of(Rebinding(), a_chain_query(a_site(index)), cached)
    assert answer.verdict == Verdict(Action.NODATA, valid_until=9.0)


def test_what_is_sent_without_keys_is_not_authentic_any_more(index: Index) -> None:
    site = a_site_that_strips(index, "1")
    data = f'{NAME} 300 HTTPS 1 . ech="AARhYmNk"'
    response = parse_response(a_response(a_query(NAME, "HTTPS"), data))
    question = UpstreamQuestion(wire(NAME), 65, do=False, cd=False)
    resolution = resolution_of(response, question)._replace(authentic=True)

    async def cached(_: Query) -> Answer:
        return Answer(Source.CACHED, resolution=resolution)

    query = a_chain_query(site, NAME, "HTTPS", address=GRADE_1)
    left = answer_of(Ech(), query, cached).resolution
    assert left is not None
    assert (left.authentic, left.ech) == (False, False)


@pytest.mark.parametrize(
    ("target", "leads"),
    [("pc.lan.example.net", True), ("lan.example.net", True), ("www.example.net", False)],
)
def test_an_alias_into_the_zone_of_leases_leads_home(target: str, leads: bool) -> None:
    site = a_home_site()
    site.policy.lease_zone = wire("lan.example.net")
    assert leads_home(site, wire("www.example.com"), wire(target)) is leads


def test_what_is_left_of_an_authentic_answer_is_not_authentic() -> None:
    resolution = resolve(f"{NAME} 60 A 198.18.0.1", f"{NAME} 60 A 10.0.0.1")
    changed = without_private(resolution._replace(authentic=True), question())
    assert changed is not None
    assert not changed.authentic


def test_a_record_that_begins_as_a_signature_would_stays() -> None:
    """The priority 65 stands where a signature over HTTPS, type 65, names its type."""
    good, bad = f"{NAME} 60 HTTPS 65 . alpn=h2", f"{NAME} 60 HTTPS 2 . ipv4hint=10.0.0.1"
    changed = without_private(resolve(good, bad, qtype="HTTPS"), question("HTTPS"))
    assert records(changed, "HTTPS") == [f'{NAME} 60 HTTPS 65 . alpn="h2"']


@pytest.mark.parametrize(
    ("zone", "qname", "leads"),
    [
        ("school.edu.vn", "www.school.edu.vn", False),
        ("edu.vn", "www.edu.vn", True),
    ],
)
def test_one_owner_is_who_registered_the_common_name(zone: str, qname: str, leads: bool) -> None:
    site = a_home_site()
    site.zones.name_over = lambda _: wire(zone)
    assert leads_home(site, wire(qname), wire(f"web.{zone}")) is leads


def test_a_zone_of_the_site_counts_beside_that_of_leases() -> None:
    site = a_home_site()
    site.policy.lease_zone = wire("lan.example.net")
    assert leads_home(site, wire("www.example.com"), wire("web.lan.school.edu.vn"))


def test_a_special_name_that_is_of_no_network_leads_nowhere() -> None:
    target = wire("use-application-dns.net")
    assert not leads_home(a_home_site(), wire("www.example.com"), target)


def test_a_name_that_no_one_can_register_has_no_owner() -> None:
    site, zone = a_home_site(), b"\x02\xff\xfe" + wire("school.edu.vn")
    site.zones.name_over = lambda _: zone
    assert leads_home(site, b"\x03www" + zone, b"\x03web" + zone)


def test_an_alias_to_nothing_is_no_block(index: Index) -> None:
    alias = f"{NAME} 300 CNAME cdn.example.net"
    answer = answer_for(a_site(index), alias)
    assert (answer.source, answer.resolution) == (Source.CACHED, a_resolution(alias))


def test_a_link_leaves_alone_what_it_does_not_change() -> None:
    asked = UpstreamQuestion(wire(NAME), 1, do=False, cd=False)
    public, private = a_resolution(BOTH[0]), a_resolution(*BOTH)
    assert [Rebinding().leaves_alone(asked, one) for one in (public, private)] == [True, False]
    keys = f'{NAME} 300 HTTPS 1 . ech="AARhYmNk"'
    with_keys = resolve(keys, qtype="HTTPS")
    assert [Ech().leaves_alone(asked, one) for one in (public, with_keys)] == [True, False]


def test_the_grade_by_which_the_answer_was_judged_gets_no_keys(index: Index) -> None:
    site = a_site_that_strips(index, "1")
    resolution = resolve(f'{NAME} 300 HTTPS 1 . ech="AARhYmNk"', qtype="HTTPS", do=False)
    readmitted = a_chain_query(site, NAME, "HTTPS", address=GRADE_1)

    async def waited(_: Query) -> Answer:
        return Answer(Source.FORWARDED, resolution=resolution, readmitted=readmitted)

    query = a_chain_query(site, NAME, "HTTPS", address=GRADE_11)
    left = answer_of(Ech(), query, waited).resolution
    assert left is not None
    assert not left.ech


def test_an_answer_without_keys_is_sent_as_it_is(index: Index) -> None:
    site = a_site_that_strips(index, "1")
    resolution = resolve(f"{NAME} 300 HTTPS 1 . alpn=h2", qtype="HTTPS", do=False)
    found = Answer(Source.CACHED, resolution=resolution._replace(authentic=True))

    async def cached(_: Query) -> Answer:
        return found

    query = a_chain_query(site, NAME, "HTTPS", address=GRADE_1)
    assert answer_of(Ech(), query, cached) is found


def test_an_alias_to_a_name_above_a_zone_of_the_site_leads_nowhere() -> None:
    site = a_home_site()
    above = wire("school.local")
    assert leads_home(site, wire("www.example.com"), above)
    site.existing = frozenset((above,))
    assert not leads_home(site, wire("www.example.com"), above)
