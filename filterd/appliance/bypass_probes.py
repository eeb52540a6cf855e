# SPDX-License-Identifier: Apache-2.0
"""Probe the ways past filterd: other resolvers, DNS over HTTPS, a portal in front.

Whether a pupil's device reaches another resolver is decided where its packets are forwarded.
This machine forwards them only as a gateway; its rules are then read (``forward_rules``).
Resolvers by HTTPS are found by their names; their addresses are those of other pages, too.
"""

from __future__ import annotations

import asyncio
from ipaddress import IPv4Address
from typing import TYPE_CHECKING

from filterd.appliance import forward_rules, stub_query
from filterd.appliance.finding import UnseenError, clean, found, unseen
from filterd.appliance.forward_rules import Way
from filterd.appliance.link_probes import forwards
from filterd.appliance.local_network import pupils_networks
from filterd.i18n import say
from filterd.policy.model import Tls
from filterd.resolve.explanation import passes
from filterd.wire import RRType
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filterd.appliance.examined_site import ExaminedSite
    from filterd.appliance.finding import ProbeFinding

DOH_NAMES = (
    "dns.google",
    "cloudflare-dns.com",
    "mozilla.cloudflare-dns.com",
    "dns.quad9.net",
    "doh.opendns.com",
    "dns.adguard-dns.com",
)
"""Names of large public resolvers by HTTPS, by which browsers and systems find them."""
CHECK_HOST, CHECK_PATH = "connectivitycheck.gstatic.com", "/generate_204"
"""A page without content, which Android asks for to detect portals."""

_WAYS = (("udp", 53), ("tcp", 53), ("tcp", 853))
"""To resolvers in clear, and by TLS (RFC 7858)."""
_HTTP_PORT, _NO_CONTENT, _STATUS_OCTETS = 80, b" 204", len("HTTP/1.1 204")
_REQUEST = f"GET {CHECK_PATH} HTTP/1.1\r\nHost: {CHECK_HOST}\r\nConnection: close\r\n\r\n"
_WITHIN_S = 3.0


async def captive_portal(site: ExaminedSite) -> list[ProbeFinding]:
    """Probe whether a login page stands between this machine and the Internet."""
    plain = [one for one in site.upstreams if one.tls is Tls.NO]
    if not plain:
        raise UnseenError(say("all upstreams are asked by TLS, which no portal can alter"))
    try:
        answer = await stub_query.ask(plain[0].address, plain[0].port, CHECK_HOST)
    except TimeoutError:
        raise UnseenError(say("the upstream does not answer")) from None
    addresses = stub_query.addresses_in(answer)
    if not addresses:
        raise UnseenError(say("{name} has no address", name=CHECK_HOST))
    async with asyncio.timeout(_WITHIN_S):
        is_empty = await _is_empty_page(str(IPv4Address(min(addresses))))
    if is_empty:
        return [clean(say("pages come from where they should"))]
    return [
        found(
            say("another page comes for {name}: a login page stands in front", name=CHECK_HOST),
            say("log in there once, or have this machine let through by its MAC"),
        )
    ]


def other_resolvers(site: ExaminedSite) -> Iterator[ProbeFinding]:
    """Probe whether pupils can reach other resolvers than filterd, by port 53 or TLS."""
    if not forwards(site):
        raise UnseenError(
            say("this machine is not the gateway: the router decides what pupils may reach"),
        )
    rules = forward_rules.read()
    versions = [version for version in (4, 6) if forwards(site, version)]
    ways = [Way(version, *one) for version in versions for one in _WAYS]
    still_open = [one for one in ways if not rules.closes(one)]
    ports = ", ".join(map(str, still_open or ways))
    if not still_open:
        yield clean(say("rules of this gateway name the ports {ports}", ports=ports))
    elif rules.drops_others:
        yield unseen(say("no rule names the ports {ports}, and others are dropped", ports=ports))
    else:
        yield found(
            say("pupils can reach other resolvers (ports {ports})", ports=ports),
            say("send port 53 to filterd, and refuse 853 (nftables: redirect, reject)"),
        )


def doh_names(site: ExaminedSite) -> Iterator[ProbeFinding]:
    """Probe whether names of public resolvers by HTTPS are blocked for pupils."""
    grades = {one.grade for one in pupils_networks(site.policy)} or {site.policy.unknown_grade}
    open_names = [name for name in DOH_NAMES if any(_passes(site, name, one) for one in grades)]
    if open_names:
        yield found(
            say("browsers can find other resolvers by HTTPS: {names}", names=", ".join(open_names)),
            say("follow a list of them: filterd lists follow --recommended"),
        )
    else:
        yield clean(say("the names of public resolvers by HTTPS are blocked"))


def _passes(site: ExaminedSite, name: str, grade: str) -> bool:
    told = site.ask(
        "check",
        qname=names.from_text(name).hex(),
        qtype=int(RRType.A),
        grade=grade,
        client=None,
        at=None,
    )
    return passes(told["action"])


async def _is_empty_page(address: str) -> bool:
    """Return whether an address gives the page without content.

    The caller bounds the time.
    """
    reader, writer = await asyncio.open_connection(address, _HTTP_PORT)
    try:
        writer.write(_REQUEST.encode())
        return (await reader.readexactly(_STATUS_OCTETS)).endswith(_NO_CONTENT)
    except asyncio.IncompleteReadError as error:
        raise OSError(str(error)) from error
    finally:
        writer.close()
