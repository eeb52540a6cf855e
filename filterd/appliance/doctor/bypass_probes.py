# SPDX-License-Identifier: Apache-2.0
"""Probe the ways past filterd: other resolvers, DNS over HTTPS, a portal in front.

Whether a pupil's device reaches another resolver is decided where its packets are forwarded.
This machine forwards them only as a gateway. Its rules are then read, link by link
(``firewall_rules``): a rule for one of four links leaves three open.

Resolvers by HTTPS are found by their names; their addresses are those of other pages, too.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from ipaddress import IPv4Address, ip_network
from typing import TYPE_CHECKING

from filterd.appliance import stub_query
from filterd.appliance.doctor.firewall_rules import Passage, PupilLink, Way, read
from filterd.appliance.doctor.link_probes import forwards
from filterd.appliance.doctor.probe import UnseenError, clean, found, unseen
from filterd.appliance.local_network import pupils_networks
from filterd.base.protection_facts import ProtectionFacts
from filterd.base.protection_level import judge_only
from filterd.base.protection_line import ProtectionSubject
from filterd.policy.model import Tls
from filterd.resolve.explanation import passes
from filterd.texts.i18n import say
from filterd.wire import RRType
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from ipaddress import IPv4Network, IPv6Network

    from filterd.appliance.doctor.probe import ExaminedSite, ProbeFinding
    from filterd.appliance.local_network import LocalNetwork
    from filterd.policy.model import Policy

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
    """Probe whether a login page stands between this machine and the Internet.

    Raises:
        UnseenError: it cannot be seen from here.
    """
    plain = [upstream for upstream in site.upstreams if upstream.tls is Tls.NO]
    if not plain:
        raise UnseenError(say("all upstreams are asked by TLS, which no portal can alter"))
    try:
        answer = await stub_query.ask(plain[0].address, plain[0].port, CHECK_HOST)
    except TimeoutError:
        raise UnseenError(say("the upstream does not answer")) from None
    addresses = stub_query.addresses_in(answer)
    if not addresses:
        raise UnseenError(say("{name} has no address", name=CHECK_HOST))
    try:
        async with asyncio.timeout(_WITHIN_S):
            is_empty = await _is_empty_page(str(IPv4Address(min(addresses))))
    except TimeoutError:
        late = say("no page comes from {name} within {n} s", name=CHECK_HOST, n=round(_WITHIN_S))
        raise UnseenError(late) from None
    if is_empty:
        return [clean(say("pages come from where they should"))]
    return [
        found(
            say("another page comes for {name}: a login page stands in front", name=CHECK_HOST),
            say("log in there once, or have this machine let through by its MAC"),
        )
    ]


def other_resolvers(site: ExaminedSite) -> Iterator[ProbeFinding]:
    """Probe whether pupils of each link can reach other resolvers, by port 53 or TLS.

    Raises:
        UnseenError: this machine is not the gateway.
    """
    if not forwards(site):
        raise UnseenError(
            say("this machine is not the gateway: the router decides what pupils may reach"),
        )
    ways = open_ways(site)
    passages = passages_of(ways)
    facts = ProtectionFacts(now=site.clock.wall(), links=passages)
    for short in judge_only((ProtectionSubject.LINKS,), facts).short:
        where = [f"{name} ({_ports(ways[name][Passage.OPEN])})".lstrip() for name in short.items]
        text = say("{what}: {links}", what=short.sentence, links=", ".join(where))
        yield found(text, short.remedy)
    if unsure := [name for name, passage in passages.items() if passage == Passage.UNSURE]:
        links = ", ".join(unsure)
        yield unseen(say("{links}: some rules let packets pass that may be lookups", links=links))
    if all(passage == Passage.CLOSED for passage in passages.values()):
        closed = {str(way): None for by in ways.values() for way in by[Passage.CLOSED]}
        yield clean(
            say(
                "on each link of pupils rules of this gateway close the ports {ports}",
                ports=", ".join(closed),
            )
        )


def open_ways(site: ExaminedSite) -> dict[str, dict[Passage, list[Way]]]:
    """Return by link of pupils the ways to other resolvers that are open or not.

    Raises:
        UnseenError: the rules, or what this machine serves, cannot be read.
    """
    rules = read(site.network.outward, site.network.own)
    versions = [version for version in (4, 6) if forwards(site, version)]
    result = dict[str, dict[Passage, list[Way]]]()
    for link in pupils_links(site.network, site.policy):
        by = defaultdict[Passage, list[Way]](list)
        for way in (Way(version, *one) for version in versions for one in _WAYS):
            by[rules.passage(link, way)].append(way)
        result[link.name] = by
    return result


def link_passages(site: ExaminedSite) -> dict[str, str]:
    """Return for each link of pupils whether other resolvers can be reached.

    There are none where this machine is not the gateway.

    Raises:
        UnseenError: as ``open_ways``.
    """
    return passages_of(open_ways(site)) if forwards(site) else {}


def passages_of(ways: Mapping[str, Mapping[Passage, Sequence[Way]]]) -> dict[str, str]:
    """Return the worst passage of each link, as ``ProtectionFacts.links`` has it."""
    order = (Passage.OPEN, Passage.UNSURE, Passage.CLOSED)
    return {name: next(one for one in order if by.get(one)).value for name, by in ways.items()}


def pupils_links(network: LocalNetwork, policy: Policy) -> list[PupilLink]:
    """Return the links of pupils; one without a name where no link is known."""
    named: defaultdict[str, list[IPv4Network | IPv6Network]] = defaultdict(list)
    for prefix in network.links.lan:
        if not prefix.network.is_link_local and prefix.interface in {
            one.name for one in network.lan
        }:
            named[prefix.interface].append(prefix.network)
    links = [PupilLink(name, tuple(found_there)) for name, found_there in named.items()]
    if not links:
        return [PupilLink("")]
    return [link for link in links if not _is_of_staff(link, policy)]


def _is_of_staff(link: PupilLink, policy: Policy) -> bool:
    on_it = [
        network
        for network in policy.networks
        if link.name in network.interfaces
        or any(
            cidr.version == prefix.version and cidr.overlaps(prefix)
            for cidr in map(ip_network, network.cidrs)
            for prefix in link.networks
        )
    ]
    pupils = pupils_networks(policy)
    return bool(on_it) and not any(one in pupils for one in on_it)


def _ports(ways: Iterable[Way]) -> str:
    return ", ".join(map(str, ways))


def doh_names(site: ExaminedSite) -> Iterator[ProbeFinding]:
    """Probe whether names of public resolvers by HTTPS are blocked for pupils."""
    grades = {network.grade for network in pupils_networks(site.policy)} or {
        site.policy.unknown_grade
    }
    open_names = [name for name in DOH_NAMES if any(_passes(site, name, grade) for grade in grades)]
    if open_names:
        yield found(
            say("browsers can find other resolvers by HTTPS: {names}", names=", ".join(open_names)),
            say("follow a list of them: filterd lists follow --recommended"),
        )
    else:
        yield clean(say("the names of public resolvers by HTTPS are blocked"))


def _passes(site: ExaminedSite, name: str, grade: str) -> bool:
    decision = site.ask(
        "check",
        qname=names.from_text(name).hex(),
        qtype=int(RRType.A),
        grade=grade,
        client=None,
        at=None,
    )
    return passes(decision["action"])


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
