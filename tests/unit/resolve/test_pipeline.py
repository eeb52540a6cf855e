# SPDX-License-Identifier: Apache-2.0
"""The order of the chain, and that no link is bypassed."""

from __future__ import annotations

import asyncio
from math import inf
from typing import TYPE_CHECKING, Any

import pytest

from filterd.resolve import pipeline
from filterd.resolve.links.cache import Background
from filterd.resolve.pipeline import Chain, ResolutionStore
from filterd.resolve.query import Answer, Link, Source, answered, leaves_all_alone
from filterd.upstream import Forwarder, Resolution, UpstreamQuestion
from filterd.upstream.resolution import resolution_of
from filterd.wire import Rcode, parse_response
from filterd.wire import name as names
from tests.support.chain import a_chain_query, without_waiting
from tests.support.clock import FakeClock
from tests.support.policies import a_pin, wire
from tests.support.relaying import School
from tests.support.serving import GRADE_1, GRADE_11, SiteHolder, a_site
from tests.support.wire import a_query, a_response

if TYPE_CHECKING:
    from collections.abc import Awaitable, Hashable

    from filterd.lists.index import Index
    from filterd.policy.model import Client
    from filterd.resolve.query import Handler, Query


class NotingForwarder(Forwarder):
    """Answers everything with one address and notes what it is asked."""

    def __init__(self) -> None:
        super().__init__(FakeClock())
        self.asked: list[bytes] = []

    async def resolve(
        self,
        question: UpstreamQuestion,
        asker: Hashable = None,  # noqa: ARG002 -- likewise
        deadline: float = inf,  # noqa: ARG002 -- likewise
    ) -> Resolution:
        self.asked.append(question.qname)
        name = names.to_text(question.qname)
        response = a_response(a_query(name), f"{name} 300 A 198.18.0.1")
        return resolution_of(parse_response(response), question)


ORDER = [
    # name, type, flags, who answers, what is asked upstream
    ("porn.example", "AXFR", {}, Source.REFUSED, 0),  # admission before the filter
    ("localhost", "A", {}, Source.LOCAL, 0),  # local before the filter
    ("porn.example", "A", {"rd": False}, Source.REFUSED, 0),  # nothing is answered without RD
    ("porn.example", "A", {}, Source.BLOCKED, 0),  # filter before cache and upstream
    ("porn.example", "ANY", {}, Source.BLOCKED, 0),  # filter before ANY
    ("www.example.com", "ANY", {}, Source.LOCAL, 0),  # ANY before cache and upstream
    ("www.example.com", "A", {}, Source.FORWARDED, 1),
]


@pytest.mark.parametrize(("name", "qtype", "flags", "source", "asked"), ORDER)
def test_each_link_stands_where_it_must(
    index: Index, name: str, qtype: str, flags: dict[str, Any], source: Source, asked: int
) -> None:
    site, forwarder, store = a_site(index), NotingForwarder(), ResolutionStore()
    chain = pipeline.build(SiteHolder(site), store, forwarder, FakeClock(), Background())
    handler = chain.handler

    async def ask() -> Source:
        return (await handler(a_chain_query(site, name, qtype, **flags))).source

    assert asyncio.run(ask()) == source
    assert (len(forwarder.asked), len(store)) == (asked, asked)


def test_a_cached_answer_is_judged_like_a_fresh_one(index: Index) -> None:
    site, forwarder, store = a_site(index), NotingForwarder(), ResolutionStore()
    sites = SiteHolder(site)
    handler = pipeline.build(sites, store, forwarder, FakeClock(), Background()).handler

    async def ask() -> list[Source]:
        opened = a_site(index, pins=[a_pin("porn.example")])
        sites.current = opened
        first = await handler(a_chain_query(opened, "porn.example"))
        second = await handler(a_chain_query(opened, "porn.example"))
        sites.current = site
        third = await handler(a_chain_query(site, "porn.example"))
        return [first.source, second.source, third.source]

    assert asyncio.run(ask()) == [Source.FORWARDED, Source.CACHED, Source.BLOCKED]
    assert forwarder.asked == [wire("porn.example")]


class Noting(Link):
    """Notes when it is asked and when it is answered."""

    leaves_alone = staticmethod(leaves_all_alone)

    def __init__(self, name: str, notes: list[str], answer: Answer | None = None) -> None:
        self.name, self.notes, self.answer = name, notes, answer

    async def __call__(self, query: Query, proceed: Handler) -> Answer:
        self.notes.append(f"{self.name} in")
        answer = self.answer or await proceed(query)
        self.notes.append(f"{self.name} out")
        return answer


def test_the_first_link_is_the_outermost(index: Index) -> None:
    notes, last = list[str](), Answer(Source.FAILED)
    handler = Chain([Noting("a", notes), Noting("b", notes), Noting("c", notes, last)]).handler
    assert without_waiting(handler(a_chain_query(a_site(index)))) is last
    assert notes == ["a in", "b in", "c in", "c out", "b out", "a out"]


def test_a_link_may_answer_by_itself(index: Index) -> None:
    notes, early = list[str](), Answer(Source.REFUSED)
    handler = Chain([Noting("a", notes, early), Noting("b", notes)]).handler
    assert without_waiting(handler(a_chain_query(a_site(index)))) is early
    assert notes == ["a in", "a out"]


class InOnly(Link):
    """Answers by itself, or is gone before the rest of the chain answers."""

    leaves_alone = staticmethod(leaves_all_alone)

    def __init__(self, answer: Answer | None = None) -> None:
        self.answer = answer

    def __call__(self, query: Query, proceed: Handler) -> Awaitable[Answer]:
        return proceed(query) if self.answer is None else answered(self.answer)


def test_a_link_that_only_acts_on_the_way_in_passes_the_rest_on(index: Index) -> None:
    notes, last = list[str](), Answer(Source.FAILED)
    handler = Chain([Noting("a", notes), InOnly(), Noting("b", notes, last)]).handler
    assert without_waiting(handler(a_chain_query(a_site(index)))) is last
    assert notes == ["a in", "b in", "b out", "a out"]


def test_a_link_that_only_acts_on_the_way_in_may_answer(index: Index) -> None:
    notes, early = list[str](), Answer(Source.REFUSED)
    handler = Chain([Noting("a", notes), InOnly(early), Noting("b", notes)]).handler
    assert without_waiting(handler(a_chain_query(a_site(index)))) is early
    assert notes == ["a in", "a out"]


def test_a_chain_without_an_end_is_a_bug(index: Index) -> None:
    with pytest.raises(AssertionError, match="no link answered"):
        without_waiting(Chain([]).handler(a_chain_query(a_site(index))))


NAME = "www.example.com"


class Renaming(Link):
    """Changes the answers for one name: each becomes NXDOMAIN."""

    def leaves_alone(self, question: UpstreamQuestion, _: Resolution, /) -> bool:
        return question.qname != wire(NAME)

    async def __call__(self, query: Query, proceed: Handler) -> Answer:
        answer = await proceed(query)
        if query.qname == wire(NAME) and answer.resolution is not None:
            answer = answer._replace(resolution=answer.resolution._replace(rcode=Rcode.NXDOMAIN))
        return answer


class Recording(Link):
    """Changes nothing, and has to know what grade 1 asks for."""

    leaves_alone = staticmethod(leaves_all_alone)

    def __init__(self) -> None:
        self.saw = list[bytes]()

    def must_see(self, client: Client, /) -> bool:
        return client.network == "grade-1"

    def __call__(self, query: Query, proceed: Handler) -> Awaitable[Answer]:
        if query.client.network == "grade-1":
            self.saw.append(query.qname)
        return proceed(query)


def add(monkeypatch: pytest.MonkeyPatch, link: Link) -> None:
    """Put a link before all others."""
    others = pipeline.links
    monkeypatch.setattr(pipeline, "links", lambda *of: [link, *others(*of)])


def rcodes_of(index: Index) -> tuple[list[int], int, int]:
    """Ask for the name thrice, at last of the packet cache only, and for another name.

    Returns: the rcodes, and how many answers the chain gave for the name and for the other.
    """
    with School(index, fast=True) as school:
        rcodes = [school.ask(NAME)[3] & 15 for _ in range(2)]
        school.serving.udp[0]._relay = None
        rcodes.append(school.ask(NAME)[3] & 15)
        by_the_chain = school.by_the_chain
        school.serving.udp[0]._relay = school.serving.relay
        school.ask("social.example", source=GRADE_11)
        return rcodes, by_the_chain, school.by_the_chain - by_the_chain


@pytest.mark.usefixtures("needs_native")
def test_a_link_that_changes_answers_is_bypassed_by_nothing(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(monkeypatch, Renaming())
    rcodes, _, of_another_name = rcodes_of(index)
    assert rcodes == [Rcode.NXDOMAIN] * 3
    assert of_another_name == 0


@pytest.mark.usefixtures("needs_native")
def test_control_folded_without_the_link_its_changes_are_missing(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(monkeypatch, Renaming())
    monkeypatch.setattr(Renaming, "leaves_alone", staticmethod(leaves_all_alone))
    rcodes, by_the_chain, _ = rcodes_of(index)
    assert (rcodes, by_the_chain) == ([Rcode.NOERROR] * 3, 0)


def seen_of(index: Index, link: Recording) -> tuple[list[bytes], int]:
    """Let both grades ask, for each way of the fast path; return what the link saw of grade 1,
    and how much the chain answered for grade 11."""
    asked = [NAME, "porn.example", NAME, NAME, "porn.example"]
    with School(index, fast=True) as school:
        link.saw.clear()
        for name in asked:
            school.ask(name, source=GRADE_1)
        school.by_the_chain = 0
        for name in asked:
            school.ask(name, source=GRADE_11)
        return link.saw, school.by_the_chain


@pytest.mark.usefixtures("needs_native")
def test_a_link_that_must_see_a_client_sees_every_answer(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = Recording()
    add(monkeypatch, link)
    seen, of_others = seen_of(index, link)
    assert seen == [wire(one) for one in (NAME, "porn.example", NAME, NAME, "porn.example")]
    assert of_others == 0


@pytest.mark.usefixtures("needs_native")
def test_control_folded_without_the_link_it_does_not_see_them(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = Recording()
    add(monkeypatch, link)
    monkeypatch.setattr(Recording, "must_see", Link.must_see)
    assert seen_of(index, link)[0] == []
