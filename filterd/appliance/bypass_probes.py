# SPDX-License-Identifier: Apache-2.0
"""Probe the ways past filterd: other resolvers, DNS over HTTPS, a portal in front.

Whether a pupil's device reaches another resolver is decided where its packets are forwarded.
This machine forwards them only as a gateway. Its rules are then read from nftables, and not tried:
a packet of its own would not pass them. Only plain rules are recognised, a destination port and a
verdict. From which network a packet must come is not read; a rule for one of two networks counts
for both.

Resolvers by HTTPS are found by their names; their addresses are those of other pages, too.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Any, NamedTuple

from filterd import bounded_child
from filterd.appliance import stub_query
from filterd.appliance.link_probes import forwards
from filterd.appliance.local_network import pupils_networks
from filterd.appliance.probe import UnseenError, clean, found, unseen
from filterd.i18n import say
from filterd.policy.model import Tls
from filterd.resolve.explanation import passes
from filterd.wire import RRType
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filterd.appliance.probe import ExaminedSite, ProbeFinding

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
    """Probe whether pupils can reach other resolvers than filterd, by port 53 or TLS."""
    if not forwards(site):
        raise UnseenError(
            say("this machine is not the gateway: the router decides what pupils may reach"),
        )
    rules = read()
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


_LISTED_WITHIN_S, _LARGEST_LISTING = 5.0, 16 * 2**20
_PATH = "/usr/sbin:/sbin"
_NOT_FORWARDED = frozenset(("input", "output", "postrouting", "egress"))
"""Hooks that a packet on its way through does not meet, or only behind the decision."""
_ENDS = frozenset(("drop", "reject", "redirect", "dnat", "tproxy"))
"""Verdicts that keep a packet from where it was sent."""
_NUMBERS = {"tcp": 6, "udp": 17}
"""As nft writes them where a machine has no /etc/protocols (Debian's netbase)."""
_FAMILIES = {4: ("inet", "ip"), 6: ("inet", "ip6")}


class Way(NamedTuple):
    """A way to another resolver: IP version, protocol (``udp`` or ``tcp``), port."""

    version: int
    protocol: str
    port: int

    def __str__(self) -> str:
        return f"{self.port}/{self.protocol}" + (" IPv6" if self.version == 6 else "")


class ForwardRules(NamedTuple):
    """The rules that forwarded packets may meet.

    ``drops_others``: whether packets that they do not name are dropped.
    """

    rules: tuple[dict[str, Any], ...]
    drops_others: bool

    def closes(self, way: Way) -> bool:
        """Return whether a rule keeps packets from this way."""
        return any(_closes(one, way) for one in self.rules)


def read() -> ForwardRules:
    """Read the rules of nftables; those of iptables stand among them.

    Raises:
        UnseenError: they cannot be listed.
    """
    program = shutil.which("nft", path=f"{os.environ.get('PATH', '')}:{_PATH}")
    if program is None:  # no rules, or those of another tool
        raise UnseenError(say("nftables is not installed: its rules cannot be read"))
    try:
        words = (program, "-j", "list", "ruleset")
        ended = bounded_child.run(words, limit_s=_LISTED_WITHIN_S, most_octets=_LARGEST_LISTING)
        listed = json.loads(ended.output)["nftables"]
        chains = [one["chain"] for one in listed if "chain" in one]
        apart = {_place(one, "name") for one in chains if one.get("hook") in _NOT_FORWARDED}
        rules = [one["rule"] for one in listed if "rule" in one]
        return ForwardRules(
            tuple(one for one in rules if _place(one, "chain") not in apart),
            any(one.get("hook") == "forward" and one.get("policy") == "drop" for one in chains),
        )
    except (OSError, ValueError, RecursionError, KeyError, TypeError) as error:
        raise UnseenError(say("`nft list ruleset` does not list the firewall")) from error


def _place(thing: dict[str, Any], key: str) -> tuple[Any, ...]:
    return thing["family"], thing["table"], thing[key]


def _closes(rule: dict[str, Any], way: Way) -> bool:
    parts = [one for one in rule.get("expr", []) if isinstance(one, dict)]
    matches = [one["match"] for one in parts if isinstance(one.get("match"), dict)]
    return (
        rule["family"] in _FAMILIES[way.version]
        and any(_names_port(one, way) for one in matches)
        and not any(_is_of_other_protocol(one, way) for one in matches)
        and any(_ENDS & set(one) for one in parts)
    )


def _names_port(match: dict[str, Any], way: Way) -> bool:
    payload = _left(match).get("payload", {})
    is_port = payload.get("field") == "dport" and payload.get("protocol") in (way.protocol, "th")
    return is_port and way.port in _right(match)


def _is_of_other_protocol(match: dict[str, Any], way: Way) -> bool:
    is_protocol = _left(match).get("meta", {}).get("key") == "l4proto"
    allowed = _right(match)
    return is_protocol and way.protocol not in allowed and _NUMBERS[way.protocol] not in allowed


def _left(match: dict[str, Any]) -> dict[str, Any]:
    left = match.get("left")
    return left if isinstance(left, dict) else {}


def _right(match: dict[str, Any]) -> list[Any]:
    """Return the values that a match allows; none of one that excludes some."""
    if match.get("op") not in ("==", "in"):
        return []
    right = match.get("right")
    listed = right.get("set") if isinstance(right, dict) else [right]
    return listed if isinstance(listed, list) else []
