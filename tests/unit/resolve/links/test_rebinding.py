# SPDX-License-Identifier: Apache-2.0
"""Private addresses of public names are taken out on the way to the client."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from filterd.policy.verdict import Action, Verdict
from filterd.resolve.links.rebinding import Rebinding, leads_home
from filterd.resolve.query import Answer, Query, Source
from filterd.resolve.site import Site
from filterd.upstream import Resolution, UpstreamQuestion
from filterd.upstream.resolution import resolution_of
from filterd.wire import EdeCode, parse_response
from filterd.wire import name as names
from tests.support.chain import FORWARDED, a_chain_query, answer_of
from tests.support.policies import wire
from tests.support.serving import a_site
from tests.support.wire import a_query, a_response

if TYPE_CHECKING:
    from filterd.lists.index import Index

NAME = "www.example.com"
BOTH = [f"{NAME} 300 A 192.0.2.1", f"{NAME} 300 A 10.0.0.1"]


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


def test_of_a_mixed_answer_the_public_part_is_sent_and_says_so(index: Index) -> None:
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
