# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.policy.client import Client
from filterd.policy.verdict import PASSED, Action, Match, Rule, Verdict
from filterd.querylog import Counts
from filterd.resolve.log_counts import tally
from filterd.resolve.query import Answer, Peer, Query, Source
from filterd.wire import parse_query
from tests.support.clock import FakeClock
from tests.support.serving import a_site
from tests.support.wire import a_query

if TYPE_CHECKING:
    from filterd.lists.index import Index

BLOCKED = Verdict(Action.NXDOMAIN, Match(Rule.CATEGORY, True, b"\0", category="games"))
OPEN = Verdict(Action.PASS, Match(Rule.OPEN, False, b"\0", category="games"))


@pytest.fixture(scope="module")
def query(index: Index) -> Query:
    site = a_site(index)
    return Query(
        parse_query(a_query("a.example")), Peer("127.0.6.1"), Client(site.policy.grades["6"]), site
    )


@pytest.mark.parametrize(
    ("answer", "category", "action"),
    [
        (Answer(Source.BLOCKED, BLOCKED), "games", "blocked"),
        (Answer(Source.CACHED, OPEN), "games", "pass"),
        (Answer(Source.FORWARDED, PASSED), "", "pass"),
        (Answer(Source.STALE, PASSED), "", "pass"),
        (Answer(Source.CACHED, Verdict(Action.REWRITE)), "", "rewritten"),
        (Answer(Source.REWRITTEN, Verdict(Action.REWRITE)), "", "rewritten"),
        (Answer(Source.FAILED, Verdict(Action.REWRITE)), "", "failed"),
        (Answer(Source.LOCAL), "", "local"),
        (Answer(Source.REFUSED), "", "refused"),
    ],
)
def test_an_answer_is_counted_by_what_the_client_got(
    query: Query, answer: Answer, category: str, action: str
) -> None:
    counts = Counts(FakeClock())
    tally(counts, query, answer)
    (row,) = counts.take().rows
    assert row[1:] == ("6", category, action, 1)


def test_it_counts_for_the_grade_as_which_it_was_judged(query: Query) -> None:
    counts = Counts(FakeClock())
    again = query.readmitted(Client(query.site.policy.grades["9"]), query.site)
    tally(counts, query, Answer(Source.FORWARDED, PASSED, readmitted=again))
    assert counts.take().rows[0].grade == "9"


def test_every_source_has_its_action(query: Query) -> None:
    counts = Counts(FakeClock())
    for source in Source:
        tally(counts, query, Answer(source, PASSED))
    assert sum(row.n for row in counts.take().rows) == len(Source)
