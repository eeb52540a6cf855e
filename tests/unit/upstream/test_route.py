# SPDX-License-Identifier: Apache-2.0
"""A route is its servers and how much of what they say is taken."""

from __future__ import annotations

from filterd.policy.model import Tls, UpstreamServer
from filterd.upstream.route import Route, in_clear

SERVERS = (UpstreamServer("192.0.2.1"), UpstreamServer("192.0.2.2"))


def test_equal_routes_share_a_cache() -> None:
    again = (UpstreamServer("192.0.2.1"), UpstreamServer("192.0.2.2"))
    assert Route(SERVERS) == Route(again)
    route = Route(SERVERS)
    assert Route(again) is route


def test_other_servers_another_order_or_another_trust_is_another_route() -> None:
    others = [Route(SERVERS[:1]), Route(SERVERS[::-1]), Route(SERVERS, whole=True), SERVERS]
    assert all(Route(SERVERS) != other for other in others)


def test_in_clear_a_server_has_its_usual_port_and_is_not_trusted() -> None:
    server = UpstreamServer("192.0.2.1", 853, Tls.STRICT, "dns.example", trusted=True)
    assert in_clear(server) == UpstreamServer("192.0.2.1", 53)


def test_a_server_that_is_never_asked_by_tls_is_the_same_in_clear() -> None:
    server = UpstreamServer("192.0.2.1", 5353, trusted=True, randomise_case=True)
    assert in_clear(server) is server
