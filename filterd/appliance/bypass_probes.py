# SPDX-License-Identifier: Apache-2.0
"""Probe the ways past filterd: other resolvers, DNS over HTTPS, and a portal in front.

Whether a pupil's device reaches another resolver is decided where its packets are forwarded.
This machine forwards them only as a gateway; its rules are then read from nftables, which no
packet of its own would pass. A rule that was not recognised is reported as unseen.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import shutil
import subprocess
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Any, NamedTuple

from filterd.appliance import stub_query
from filterd.appliance.finding import UnseenError, clean, found, unseen
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

DNS_PORT, DOT_PORT = 53, 853
_NO_CONTENT = 204
_WITHIN_S = 3.0
_NFT_WITHIN_S, _LARGEST = 5.0, 16 * 2**20
_PATH = "/usr/sbin:/sbin"
_NOT_FORWARDED = frozenset(("input", "output", "postrouting", "egress"))
"""Hooks that a packet on its way through does not meet, or only behind the decision."""
_ENDS = frozenset(("drop", "reject", "redirect", "dnat", "tproxy"))
"""Verdicts that keep a packet from where it was sent."""


async def captive_portal(site: ExaminedSite) -> list[ProbeFinding]:
    """Probe whether a login page stands between this machine and the Internet."""
    plain = [one for one in site.upstreams if one.tls is Tls.NO]
    if not plain:
        raise UnseenError(say("all upstreams are asked by TLS, which no portal can alter"))
    try:
        async with asyncio.timeout(_WITHIN_S):
            answer = await stub_query.ask(plain[0].address, plain[0].port, CHECK_HOST)
    except TimeoutError:
        raise UnseenError(say("the upstream does not answer")) from None
    addresses = stub_query.addresses_in(answer)
    if not addresses:
        raise UnseenError(say("{name} has no address", name=CHECK_HOST))
    status = await asyncio.to_thread(_page_status, str(IPv4Address(min(addresses))))
    if status == _NO_CONTENT:
        return [clean(say("pages come from where they should"))]
    return [
        found(
            say("another page comes for {name}: a login page stands in front", name=CHECK_HOST),
            say("log in there once, or have this machine let through by its MAC"),
        )
    ]


def other_resolvers(site: ExaminedSite) -> Iterator[ProbeFinding]:
    """Probe whether pupils can reach resolvers other than filterd, by port 53 or by TLS."""
    if not forwards(site):
        raise UnseenError(
            say("this machine is not the gateway: the router decides what pupils may reach"),
        )
    forwarding = _forwarding()
    ports = (DNS_PORT, DOT_PORT)
    unnamed = [one for one in ports if not any(_ends(rule, one) for rule in forwarding.rules)]
    shown = ", ".join(map(str, unnamed or ports))
    if not unnamed:
        yield clean(say("rules of this gateway name the ports {ports}", ports=shown))
    elif forwarding.drops_others:
        yield unseen(say("no rule names the ports {ports}, and others are dropped", ports=shown))
    else:
        yield found(
            say("pupils can reach other resolvers (ports {ports})", ports=shown),
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


def _page_status(address: str) -> int:
    connection = http.client.HTTPConnection(address, timeout=_WITHIN_S)
    try:
        connection.request("GET", CHECK_PATH, headers={"Host": CHECK_HOST, "User-Agent": "filterd"})
        return connection.getresponse().status
    except http.client.HTTPException as error:
        raise OSError(str(error)) from error
    finally:
        connection.close()


class _Forwarding(NamedTuple):
    """The rules that forwarded packets may meet, and whether what they do not name is dropped."""

    rules: list[dict[str, Any]]
    drops_others: bool


def _forwarding() -> _Forwarding:
    """Read the rules of nftables; those of iptables stand among them.

    Raises:
        UnseenError: they cannot be listed.
    """
    program = shutil.which("nft", path=f"{os.environ.get('PATH', '')}:{_PATH}")
    if program is None:  # no rules, or those of another tool
        raise UnseenError(say("nftables is not installed: its rules cannot be read"))
    try:
        done = subprocess.run(  # noqa: S603 -- fixed words, no shell
            [program, "-j", "list", "ruleset"],
            capture_output=True,
            timeout=_NFT_WITHIN_S,
            check=True,
        )
        listed = json.loads(done.stdout[:_LARGEST])["nftables"]
        chains = [one["chain"] for one in listed if "chain" in one]
        apart = {_place(one) for one in chains if one.get("hook") in _NOT_FORWARDED}
        rules = [one["rule"] for one in listed if "rule" in one]
        return _Forwarding(
            [one for one in rules if (one["family"], one["table"], one["chain"]) not in apart],
            any(one.get("hook") == "forward" and one.get("policy") == "drop" for one in chains),
        )
    except (OSError, subprocess.SubprocessError, ValueError, KeyError, TypeError) as error:
        raise UnseenError(say("`nft list ruleset` does not list the firewall")) from error


def _place(chain: dict[str, Any]) -> tuple[Any, ...]:
    return chain["family"], chain["table"], chain["name"]


def _ends(rule: dict[str, Any], port: int) -> bool:
    """Return whether a rule names a destination port and keeps its packets from going on."""
    parts = rule.get("expr", [])
    is_about = any(_names_port(one.get("match"), port) for one in parts if isinstance(one, dict))
    return is_about and any(_ENDS & set(one) for one in parts if isinstance(one, dict))


def _names_port(match: Any, port: int) -> bool:
    if not isinstance(match, dict) or match.get("op") not in ("==", "in"):
        return False
    left, right = match.get("left"), match.get("right")
    payload = left.get("payload", {}) if isinstance(left, dict) else {}
    if payload.get("field") != "dport":
        return False
    listed = right.get("set", []) if isinstance(right, dict) else [right]
    return port in listed
