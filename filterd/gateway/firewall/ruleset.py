# SPDX-License-Identifier: Apache-2.0
"""Write the rules of the firewall as the text of one nftables table. Pure.

A forwarded packet has a tier, which it gets as a client does (``filterd.clients``): by the MAC of
its device, by the narrowest range that holds its address, by the interface on which it came in,
and else the strictest. So a link that the site does not name has the rules of pupils. An address
of staff on a link of pupils gains nothing but what leaves: the replies go to the link of staff.

Two chains meet a packet. ``lookups`` sends port 53 to elsewhere back to this machine, a
connection at its first packet; ``passage`` refuses what is closed at once, and port 53, too, where
a connection is older than the rules. Both come before those of other tables at the same hooks; a
refusal there is final whatever another table says. Nothing is said of packets to this machine.

The text replaces the table in one transaction: there is no moment without rules.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TYPE_CHECKING, NamedTuple

from filterd.base.errors import ConfigError
from filterd.policy.firewall_settings import ClosedWay
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from filterd.gateway.firewall.listed_addresses import ClosedAddresses
    from filterd.policy.model import Policy

TABLE = "filterd"
"""Of the family ``inet``."""

_BEFORE_OTHERS = 10
"""How much earlier than the usual priority of a hook the chains are."""
_DNS_PORT = 53
_ENCRYPTED_PORTS = "{ 784, 853, 8853 }"
"""DNS over TLS and over QUIC (RFC 7858, RFC 9250), and the ports of their drafts."""
_HTTPS_PORT = 443
_IPSEC_PORTS = "{ 500, 4500 }"
"""IKE and its passage through NAT (RFC 7296), by which Wi-Fi calling goes, too."""
_IPSEC_PROTOCOLS = "{ 50, 51 }"
"""ESP and AH, by number: a machine may have no /etc/protocols."""
_VPN_PORTS = "{ 1194, 1701, 1723, 2408, 51820 }"
"""OpenVPN, L2TP, PPTP, WARP and WireGuard, where they stand at their usual ports."""
_is_interface = re.compile(r"[A-Za-z0-9_.@:+-]{1,15}", re.ASCII).fullmatch
"""What is written into the text between quotes; the kernel would take more."""
_PORT = "meta l4proto { tcp, udp } th dport"


class ClosedTier(NamedTuple):
    """A tier, and the ways that are closed to it.

    Without ``dns`` it may ask elsewhere.
    """

    tier: str
    ways: frozenset[ClosedWay]


class FirewallSource(NamedTuple):
    """The marks of a network's devices, and their tier.

    The marks are as in ``filterd.policy.model.Network``.
    """

    tier: str
    cidrs: tuple[str, ...] = ()
    interfaces: tuple[str, ...] = ()
    macs: tuple[str, ...] = ()


class FirewallPlan(NamedTuple):
    """All that the rules are made from.

    ``unknown_tier`` is that of a device that no source names; it is one of ``tiers``, as is that
    of each source. ``outward`` are the links to the Internet, which have no rules; where none is
    known, every link has them. ``resolvers`` and ``tunnels`` are the addresses behind which there
    is nothing else.
    """

    tiers: tuple[ClosedTier, ...]
    sources: tuple[FirewallSource, ...]
    unknown_tier: str
    outward: tuple[str, ...] = ()
    dns_port: int = _DNS_PORT
    resolvers: tuple[IPv4Network | IPv6Network, ...] = ()
    tunnels: tuple[IPv4Network | IPv6Network, ...] = ()


class Counted(NamedTuple):
    """What a counter has counted."""

    packets: int
    octets: int


def plan_of(
    policy: Policy, outward: Iterable[str] = (), addresses: ClosedAddresses | None = None
) -> FirewallPlan:
    """Return the plan of a site.

    Args:
        policy: of the site's files.
        outward: the links to the Internet, as the kernel names them.
        addresses: of resolvers and tunnels; None for none.

    Raises:
        ConfigError: a network names an interface that no machine can have.
    """
    sources = tuple(
        FirewallSource(policy.grades[one.grade].tier, one.cidrs, one.interfaces, one.macs)
        for one in policy.networks
    )
    for network in policy.networks:
        for name in network.interfaces:
            if not _is_interface(name):
                raise ConfigError(
                    say("'{name}' cannot be the name of an interface", name=name[:40]),
                    path=f"networks.{network.id}.interfaces",
                    hint=say("`ip link` shows the interfaces"),
                )
    unknown = policy.grades[policy.unknown_grade].tier
    tiers = dict.fromkeys((unknown, *(source.tier for source in sources)))
    ports = [one.port for one in policy.listen]
    return FirewallPlan(
        tuple(ClosedTier(tier, frozenset(policy.firewall.closed_to(tier))) for tier in tiers),
        sources,
        unknown,
        tuple(sorted(one for one in outward if _is_interface(one))),
        _DNS_PORT if _DNS_PORT in ports else next(iter(ports), _DNS_PORT),
        addresses.resolvers if addresses else (),
        addresses.tunnels if addresses else (),
    )


def text(plan: FirewallPlan, counted: Mapping[str, Counted] | None = None) -> str:
    """Return the text for ``nft -f`` that replaces the table by that of a plan.

    Args:
        plan: its interfaces, MACs and ranges are checked; nothing is quoted twice.
        counted: by the name of a counter (``counter_of``), where it goes on from.
    """
    lines = [
        *_sets(plan),
        *_counters(plan, counted or {}),
        *_chain_of_lookups(plan),
        *_chain_of_passage(plan),
    ]
    table = f"table inet {TABLE}"
    body = "\n".join(f"  {line}" for line in lines)
    return f"add {table}\ndelete {table}\n{table} {{\n{body}\n}}\n"


def counter_of(tier: str, way: ClosedWay) -> str:
    """Return the name of the counter of what a tier found closed."""
    return f"{_word(tier)}_{way.value}"


def _word(tier: str) -> str:
    return tier.replace("-", "_")  # which a name in nftables cannot hold


def _sets(plan: FirewallPlan) -> Iterator[str]:
    yield _set("outward", "ifname", (f'"{one}"' for one in plan.outward), is_of_ranges=False)
    for name, networks in (("resolvers", plan.resolvers), ("tunnels", plan.tunnels)):
        for version, kind in ((4, "ipv4_addr"), (6, "ipv6_addr")):
            found = (str(network) for network in networks if network.version == version)
            yield _set(f"{name}{version}", kind, found, is_of_ranges=True)


def _set(name: str, kind: str, elements: Iterable[str], *, is_of_ranges: bool) -> str:
    flags = "flags interval; auto-merge; " if is_of_ranges else ""
    named = ", ".join(elements)
    return f"set {name} {{ type {kind}; {flags}{f'elements = {{ {named} }} ' if named else ''}}}"


def _counters(plan: FirewallPlan, counted: Mapping[str, Counted]) -> Iterator[str]:
    for tier in plan.tiers:
        for way in sorted(tier.ways):
            name = counter_of(tier.tier, way)
            packets, octets = counted.get(name, Counted(0, 0))
            yield f"counter {name} {{ packets {packets} bytes {octets} }}"


def _chain_of_lookups(plan: FirewallPlan) -> Iterator[str]:
    for tier in plan.tiers:
        yield f"chain lookups_{_word(tier.tier)} {{"
        if ClosedWay.DNS in tier.ways:
            counter = counter_of(tier.tier, ClosedWay.DNS)
            yield f"  {_PORT} {_DNS_PORT} counter name {counter} redirect to :{plan.dns_port}"
        yield "}"
    yield "chain lookups {"
    yield f"  type nat hook prerouting priority dstnat - {_BEFORE_OTHERS}; policy accept;"
    yield "  iifname @outward return"
    yield "  fib daddr type local return"
    yield from _leading(plan, "lookups")
    yield "}"


def _chain_of_passage(plan: FirewallPlan) -> Iterator[str]:
    for tier in plan.tiers:
        yield f"chain passage_{_word(tier.tier)} {{"
        for way in sorted(tier.ways):
            for asked in _asked(way):
                yield from _refusals(asked, counter_of(tier.tier, way))
        yield "}"
    yield "chain passage {"
    yield f"  type filter hook forward priority filter - {_BEFORE_OTHERS}; policy accept;"
    yield "  iifname @outward return"
    yield from _leading(plan, "passage")
    yield "}"


def _asked(way: ClosedWay) -> tuple[str, ...]:
    """Return what packets of a way have, each beginning with their protocols."""
    if way is ClosedWay.RESOLVERS:
        ends = tuple(f"{ip} daddr @resolvers{n}" for ip, n in (("ip", 4), ("ip6", 6)))
        return tuple(f"{_PORT} {_HTTPS_PORT} {end}" for end in ends)
    if way is ClosedWay.TUNNELS:
        return "ip daddr @tunnels4", "ip6 daddr @tunnels6"
    if way is ClosedWay.IPSEC:
        return f"{_PORT} {_IPSEC_PORTS}", f"meta l4proto {_IPSEC_PROTOCOLS}"
    ports = {
        ClosedWay.DNS: str(_DNS_PORT),
        ClosedWay.ENCRYPTED: _ENCRYPTED_PORTS,
        ClosedWay.VPN: _VPN_PORTS,
    }
    return (f"{_PORT} {ports[way]}",)


def _refusals(asked: str, counter: str) -> Iterator[str]:
    """Yield the rules that refuse packets so that who sends them knows at once."""
    yield f"  {asked} meta l4proto tcp counter name {counter} reject with tcp reset"
    yield f"  {asked} counter name {counter} reject with icmpx type port-unreachable"


def _leading(plan: FirewallPlan, chain: str) -> Iterator[str]:
    """Yield the rules that lead a packet into the chain of its tier.

    The first that matches decides, in the order of ``filterd.clients.identifier``.
    """
    for source in plan.sources:
        if source.macs:
            yield f"  ether saddr {_any_of(source.macs)} goto {chain}_{_word(source.tier)}"
    for network, tier in _by_width(plan.sources):
        ip = "ip" if network.version == 4 else "ip6"
        yield f"  {ip} saddr {network} goto {chain}_{_word(tier)}"
    for source in plan.sources:
        if source.interfaces:
            names = _any_of(f'"{interface}"' for interface in source.interfaces)
            yield f"  iifname {names} goto {chain}_{_word(source.tier)}"
    yield f"  goto {chain}_{_word(plan.unknown_tier)}"


def _by_width(sources: Iterable[FirewallSource]) -> list[tuple[IPv4Network | IPv6Network, str]]:
    ranges = [(ip_network(cidr), source.tier) for source in sources for cidr in source.cidrs]
    return sorted(ranges, key=lambda item: item[0].prefixlen, reverse=True)


def _any_of(values: Iterable[str]) -> str:
    return f"{{ {', '.join(values)} }}"
