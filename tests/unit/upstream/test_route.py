# SPDX-License-Identifier: Apache-2.0
"""A route is its servers and how much of what they say is taken."""

from __future__ import annotations

from filterd.policy.model import UpstreamServer
from filterd.upstream.route import Route

SERVERS = (UpstreamServer("192.0.2.1"), UpstreamServer("192.0.2.2"))


def test_equal_routes_share_a_cache() -> None:
    again = (UpstreamServer("192.0.2.1"), UpstreamServer("192.0.2.2"))
    assert Route(SERVERS) == Route(again)
    assert hash(Route(SERVERS)) == hash(Route(again))


def test_other_servers_another_order_or_another_trust_is_another_route() -> None:
    others = [Route(SERVERS[:1]), Route(SERVERS[::-1]), Route(SERVERS, whole=True), SERVERS]
    assert all(Route(SERVERS) != other for other in others)
