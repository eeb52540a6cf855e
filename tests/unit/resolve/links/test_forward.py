# SPDX-License-Identifier: Apache-2.0
"""Asking upstreams, and the reply to a client after their failure."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

import pytest

from filterd.errors import (
    UpstreamError,
    UpstreamMalformedError,
    UpstreamOverloadError,
    UpstreamTimeoutError,
    UpstreamUnreachableError,
)
from filterd.policy.model import DelegatedZone, UpstreamServer
from filterd.resolve.links.forward import Forward
from filterd.resolve.query import Fetched, Query, Source
from filterd.upstream import DEADLINE_S, Forwarder, Resolution, UpstreamQuestion
from filterd.wire import Ede, EdeCode, Rcode, RebuiltSections
from filterd.wire.question import Question
from tests.support.chain import a_chain_query, answer_of, told_already
from tests.support.clock import FakeClock
from tests.support.policies import wire
from tests.support.serving import a_site

if TYPE_CHECKING:
    from collections.abc import Hashable

    from filterd.lists.index import Index

NOTHING = RebuiltSections(b"", 0, 0, 0, (), (), 21)
UPSTREAM, DOMAIN_CONTROLLER = UpstreamServer("192.0.2.53"), UpstreamServer("192.0.2.8")


class Scripted(Forwarder):
    """Gives one outcome and notes whom it would have asked."""

    def __init__(self, outcome: Resolution | UpstreamError) -> None:
        super().__init__(FakeClock())
        self.outcome = outcome
        self.servers: tuple[UpstreamServer, ...] = ()
        self.asker: Hashable = None
        self.deadline = 0.0

    async def resolve(
        self,
        question: UpstreamQuestion,
        asker: Hashable = None,
        deadline: float = inf,
    ) -> Resolution:
        self.servers, self.asker, self.deadline = question.route.servers, asker, deadline
        if isinstance(self.outcome, UpstreamError):
            raise self.outcome
        return self.outcome


FAILURES = [
    (UpstreamTimeoutError(), EdeCode.NO_REACHABLE_AUTHORITY),
    (UpstreamUnreachableError(), EdeCode.NETWORK_ERROR),
    (UpstreamMalformedError(), EdeCode.NETWORK_ERROR),
    (UpstreamOverloadError(), EdeCode.NETWORK_ERROR),
    (Resolution(Rcode.SERVFAIL, NOTHING), EdeCode.NO_REACHABLE_AUTHORITY),
    (Resolution(Rcode.REFUSED, NOTHING), EdeCode.NO_REACHABLE_AUTHORITY),
    (Resolution(Rcode.FORMERR, NOTHING), EdeCode.NO_REACHABLE_AUTHORITY),
    (Resolution(Rcode.SERVFAIL, NOTHING, edes=(Ede(6),)), EdeCode.DNSSEC_BOGUS),
]


@pytest.mark.parametrize(("outcome", "code"), FAILURES)
def test_a_failure_says_why(
    index: Index, outcome: Resolution | UpstreamError, code: EdeCode
) -> None:
    answer = answer_of(Forward(Scripted(outcome)), a_chain_query(a_site(index)))
    assert (answer.source, [ede.code for ede in answer.edes]) == (Source.FAILED, [code])


@pytest.mark.parametrize(
    ("outcome", "overloaded"), [(UpstreamOverloadError(), True), (UpstreamTimeoutError(), False)]
)
def test_a_failure_that_says_nothing_of_the_name_is_told_apart(
    index: Index, outcome: UpstreamError, overloaded: bool
) -> None:
    answer = answer_of(Forward(Scripted(outcome)), a_chain_query(a_site(index)))
    assert answer.overloaded is overloaded


def test_where_others_were_asked_first_silence_says_nothing_of_those_asked_now(
    index: Index,
) -> None:
    site, forwarder = a_site(index, [UPSTREAM]), Scripted(UpstreamTimeoutError())
    first = a_chain_query(site)
    assert not answer_of(Forward(forwarder), first).overloaded
    assert forwarder.deadline == inf
    again = first.since(1_000.0)
    assert answer_of(Forward(forwarder), again).overloaded
    assert forwarder.deadline == 1_000.0 + DEADLINE_S
    others = first.about(Question.of(wire("other.example"), 1)).upstream_question
    fetched = Fetched(others, UpstreamTimeoutError(), 1_000.0)
    relayed = Query(first.message, first.peer, first.client, site, fetched=fetched)
    assert answer_of(Forward(forwarder), relayed).overloaded
    assert forwarder.deadline == 1_000.0 + DEADLINE_S


@pytest.mark.parametrize("rcode", [Rcode.NOERROR, Rcode.NXDOMAIN, Rcode.YXDOMAIN])
def test_what_is_said_of_the_name_is_passed_on(index: Index, rcode: Rcode) -> None:
    resolution = Resolution(rcode, NOTHING)
    answer = answer_of(Forward(Scripted(resolution)), a_chain_query(a_site(index)))
    assert (answer.source, answer.resolution) == (Source.FORWARDED, resolution)


@pytest.mark.parametrize(
    ("name", "server"),
    [("www.example.com", UPSTREAM), ("dc.school.example", DOMAIN_CONTROLLER)],
)
def test_a_delegated_zone_is_asked_of_its_own_servers(
    index: Index, name: str, server: UpstreamServer
) -> None:
    zone = DelegatedZone(wire("school.example"), (DOMAIN_CONTROLLER,))
    site = a_site(index, [UPSTREAM], delegated_zones=[zone])
    scripted = Scripted(Resolution(Rcode.NOERROR, NOTHING))
    answer_of(Forward(scripted), a_chain_query(site, name))
    assert scripted.servers == (server,)


def test_who_asks_is_told_so_that_nobody_takes_all_places(index: Index) -> None:
    scripted = Scripted(Resolution(Rcode.NOERROR, NOTHING))
    query = a_chain_query(a_site(index))
    answer_of(Forward(scripted), query)
    assert scripted.asker == query.peer.address


def test_nobody_is_asked_what_upstreams_have_said_already(index: Index) -> None:
    resolution = Resolution(Rcode.NOERROR, NOTHING)
    scripted = Scripted(UpstreamUnreachableError())
    told = told_already(a_chain_query(a_site(index)), resolution)
    answer = answer_of(Forward(scripted), told)
    assert (answer.source, answer.resolution) == (Source.FORWARDED, resolution)
    assert scripted.asker is None


@pytest.mark.parametrize(("outcome", "code"), FAILURES)
def test_a_failure_that_is_known_already_says_why(
    index: Index, outcome: Resolution | UpstreamError, code: EdeCode
) -> None:
    scripted = Scripted(Resolution(Rcode.NOERROR, NOTHING))
    told = told_already(a_chain_query(a_site(index)), outcome)
    answer = answer_of(Forward(scripted), told)
    assert (answer.source, [ede.code for ede in answer.edes]) == (Source.FAILED, [code])


def test_a_failure_that_others_hear_of_too_is_not_raised_itself(index: Index) -> None:
    """It would grow a traceback of all who do."""
    failure = UpstreamTimeoutError()
    answer_of(Forward(Scripted(failure)), told_already(a_chain_query(a_site(index)), failure))
    assert failure.__traceback__ is None


def test_what_upstreams_have_said_to_another_question_is_asked_anew(index: Index) -> None:
    site = a_site(index)
    other = a_chain_query(site, "other.example.com").upstream_question
    scripted = Scripted(Resolution(Rcode.NOERROR, NOTHING))
    told = told_already(a_chain_query(site), Resolution(Rcode.NXDOMAIN, NOTHING), key=other)
    answer = answer_of(Forward(scripted), told)
    assert answer.resolution == scripted.outcome
    assert scripted.asker is not None
