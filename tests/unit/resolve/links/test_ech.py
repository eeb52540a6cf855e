# SPDX-License-Identifier: Apache-2.0
"""Keys for Encrypted Client Hello reach only those grades that may have them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from filterd.resolve.links.ech import Ech
from filterd.resolve.query import Answer, Query, Source
from filterd.resolve.site import Site
from filterd.upstream import UpstreamQuestion
from filterd.upstream.resolution import resolution_of
from filterd.wire import parse_response
from tests.support.chain import FORWARDED, a_chain_query, answer_of
from tests.support.policies import wire
from tests.support.serving import GRADE_1, GRADE_11, a_site
from tests.support.wire import a_query, a_response

if TYPE_CHECKING:
    from filterd.lists.index import Index

NAME = "www.example.com"


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


def test_an_answer_without_an_upstream_passes(index: Index) -> None:
    assert answer_of(Ech(), a_chain_query(a_site(index))) is FORWARDED
