# SPDX-License-Identifier: Apache-2.0
"""Look at this machine and its networks for the defaults of a set-up.

Everything is asked at once and takes a few seconds: addresses and routes, DHCP servers of
both kinds and router advertisements on each link of the school, the resolvers that were
found, plain and by TLS. What cannot be seen, without root or a network, is left out; the
questions then have no default.
"""

from __future__ import annotations

import asyncio
import contextlib
import grp
import pwd
from functools import partial
from ipaddress import ip_address
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from filterd.appliance import link_servers, local_network, stub_query
from filterd.appliance.setup.interview import Machine, OfferedUpstream, SchoolLink, SetupChoice
from filterd.base.errors import StoreError
from filterd.clients.device_rows import device_rows
from filterd.clients.device_survey import Seen, call_devices, makers_of
from filterd.clients.leases import LeaseFiles
from filterd.clients.network_view import devices
from filterd.overrides.rights.roles import ADMINS
from filterd.policy.model import LeaseFile, LeaseFormat, Tls, UpstreamServer
from filterd.texts.i18n import Sentence, say
from filterd.upstream.upstream_question import TLS_PORT

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable

    from filterd.appliance.link_servers import DhcpOffer, Dhcpv6Reply, RouterAdvertisement
    from filterd.appliance.local_network import LocalNetwork
    from filterd.appliance.stub_query import UpstreamTrial

T = TypeVar("T")

LEASE_FILES = ("/var/lib/misc/dnsmasq.leases",)

_MOST_ADDRESSES = 512
"""Of a link whose devices are called: the kernel's table has room for a thousand."""
_MOST_LINKS, _MOST_UPSTREAMS, _MOST_DEVICES = 8, 4, 40
_USERS = range(1_000, 60_000)
"""The ids of people (login.defs(5))."""


class Heard(NamedTuple):
    """The answers of the servers on the school's links."""

    offers: tuple[DhcpOffer, ...]
    advertised: tuple[RouterAdvertisement, ...]
    replies: tuple[Dhcpv6Reply, ...]


async def survey(user: str, lease_files: Iterable[str] = LEASE_FILES) -> Machine:
    """Return what was found.

    Args:
        user: who runs the set-up.
        lease_files: where DHCP servers of this machine keep their leases.
    """
    try:
        network = await local_network.look()
    except StoreError:
        return Machine(users=users(), user=user if user in users() else "")
    own = network.own
    routers = [str(route.router) for route in network.routes if route.router is not None]
    known = [one for one in (*network.resolvers, *routers) if one not in own]
    # A device that has not asked this machine yet is unknown to its kernel. While the link is
    # listened to there is time to answer.
    await asyncio.to_thread(call_devices, _possible(network))
    heard, trials = await asyncio.gather(listen(network), _tried(known))
    offered = [one for offer in heard.offers for one in offer.resolvers]
    trials += await _tried(one for one in offered if one not in own and one not in known)
    with contextlib.suppress(StoreError):
        network = network._replace(neighbours=(await local_network.look()).neighbours)
    lease_file = next((file for file in lease_files if Path(file).is_file()), "")
    return Machine(
        links=tuple(_links(network)),
        outward=tuple(sorted(network.outward)),
        router=next((router for router in routers if ":" not in router), ""),
        upstreams=_offered(trials, network.resolvers),
        dhcp=handing_out_others(heard.offers, own),
        advertised=_others_by_ipv6(heard, own),
        lease_file=lease_file,
        users=users(),
        user=user if user in users() else "",
        devices=await asyncio.to_thread(_devices, network, routers, lease_file),
        probe_dhcp=partial(_probe_again, network),
    )


def users() -> tuple[str, ...]:
    """Return the people of this machine.

    There are none where its groups of filterd are not made.
    """
    try:
        grp.getgrnam(ADMINS)
    except KeyError:
        return ()
    found = (one for one in pwd.getpwall() if one.pw_uid in _USERS)
    return tuple(sorted(one.pw_name for one in found if not one.pw_shell.endswith("nologin")))


async def listen(network: LocalNetwork) -> Heard:
    """Return the DHCP offers and router advertisements on the links of the school."""
    links = network.lan[:_MOST_LINKS]
    offers = [_heard(link_servers.dhcp_offers(link.name, link.mac)) for link in links if link.mac]
    routers = [_heard(link_servers.advertisements(link.name)) for link in links]
    replies = [
        _heard(link_servers.dhcpv6_replies(link.name, link.mac)) for link in links if link.mac
    ]
    offered, advertised, replied = await asyncio.gather(
        asyncio.gather(*offers), asyncio.gather(*routers), asyncio.gather(*replies)
    )
    return Heard(
        tuple(chain.from_iterable(offered)),
        tuple(chain.from_iterable(advertised)),
        tuple(chain.from_iterable(replied)),
    )


async def _heard(probe: Awaitable[tuple[T, ...]]) -> tuple[T, ...]:
    """Return what a probe finds.

    It finds nothing without root, or on a link without that protocol.
    """
    try:
        return await probe
    except OSError:
        return ()


def handing_out_others(offers: Iterable[DhcpOffer], own: frozenset[str]) -> tuple[str, ...]:
    """Return the DHCP servers that hand out a resolver other than this machine."""
    return tuple(dict.fromkeys(offer.server for offer in offers if set(offer.resolvers) - own))


def _others_by_ipv6(heard: Heard, own: frozenset[str]) -> tuple[str, ...]:
    """Return the routers and DHCPv6 servers that announce another resolver.

    That is a resolver other than this machine.
    """
    routers = [one.router for one in heard.advertised if set(one.resolvers) - own]
    servers = [reply.server for reply in heard.replies if set(reply.resolvers) - own]
    return tuple(dict.fromkeys(routers + servers))


def _probe_again(network: LocalNetwork) -> tuple[str, ...]:
    return handing_out_others(asyncio.run(listen(network)).offers, network.own)


def _links(network: LocalNetwork) -> Iterable[SchoolLink]:
    """Yield the IPv4 networks of the school's side, and those of ULA (RFC 4193)."""
    for interface in network.lan:
        for address in interface.addresses:
            if address.ip.is_private and not address.ip.is_link_local:
                yield SchoolLink(str(address.network), interface.name, str(address.ip))


def _possible(network: LocalNetwork) -> Iterable[Seen]:
    """Yield the addresses that devices of the school's IPv4 links may have."""
    for prefix in network.links.lan[:_MOST_LINKS]:
        if prefix.network.version == 4 and prefix.network.num_addresses <= _MOST_ADDRESSES:
            for address in prefix.network.hosts():
                yield Seen("", str(address), prefix.interface, False, None, "")


def _devices(
    network: LocalNetwork, routers: Iterable[str], lease_file: str
) -> tuple[SetupChoice, ...]:
    """Return the devices of the neighbour table and the leases, without the routers.

    Those with a MAC of their maker come first: a randomised one is a telephone's as a rule, and
    names it only until it makes another one.
    """
    files = (LeaseFile(lease_file, LeaseFormat.DNSMASQ),) if lease_file else ()
    leases = LeaseFiles(files).read()
    hosts = {lease.mac: lease.host for lease in leases if lease.mac and lease.host}
    seen = [
        Seen(device.mac, str(address), interface, True, None, hosts.get(device.mac, ""))
        for (address, interface), device in devices(
            network.neighbours, leases, network.links
        ).items()
        if not device.is_router
    ]
    routing = {one.mac for one in seen if one.address in routers}
    seen = [one for one in seen if one.mac not in routing]
    rows = device_rows(seen, {}, makers_of({one.mac for one in seen}))
    rows.sort(key=lambda row: row["is_random"])
    return tuple(SetupChoice(row["mac"], _device(row)) for row in rows[:_MOST_DEVICES])


def _device(row: dict[str, Any]) -> Sentence:
    known = ", ".join(filter(None, (row["host"], row["maker"], row["addresses"][0])))
    if row["is_random"]:
        return say("{device} (randomised MAC)", device=known)
    return say("{device}", device=known)


async def _tried(addresses: Iterable[str]) -> list[UpstreamTrial]:
    """Try resolvers, each plain and by TLS.

    One of loopback is left out: it may be filterd, which runs already.
    """
    there = [
        address
        for address in dict.fromkeys(addresses)
        if "%" not in address and not ip_address(address).is_loopback
    ]
    servers = [UpstreamServer(one) for one in there[:_MOST_UPSTREAMS]]
    servers += [
        UpstreamServer(server.address, TLS_PORT, Tls.STRICT, server.address) for server in servers
    ]
    return list(await asyncio.gather(*map(stub_query.attempt, servers)))


def _offered(
    trials: Iterable[UpstreamTrial], system: tuple[str, ...]
) -> tuple[OfferedUpstream, ...]:
    """Return the resolvers that were tried, working ones first."""
    offered = [OfferedUpstream(_answer(trial), _about(trial), _works(trial)) for trial in trials]
    for one in (one for one in offered if one.answer == next(iter(system), "")):
        about = say(
            "what this machine uses now, {address}: {how}", address=one.answer, how=one.about
        )
        offered.insert(0, OfferedUpstream("system", about, one.works))
        break
    return tuple(sorted(offered, key=lambda one: not one.works))


def _answer(trial: UpstreamTrial) -> str:
    server = trial.server
    return f"tls:{server.address}" if server.tls is Tls.STRICT else server.address


def _works(trial: UpstreamTrial) -> bool:
    return not (trial.problem or trial.is_captive or trial.rewrites_nxdomain)


def _about(trial: UpstreamTrial) -> Sentence:
    if trial.problem:
        return say("does not work: {why}", why=trial.problem)
    if trial.is_captive:
        return say("answers every name with one address: a login page stands before it")
    if trial.rewrites_nxdomain:
        return say("gives names that do not exist an address")
    if trial.validates:
        return say("answers in {ms} ms and validates DNSSEC", ms=trial.rtt_ms)
    return say("answers in {ms} ms", ms=trial.rtt_ms)
