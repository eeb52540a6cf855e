# SPDX-License-Identifier: Apache-2.0
"""Probe the links of the school's side.

The probes are of placement, DHCP, IPv6 routers, and the login at the switch.
"""

from __future__ import annotations

import asyncio
from ipaddress import ip_network
from typing import TYPE_CHECKING

from filterd.appliance import link_servers
from filterd.appliance.doctor.probe import ProbeFinding, UnseenError, clean, found, unseen
from filterd.policy.model import STAFF
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filterd.appliance.doctor.probe import ExaminedSite
    from filterd.appliance.link_servers import DhcpOffer, Dhcpv6Reply, RouterAdvertisement
    from filterd.appliance.local_network import NetworkInterface

_MOST_LINKS = 16


def forwards(site: ExaminedSite, version: int = 4) -> bool:
    """Return whether this machine forwards packets of an IP version, as gateways do.

    Raises:
        OSError: /proc cannot be read.
    """
    name = {4: "ipv4/ip_forward", 6: "ipv6/conf/all/forwarding"}[version]
    path = site.root / "proc/sys/net" / name
    return path.exists() and path.read_text(encoding="ascii").strip() == "1"


async def placement(site: ExaminedSite) -> list[ProbeFinding]:
    """Probe which placement is live, and whether it is whole.

    A: DNS on a flat LAN; B: DHCP, DNS and gateway on one interface; C: in line with two.
    """
    network, is_gateway = site.network, forwards(site)
    lan = network.lan
    if not lan:
        return [
            found(
                say("no interface of the school's side is up and has an address"),
                say("connect the cable, give it an address, then: filterd doctor"),
            )
        ]
    if not network.routes:
        remedy = say("set the router as default gateway of this machine")
        return [found(say("this machine has no way to the Internet (no default route)"), remedy)]
    names = ", ".join(one.name for one in lan)
    if not is_gateway:
        return [clean(say("A: DNS on a flat LAN ({links})", links=names))]
    if network.outward - {one.name for one in lan}:
        return [clean(say("C: in line, with the school's side on {links}", links=names))]
    return [clean(say("B: gateway on one interface ({links})", links=names))]


async def dhcp(site: ExaminedSite) -> list[ProbeFinding]:
    """Probe which DHCP servers answer, and whether they hand out this machine as DNS."""
    links = _links(site)
    asked = (link_servers.dhcp_offers(one.name, one.mac) for one in links)
    offers = await asyncio.gather(*asked)
    own, findings = site.network.own, list[ProbeFinding]()
    in_order, silent = list[str](), list[str]()
    for link, found_there in zip(links, offers, strict=True):
        faults = list(_of_dhcp(link.name, found_there, own, is_router=forwards(site)))
        findings += faults
        if not faults:
            (in_order if found_there else silent).append(link.name)
    if in_order:
        names = ", ".join(in_order)
        findings.append(clean(say("{links}: DHCP hands out filterd", links=names)))
    if silent:
        findings.append(unseen(say("{links}: no DHCP server answers", links=", ".join(silent))))
    return findings


def staff_ranges(site: ExaminedSite) -> Iterator[ProbeFinding]:
    """Probe whether a range of the staff is on a link that others use, too.

    Who takes such an address is of the staff. A range that is all of its link distinguishes.
    """
    policy, shared = site.policy, False
    links = [(one.interface, one.network) for one in site.network.links.lan]
    by_grade = {
        is_staff: [
            ip_network(cidr)
            for network in policy.networks
            if (policy.grades[network.grade].tier == STAFF) is is_staff
            for cidr in network.cidrs
        ]
        for is_staff in (True, False)
    }
    for own in by_grade[True]:
        for interface, link in links:
            if own.version != link.version or not own.overlaps(link):
                continue
            is_part = own.prefixlen > link.prefixlen
            others = any(
                one.version == link.version and one.overlaps(link) for one in by_grade[False]
            )
            if is_part or others:
                shared = True
                yield found(
                    say(
                        "{link}: {range} of the staff is on a link that others use: a pupil may"
                        " take such an address",
                        link=interface,
                        range=str(own),
                    ),
                    say("give the staff a VLAN of its own, or name its devices by macs"),
                )
    if not shared:
        yield clean(say("no range of the staff is on a link that others use"))


async def ipv6_dns(site: ExaminedSite) -> list[ProbeFinding]:
    """Probe whether IPv6 routers or DHCPv6 servers hand out another DNS.

    That is any DNS other than this machine.
    """
    links = [one for one in _links(site) if any(ip.version == 6 for ip in one.addresses)]
    if not links:
        return [unseen(say("this machine has no IPv6 on the school's side"))]
    routers, servers = await asyncio.gather(
        asyncio.gather(*(link_servers.advertisements(one.name) for one in links)),
        asyncio.gather(*(link_servers.dhcpv6_replies(one.name, one.mac) for one in links)),
    )
    own, findings = site.network.own, list[ProbeFinding]()
    for link, advertised, replied in zip(links, routers, servers, strict=True):
        findings += _of_ipv6(link.name, advertised, replied, own)
    return findings or [clean(say("no IPv6 router or DHCPv6 server hands out other DNS"))]


async def port_login(site: ExaminedSite) -> list[ProbeFinding]:
    """Probe whether a switch asks this machine for a login."""
    links = [
        interface for interface in site.network.interfaces if interface.mac and interface.is_up
    ][:_MOST_LINKS]
    answers = await asyncio.gather(*(link_servers.authenticators(one.name) for one in links))
    return [
        found(
            say("the switch at {link} asks for a login (802.1X)", link=link.name),
            say("have the port of this machine exempted, by its MAC {mac}", mac=link.mac),
        )
        for link, found_there in zip(links, answers, strict=True)
        if found_there
    ] or [clean(say("no switch asks for a login"))]


def _of_dhcp(
    link: str, offers: tuple[DhcpOffer, ...], own: frozenset[str], *, is_router: bool
) -> Iterator[ProbeFinding]:
    """Yield what is wrong with the servers of a link."""
    servers = {one.server for one in offers}
    if len(servers) > 1:
        yield found(
            say(
                "{link}: several DHCP servers: {servers}",
                link=link,
                servers=", ".join(sorted(servers)),
            ),
            say("keep one; switch DHCP off in the router, or unplug the device that is not known"),
        )
    for offer in offers:
        others = [resolver for resolver in offer.resolvers if resolver not in own]
        if others or not offer.resolvers:
            yield found(
                say(
                    "{link}: {server} hands out DNS that is not filterd: {dns}",
                    link=link,
                    server=offer.server,
                    dns=", ".join(others) or offer.server,
                ),
                say("in its DHCP settings, name this machine as the only DNS server"),
            )
        if own.intersection(offer.routers) and not is_router:
            yield found(
                say("{link}: DHCP names this machine as router, and it does not route", link=link),
                say("set net.ipv4.ip_forward=1 in /etc/sysctl.d, or name the right router there"),
            )


def _of_ipv6(
    link: str,
    routers: tuple[RouterAdvertisement, ...],
    servers: tuple[Dhcpv6Reply, ...],
    own: frozenset[str],
) -> Iterator[ProbeFinding]:
    """Yield each router or server whose DNS is not this machine."""
    remedy = say(
        "in this order: switch off IPv6 DNS in the router; or IPv6; or let the switch drop router"
        " advertisements (RA guard); or put this machine in line"
    )
    by_router = say("{link}: the IPv6 router {who} advertises DNS that is not filterd: {dns}")
    by_dhcp = say("{link}: the DHCPv6 server {who} hands out DNS that is not filterd: {dns}")
    for text, server, resolvers in (
        *((by_router, router.router, router.resolvers) for router in routers),
        *((by_dhcp, one.server, one.resolvers) for one in servers),
    ):
        others = [resolver for resolver in resolvers if resolver not in own]
        if others:
            yield found(
                text.filled({"link": link, "who": server, "dns": ", ".join(others)}), remedy
            )


def _links(site: ExaminedSite) -> list[NetworkInterface]:
    """Return the links of the school's side.

    Raises:
        UnseenError: there is none.
    """
    links = [one for one in site.network.lan if one.mac][:_MOST_LINKS]
    if not links:
        raise UnseenError(say("no interface of the school's side is up"))
    return links
