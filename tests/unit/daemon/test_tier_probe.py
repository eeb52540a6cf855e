# SPDX-License-Identifier: Apache-2.0
"""Only a block that filterd composed is one, by UDP and TCP, by the chain and the fast path."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import dns.edns
import dns.message
import dns.rcode
import pytest

from filterd.clients.identifier import probe_address
from filterd.daemon import tier_probe
from filterd.daemon.tier_probe import SelfTestOutcome, TierProbe, asked_at, worst
from filterd.policy.model import BlockResponse, ListenAddress, RateLimit
from tests.support.policies import wire
from tests.support.serving import Serving, a_site

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filterd.lists.index import Index
    from tests.support.upstream import FakeUpstream

PASSED, FAILED, UNKNOWN = SelfTestOutcome


@pytest.fixture(params=[False, True], ids=["chain", "core"])
def served(
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
def test_each_grade_is_asked_as_itself(served: Serving, by: str) -> None:
    for _ in range(2):  # the second time the fast path knows the client
        assert _probed(served, "social.example", "6", by) is PASSED
        assert _probed(served, "malware.example", "11", by) is PASSED
        assert _probed(served, "social.example", "11", by) is FAILED


def test_a_sinkhole_is_a_block_of_its_addresses_only(index: Index, upstream: FakeUpstream) -> None:
    site = a_site(index, [upstream], response=BlockResponse.SINKHOLE)
    with Serving(site, listen=["127.0.0.1"]) as serving:
        assert _probed(serving, "porn.example") is PASSED
        of_other = TierProbe("127.117.0.1", wire("porn.example"), frozenset({b"\xc0\0\2\1"}))
        at = ListenAddress("127.0.0.1", serving.ports["127.0.0.1"])
        assert asyncio.run(of_other.by_udp(at)) is FAILED


def test_an_upstream_that_claims_to_filter_makes_no_block(
    served: Serving, upstream: FakeUpstream
) -> None:
    def filtered(query: dns.message.Message) -> dns.message.Message:
        answer = dns.message.make_response(query)
        answer.set_rcode(dns.rcode.NXDOMAIN)
        answer.use_edns(0, options=[dns.edns.EDEOption(dns.edns.EDECode.FILTERED)])
        return answer

    upstream.respond = filtered
    assert _probed(served, "open.example") is FAILED


def test_a_failure_is_no_block_and_silence_is_unknown(
    served: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    served.sites.current = a_site(served.sites.current.index, [])
    assert _probed(served, "open.example") is FAILED, "SERVFAIL: it would have been forwarded"
    monkeypatch.setattr(tier_probe, "ANSWER_WITHIN_S", 0.02)
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
