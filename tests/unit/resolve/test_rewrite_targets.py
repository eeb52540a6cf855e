# SPDX-License-Identifier: Apache-2.0
"""The hosts of safe modes are asked for at an upstream, with what was known before."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import dns.rdatatype
import pytest

from filterd.base.clock import SystemClock
from filterd.base.errors import UpstreamTimeoutError
from filterd.lists.rules import SafeSearchRewrite
from filterd.policy.model import UpstreamServer
from filterd.resolve.rewrite_targets import (
    ANSWERS_ALL,
    FILE,
    GONE,
    NO_ANSWER,
    WITHOUT_ADDRESS,
    TargetAge,
    TargetState,
    VerifiedTargets,
    age_of,
    verify,
)
from filterd.texts.i18n import UNSAID, say
from filterd.upstream import Forwarder, Resolution, Route, UpstreamQuestion
from filterd.upstream.resolution import resolution_of
from filterd.wire import Rcode, RRType, parse_response
from filterd.wire import name as names
from tests.support.policies import NOW, wire
from tests.support.upstream import FakeUpstream
from tests.support.week import a_school
from tests.support.wire import a_query, a_response

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.texts.i18n import Sentence

BEFORE = NOW - 86_400
TUBE = wire("strict.example")
REWRITES = (
    SafeSearchRewrite("safe_search", "on", wire("safe.example"), (wire("a.test"), wire("b.test"))),
    SafeSearchRewrite("youtube", "moderate", TUBE, (wire("tube.test"),)),
    SafeSearchRewrite("youtube", "strict", TUBE, (wire("tube.test"),)),
)
GOOD = {
    "safe.example A": ["safe.example. 60 IN A 198.18.0.7"],
    "strict.example AAAA": ["strict.example. 60 IN AAAA 2001:2::7"],
}


def _verified(upstream: FakeUpstream) -> list[TargetState]:
    async def work() -> list[TargetState]:
        forwarder = Forwarder(SystemClock())
        try:
            route = Route((UpstreamServer(upstream.address, upstream.port),))
            return await verify(REWRITES, forwarder, route, NOW, {"strict.example": BEFORE})
        finally:
            forwarder.close()

    return asyncio.run(work())


def test_each_target_is_asked_for_once_whatever_its_levels() -> None:
    with FakeUpstream(GOOD) as upstream:
        found = _verified(upstream)
        assert upstream.asked.count("safe.example A") == 1
    assert found == [
        TargetState("safe.example", ("safe_search: on",), 2, NOW),
        TargetState("strict.example", ("youtube: moderate", "youtube: strict"), 1, NOW),
    ]


@pytest.mark.parametrize(
    ("records", "problem"),
    [
        ({"safe.example A": GOOD["safe.example A"]}, GONE),
        (GOOD | {"strict.example AAAA": [], "strict.example A": []}, WITHOUT_ADDRESS),
        (
            GOOD | {"verify.filterd.invalid A": ["verify.filterd.invalid. 60 IN A 198.18.0.1"]},
            ANSWERS_ALL,
        ),
    ],
)
def test_a_target_that_is_not_found_keeps_the_time_when_it_was(
    records: dict[str, list[str]], problem: Sentence
) -> None:
    with FakeUpstream(records) as upstream:
        found = _verified(upstream)
    assert found[1] == TargetState(
        "strict.example", ("youtube: moderate", "youtube: strict"), 1, BEFORE, problem
    )


def test_without_an_upstream_nothing_is_verified() -> None:
    async def work() -> list[TargetState]:
        forwarder = Forwarder(SystemClock())
        return await verify(REWRITES, forwarder, Route(()), NOW, {})

    found = asyncio.run(work())
    assert [(one.verified_at, one.problem) for one in found] == [(None, NO_ANSWER)] * 2


def test_control_an_upstream_that_answers_all_would_be_believed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    records = GOOD | {"verify.filterd.invalid A": ["verify.filterd.invalid. 60 IN A 198.18.0.1"]}
    monkeypatch.setattr("filterd.resolve.rewrite_targets._IMPOSSIBLE", wire("other.invalid"))
    with FakeUpstream(records) as upstream:
        assert [one.problem for one in _verified(upstream)] == [UNSAID, UNSAID]


def test_what_was_found_is_kept(tmp_path: Path) -> None:
    FILE.save(tmp_path / "file", VerifiedTargets({"safe.example": NOW}))
    assert FILE.read(tmp_path / "file") == VerifiedTargets({"safe.example": NOW})
    (tmp_path / "file").write_bytes(b"\xff" * 100)
    assert FILE.read(tmp_path / "file") is None


def test_the_age_is_that_of_the_target_not_found_for_the_longest(tmp_path: Path) -> None:
    policy = replace(a_school(), rewrites=REWRITES)
    file = tmp_path / "known"
    assert age_of(policy, file) is None  # no grade has a safe mode
    grades = {key: replace(grade, safe_search="on", youtube="strict")
              for key, grade in policy.grades.items()}  # fmt: skip
    policy = replace(policy, grades=grades)
    assert age_of(policy, file) == TargetAge(None)
    FILE.save(file, VerifiedTargets({"safe.example": NOW}))
    assert age_of(policy, file) == TargetAge(None)
    FILE.save(file, VerifiedTargets({"safe.example": NOW, "strict.example": BEFORE}))
    assert age_of(policy, file) == TargetAge(BEFORE)


def test_an_upstream_that_answers_all_is_no_reason_where_a_target_has_its_own() -> None:
    records = {
        "safe.example A": GOOD["safe.example A"],
        "verify.filterd.invalid A": ["verify.filterd.invalid. 60 IN A 198.18.0.1"],
    }
    with FakeUpstream(records) as upstream:
        found = _verified(upstream)
    assert [one.problem for one in found] == [ANSWERS_ALL, GONE]


@pytest.mark.parametrize("known", [{}, {"safe.example": NOW}])
def test_a_target_of_no_grade_says_nothing_of_the_age(
    tmp_path: Path, known: dict[str, float]
) -> None:
    policy = replace(a_school(), rewrites=(replace(REWRITES[0], level="off"),))
    FILE.save(tmp_path / "known", VerifiedTargets(known))
    assert age_of(policy, tmp_path / "known") is None


def test_a_target_that_was_found_in_1970_has_an_age_of_none(tmp_path: Path) -> None:
    policy = replace(a_school(), rewrites=REWRITES[:1])
    grades = {key: replace(grade, safe_search="on") for key, grade in policy.grades.items()}
    FILE.save(tmp_path / "known", VerifiedTargets({"safe.example": 0.0}))
    assert age_of(replace(policy, grades=grades), tmp_path / "known") == TargetAge(None)


class Scripted(Forwarder):
    """Answers by a table: records, an error or a code."""

    def __init__(self, answers: dict[tuple[bytes, int], list[str] | int | None]) -> None:
        super().__init__(SystemClock())
        self._answers, self.asked = answers, list[UpstreamQuestion]()

    async def resolve(self, question: UpstreamQuestion, *_: object, **__: object) -> Resolution:
        self.asked.append(question)
        found = self._answers.get((question.qname, question.qtype), Rcode.NXDOMAIN)
        if found is None:
            raise UpstreamTimeoutError(say("late"))
        name = names.to_text(question.qname)
        qtype = dns.rdatatype.RdataType.make(question.qtype).name
        lines = found if isinstance(found, list) else []
        resolution = resolution_of(
            parse_response(a_response(a_query(name, qtype), *lines)), question
        )
        return resolution._replace(rcode=found) if isinstance(found, int) else resolution


SAFE = wire("safe.example")
ALIAS, ADDRESS = "safe.example 60 CNAME b.example", "b.example 60 A 198.18.0.7"
ADDRESS_6 = "safe.example 60 AAAA 2001:2::7"


@pytest.mark.parametrize(
    ("v4", "v6", "problem"),
    [
        (None, [ADDRESS_6], UNSAID),
        (int(Rcode.SERVFAIL), [ADDRESS_6], UNSAID),
        ([ALIAS, ADDRESS], None, UNSAID),
        ([ALIAS], None, WITHOUT_ADDRESS),
        (None, None, NO_ANSWER),
    ],
)
def test_a_target_has_an_address_of_either_kind(
    v4: list[str] | int | None, v6: list[str] | None, problem: Sentence
) -> None:
    forwarder = Scripted({(SAFE, RRType.A): v4, (SAFE, RRType.AAAA): v6})
    found = asyncio.run(verify(REWRITES[:1], forwarder, Route(()), NOW, {}))
    assert [(one.target, one.problem) for one in found] == [("safe.example", problem)]
    assert {(one.do, one.cd) for one in forwarder.asked} == {(False, False)}


def test_levels_stand_in_order() -> None:
    many = tuple(
        SafeSearchRewrite("youtube", level, SAFE, (wire(f"{level}.test"),)) for level in "hgfedcba"
    )
    (found,) = asyncio.run(verify(many, Scripted({}), Route(()), NOW, {}))
    assert found.levels == tuple(f"youtube: {level}" for level in "abcdefgh")
    assert found.names == 8
