# SPDX-License-Identifier: Apache-2.0
"""What is closed to each tier is asked for on real sockets; nothing of it is counted."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import dns.edns
import dns.message
import dns.rcode
import pytest

from filterd.base.errors import ControlError
from filterd.clients.identifier import probe_address
from filterd.daemon.handlers import self_tests
from filterd.daemon.handlers.self_tests import (
    SelfTestOutcome,
    SelfTests,
    TierProbe,
    asked_at,
    listed,
    worst,
)
from filterd.policy.model import DAY_S, BlockResponse, ListenAddress, RateLimit
from tests.support.clock import FakeClock
from tests.support.looked_log import CALLERS, ROOT
from tests.support.policies import allow, an_index, wire
from tests.support.serving import LISTS, Serving, a_site

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator
    from pathlib import Path

    from filterd.daemon.handlers.control_caller import Caller
    from filterd.daemon.handlers.self_tests import SelfTestRun
    from filterd.lists.index import Index
    from filterd.resolve.site import Site
    from tests.support.upstream import FakeUpstream

PASSED, FAILED, UNKNOWN = SelfTestOutcome


@pytest.fixture
def served(index: Index, upstream: FakeUpstream) -> Iterator[Serving]:
    with Serving(a_site(index, [upstream]), listen=["127.0.0.1"], fast=True) as running:
        yield running


def _tests(serving: Serving, site: Site, clock: FakeClock | None = None) -> SelfTests:
    at = ListenAddress("127.0.0.1", serving.ports["127.0.0.1"])
    return SelfTests(lambda: site, [at], clock or FakeClock())


def _tested(serving: Serving, site: Site | None = None) -> SelfTestRun:
    return asyncio.run(_tests(serving, site or serving.sites.current).run())


def _outcomes(run: SelfTestRun, category: str, by: str = "udp") -> dict[str, SelfTestOutcome]:
    rows = [row for row in run.rows if (row.category, row.protocol) == (category, by)]
    return {row.tier: row.outcome for row in rows}


def test_each_tier_has_an_outcome_for_each_category_that_is_closed_to_it(served: Serving) -> None:
    run = _tested(served)
    tiers = {grade.tier for grade in served.sites.current.policy.grades.values()}
    assert _outcomes(run, "porn") == _outcomes(run, "malware") == dict.fromkeys(tiers, PASSED)
    young = {"preschool", "primary", "lower-secondary", "guest"}
    assert _outcomes(run, "social-media") == dict.fromkeys(young, PASSED)
    assert _outcomes(run, "games").items() >= {("primary", UNKNOWN)}, "no list has a game"
    assert {row.tier for row in run.rows if row.protocol == "tcp"} == tiers
    plain = run.to_plain()
    assert (plain["at"], plain["failed"]) == (FakeClock().wall(), 0)
    assert plain["passed"] == sum(one["outcome"] == "passed" for one in plain["rows"]) > 0


def test_nothing_of_it_is_counted(served: Serving, upstream: FakeUpstream) -> None:
    def settle() -> None:
        if served.fast is not None:
            served.run(served.fast.settle)

    served.ask("porn.example")
    settle()
    before = served.run(lambda: (dict(served.resolver.counters), len(served.log)))
    _tested(served)
    settle()
    assert served.run(lambda: (dict(served.resolver.counters), len(served.log))) == before
    assert upstream.asked == []


def _without(site: Site, category: str, tier: str) -> Site:
    """Return a site that has lost a category for a tier."""
    grades = {
        key: replace(grade, closed=grade.closed - {category}) if grade.tier == tier else grade
        for key, grade in site.policy.grades.items()
    }
    return site.of(replace(site.policy, grades=grades), site.index, site.route.servers)


def test_a_tier_that_has_lost_a_category_is_seen(
    served: Serving, caplog: pytest.LogCaptureFixture
) -> None:
    expected = served.sites.current
    served.sites.current = _without(expected, "social-media", "primary")
    run = _tested(served, expected)
    assert _outcomes(run, "social-media").items() >= {("primary", FAILED), ("preschool", PASSED)}
    assert run.to_plain()["failed"] == 1
    assert "a listed name of 'social-media' is not blocked for primary" in caplog.text
    assert "social.example" not in caplog.text
    assert len(served.errors.take()) == 1


def test_control_a_client_without_a_network_alone_does_not_see_it(
    served: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has the strictest tier, for which nothing is lost."""
    expected = served.sites.current
    served.sites.current = _without(expected, "social-media", "primary")
    monkeypatch.setattr(self_tests, "probe_address", lambda *_: "127.0.0.1")
    assert _tested(served, expected).count(FAILED) == 0


def test_lists_that_have_lost_a_category_are_seen(served: Serving, tmp_path: Path) -> None:
    expected = served.sites.current
    fewer = {key: one for key, one in LISTS.items() if key != "malware"}
    served.sites.current = a_site(an_index(tmp_path, fewer), expected.route.servers)
    assert set(_outcomes(_tested(served, expected), "malware").values()) == {FAILED}
    served.errors.take()


def test_a_locked_category_is_asked_for_although_the_policy_has_lost_it(served: Serving) -> None:
    """Not one that an age may open."""
    policy = served.sites.current.policy
    unlocked = {
        category.id: replace(category, locked=False, min_age=None)
        for category in policy.categories.values()
    }
    open_to_all = {key: replace(grade, closed=frozenset()) for key, grade in policy.grades.items()}
    worker = replace(policy, categories=unlocked, grades=open_to_all)
    manager = replace(policy, grades=open_to_all)
    site = served.sites.current
    served.sites.current = site.of(worker, site.index, site.route.servers)
    run = _tested(served, site.of(manager, site.index, site.route.servers))
    assert set(_outcomes(run, "porn").values()) == {FAILED}
    assert _outcomes(run, "social-media") == {}
    served.errors.take()


def test_a_name_that_the_school_opens_is_not_asked_for(index: Index, served: Serving) -> None:
    site = a_site(index, served.sites.current.route.servers, rules=[allow("social.example")])
    assert set(_outcomes(_tested(served, site), "social-media").values()) == {UNKNOWN}


def test_a_name_is_of_its_category_alone_and_the_one_made_for_it_is_taken(tmp_path: Path) -> None:
    lists = {
        "one": ("porn", "domains", False, ["both.example", "porn.example"]),
        "two": ("malware", "domains", False, ["both.example", "malware.blocked.filterd.example"]),
    }
    index = an_index(tmp_path, lists)
    assert listed(index, "porn") == [wire("porn.example")]
    assert listed(index, "malware") == [wire("malware.blocked.filterd.example")]
    assert listed(index, "games") == []


def test_it_is_due_at_first_with_other_lists_and_once_a_day(
    served: Serving, tmp_path: Path
) -> None:
    clock, site = FakeClock(), served.sites.current
    tests = _tests(served, site, clock)
    assert tests.is_due
    asyncio.run(tests.run())
    assert tests.last is not None
    assert tests.last.at == clock.wall()
    assert not tests.is_due
    clock.advance(DAY_S)
    assert tests.is_due
    asyncio.run(tests.run())
    assert not tests.is_due
    other = a_site(an_index(tmp_path, {}))
    assert _tests_of(tests, other).is_due


def _tests_of(tests: SelfTests, site: Site) -> SelfTests:
    tests._site = lambda: site
    return tests


def test_calls_meanwhile_share_a_run(served: Serving) -> None:
    async def both() -> list[SelfTestRun]:
        tests = _tests(served, served.sites.current)
        return list(await asyncio.gather(tests.run(), tests.run()))

    first, second = asyncio.run(both())
    assert first is second


def _by_command(tests: SelfTests, caller: Caller = ROOT, **request: Any) -> dict[str, Any]:
    answer = tests.commands()["self-test"](request, caller)
    return asyncio.run(cast("Coroutine[Any, Any, dict[str, Any]]", answer))


def test_a_run_without_failure_holds_as_long_as_the_caller_wants(served: Serving) -> None:
    clock, expected = FakeClock(), served.sites.current
    tests = _tests(served, expected, clock)
    first = _by_command(tests, old_s=300)
    clock.advance(299)
    assert _by_command(tests, old_s=300)["at"] == first["at"]
    assert _by_command(tests)["at"] == clock.wall()
    served.sites.current = _without(expected, "social-media", "primary")
    assert _by_command(tests)["failed"] == 1
    served.sites.current = expected
    assert _by_command(tests, old_s=300)["failed"] == 0, "what was mended is looked at anew"
    served.errors.take()


@pytest.mark.parametrize("role", ["admin", "principal", "inspector", "reader", "teacher"])
def test_only_roles_of_an_inspection_may_test(served: Serving, role: str) -> None:
    tests, caller = _tests(served, served.sites.current), CALLERS[role]
    if role in {"reader", "teacher"}:
        with pytest.raises(ControlError, match="may not look at"):
            _by_command(tests, caller)
    else:
        assert _by_command(tests, caller)["passed"]


@pytest.fixture(params=[False, True], ids=["chain", "core"])
def served_both_ways(
    request: pytest.FixtureRequest, index: Index, upstream: FakeUpstream
) -> Iterator[Serving]:
    with Serving(a_site(index, [upstream]), listen=["127.0.0.1"], fast=request.param) as running:
        yield running


def _probed(serving: Serving, name: str, grade: str = "6", by: str = "udp") -> SelfTestOutcome:
    policy = serving.sites.current.policy
    probe = TierProbe.of(probe_address(policy, grade), wire(name), policy.grades[grade])
    at = ListenAddress("127.0.0.1", serving.ports["127.0.0.1"])
    return asyncio.run((probe.by_tcp if by == "tcp" else probe.by_udp)(at))


@pytest.mark.parametrize("by", ["udp", "tcp"])
def test_each_grade_is_asked_as_itself(served_both_ways: Serving, by: str) -> None:
    for _ in range(2):  # the second time the fast path knows the client
        assert _probed(served_both_ways, "social.example", "6", by) is PASSED
        assert _probed(served_both_ways, "malware.example", "11", by) is PASSED
        assert _probed(served_both_ways, "social.example", "11", by) is FAILED


def test_a_sinkhole_is_a_block_of_its_addresses_only(index: Index, upstream: FakeUpstream) -> None:
    site = a_site(index, [upstream], response=BlockResponse.SINKHOLE)
    with Serving(site, listen=["127.0.0.1"]) as serving:
        assert _probed(serving, "porn.example") is PASSED
        of_other = TierProbe("127.117.0.1", wire("porn.example"), frozenset({b"\xc0\0\2\1"}))
        at = ListenAddress("127.0.0.1", serving.ports["127.0.0.1"])
        assert asyncio.run(of_other.by_udp(at)) is FAILED


def test_an_upstream_that_claims_to_filter_makes_no_block(
    served_both_ways: Serving, upstream: FakeUpstream
) -> None:
    def filtered(query: dns.message.Message) -> dns.message.Message:
        answer = dns.message.make_response(query)
        answer.set_rcode(dns.rcode.NXDOMAIN)
        answer.use_edns(0, options=[dns.edns.EDEOption(dns.edns.EDECode.FILTERED)])
        return answer

    upstream.respond = filtered
    assert _probed(served_both_ways, "open.example") is FAILED


def test_a_failure_is_no_block_and_silence_is_unknown(
    served_both_ways: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    served_both_ways.sites.current = a_site(served_both_ways.sites.current.index, [])
    assert _probed(served_both_ways, "open.example") is FAILED, (
        "SERVFAIL: it would have been forwarded"
    )
    monkeypatch.setattr(self_tests, "ANSWER_WITHIN_S", 0.02)
    probe = TierProbe("127.117.0.1", wire("porn.example"), frozenset())
    with socket.socket(type=socket.SOCK_DGRAM) as deaf:
        deaf.bind(("127.0.0.1", 0))
        at = ListenAddress("127.0.0.1", deaf.getsockname()[1])
        assert asyncio.run(probe.by_udp(at)) is UNKNOWN
        assert asyncio.run(probe.by_tcp(at)) is UNKNOWN


def test_above_the_rate_limit_it_comes_by_tcp_as_a_device_does(
    index: Index, upstream: FakeUpstream
) -> None:
    site, rate = a_site(index, [upstream]), RateLimit(1, 2)
    with Serving(site, listen=["127.0.0.1"], rate=rate) as serving:
        outcomes = [_probed(serving, "porn.example") for _ in range(2)]
        assert outcomes == [PASSED, PASSED]
        assert sum(one.datagrams.counters["truncated_rate"] for one in serving.udp) == 2


def test_a_probe_goes_where_the_daemon_listens_by_ipv4() -> None:
    listen = [ListenAddress(one, 53) for one in ("0.0.0.0", "::", "127.0.0.1", "192.0.2.1")]
    assert asked_at(listen) == [ListenAddress("127.0.0.1", 53)]


def test_one_failure_is_the_worst_and_nothing_asked_is_unknown() -> None:
    assert worst([PASSED, FAILED, UNKNOWN]) is FAILED
    assert worst([PASSED, UNKNOWN]) is worst([]) is UNKNOWN
    assert worst([PASSED, PASSED]) is PASSED
