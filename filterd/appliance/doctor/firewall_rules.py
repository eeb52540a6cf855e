# SPDX-License-Identifier: Apache-2.0
"""Read the firewall of this machine: which links let lookups pass filterd by.

The rules are read from nftables, those of iptables among them, and not tried: a packet of this
machine's own would not pass them. They are followed as a new connection meets them that a device
of one link opens to another resolver: chain by chain, rule by rule, into other chains. A rule that
closes one of four links closes that one.

What a rule asks is true, false, or not known of every such connection (another destination, a
mark). A rule that names the port and stops the packet counts although it leaves some out: most are
written for all addresses but filterd's own. One that stops some only counts for nothing: those of
one device, to one address, at one time of day, above a rate. A rule that lets a packet through
counts only where all that it asks is true, and so does one that sends it to another machine.
"""

from __future__ import annotations

import json
import os
import shutil
from enum import StrEnum
from fnmatch import fnmatchcase
from ipaddress import ip_address, ip_network, summarize_address_range
from typing import TYPE_CHECKING, Any, NamedTuple

from filterd.appliance.doctor.probe import UnseenError
from filterd.base import bounded_child
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from ipaddress import IPv4Network, IPv6Network

_LISTED_WITHIN_S, _LARGEST_LISTING = 5.0, 16 * 2**20
_PATH = "/usr/sbin:/sbin"
_NOT_FORWARDED = frozenset(("input", "output", "postrouting", "egress"))
"""Hooks that a packet on its way through does not meet, or only behind the decision."""
_ENDS = frozenset(("drop", "reject", "redirect", "dnat", "tproxy"))
"""Verdicts that keep a packet from where it was sent."""
_JUMPS = ("jump", "goto")
_LIMITS = frozenset(("limit", "quota", "ct count", "meter", "set", "map"))
"""Parts of a rule behind which only some packets come."""
_LINKS = frozenset(("iifname", "iif", "oifname", "oif"))
_HARMLESS = frozenset(("comment", "conntrack", "state", "addrtype"))
"""Extensions of iptables with which a rule still means most packets."""
_NUMBERS = {"tcp": 6, "udp": 17}
"""As nft writes them where a machine has no /etc/protocols (Debian's netbase)."""
_FAMILIES = {4: ("inet", "ip"), 6: ("inet", "ip6")}
_HEADERS = {4: "ip", 6: "ip6"}
_DEEPEST = 16
"""Of chains in chains, as in the kernel."""


class Way(NamedTuple):
    """A way to another resolver: IP version, protocol (``udp`` or ``tcp``), port."""

    version: int
    protocol: str
    port: int

    def __str__(self) -> str:
        return f"{self.port}/{self.protocol}" + (" IPv6" if self.version == 6 else "")


class PupilLink(NamedTuple):
    """A link of the school's side with its networks; without a name it is any."""

    name: str
    networks: tuple[IPv4Network | IPv6Network, ...] = ()


class Passage(StrEnum):
    """Whether packets of a link pass by a way; UNSURE: some may be no lookups."""

    OPEN = "open"
    CLOSED = "closed"
    UNSURE = "unsure"


class _Asked(NamedTuple):
    """What all that a rule asks comes to.

    ``holds``: True, False, or None where it is not known. ``names_port``: whether it asks for
    the very port. ``is_of_some``: whether it is of some such connections only, None where that is
    not known.
    """

    holds: bool | None
    names_port: bool
    is_of_some: bool | None


class _Walk:
    """One connection in the chains.

    ``may_pass``, ``may_stop``: by a rule that is unsure.
    """

    def __init__(self, link: PupilLink, way: Way) -> None:
        self.link, self.way = link, way
        self.may_pass = self.may_stop = False


class Firewall:
    """The rules that forwarded packets may meet.

    Args:
        listed: the objects of ``nft -j list ruleset``.
        outward: the interfaces to the Internet.
        own: the addresses of this machine; empty if they are not known.
    """

    def __init__(
        self,
        listed: Iterable[dict[str, Any]],
        outward: Collection[str] = (),
        own: Collection[str] = (),
    ) -> None:
        self._outward, self._own = frozenset(outward), frozenset(own)
        self._rules = dict[tuple[Any, ...], list[dict[str, Any]]]()
        self._sets = dict[tuple[Any, ...], list[Any]]()
        self._begin = list[tuple[tuple[Any, ...], bool]]()
        for one in listed:
            if "chain" in one:
                chain = one["chain"]
                drops = chain.get("policy") == "drop"
                if chain.get("hook") and chain["hook"] not in _NOT_FORWARDED:
                    self._begin.append((_place(chain, "name"), drops))
            elif "rule" in one:
                self._rules.setdefault(_place(one["rule"], "chain"), []).append(one["rule"])
            elif "set" in one:
                self._sets[_place(one["set"], "name")] = one["set"].get("elem", [])

    def passage(self, link: PupilLink, way: Way) -> Passage:
        """Return whether devices of a link reach other resolvers by a way."""
        outcomes, walk, is_dropped = set[bool | None](), _Walk(link, way), False
        for place, drops in self._begin:
            if place[0] in _FAMILIES[way.version]:
                outcome = self._outcome(place, walk, _DEEPEST)
                outcomes.add(outcome)
                is_dropped |= drops and outcome is None
        if False in outcomes:
            return Passage.CLOSED
        if is_dropped:
            return Passage.UNSURE if walk.may_pass else Passage.CLOSED
        return Passage.UNSURE if walk.may_stop and True not in outcomes else Passage.OPEN

    def _outcome(self, place: tuple[Any, ...], walk: _Walk, left: int) -> bool | None:
        """Return True where a chain lets a connection through, False where it stops it."""
        for rule in self._rules.get(place, ()) if left else ():
            parts = [one for one in rule.get("expr", []) if isinstance(one, dict)]
            asked = self._all_of(place, parts, walk)
            if asked.holds is False:
                continue
            for verdict in self._verdicts(place, parts, walk):
                if _ENDS & verdict.keys() and (asked.holds or asked.names_port):
                    walk.may_stop |= asked.is_of_some is None
                    if asked.is_of_some is False:
                        return self._leads_away(verdict) or False
                if asked.holds and "accept" in verdict:
                    return True
                if asked.holds and "return" in verdict:
                    return None
                walk.may_pass |= "accept" in verdict
                inner = self._beyond(place, verdict, walk, left)
                is_stopped = inner is False and asked.is_of_some is False
                if is_stopped or (inner and asked.holds):
                    return inner
                if "goto" in verdict and asked.holds:
                    return None
        return None

    def _leads_away(self, verdict: dict[str, Any]) -> bool:
        """Return whether a packet is sent to another machine, which may be any resolver."""
        to = verdict.get("dnat")
        address = to.get("addr") if isinstance(to, dict) else None
        return isinstance(address, str) and bool(self._own) and address not in self._own

    def _beyond(
        self, place: tuple[Any, ...], verdict: dict[str, Any], walk: _Walk, left: int
    ) -> bool | None:
        """Return the outcome of the chain that a verdict leads to; None for no chain."""
        target = next((verdict[one] for one in _JUMPS if one in verdict), None)
        if not isinstance(target, dict):
            return None
        return self._outcome((*place[:2], target.get("target")), walk, left - 1)

    def _verdicts(
        self, place: tuple[Any, ...], parts: Sequence[dict[str, Any]], walk: _Walk
    ) -> Iterator[dict[str, Any]]:
        """Yield what a rule does, and what its verdict map does with such a connection."""
        for part in parts:
            if isinstance(by_key := part.get("vmap"), dict):
                data = by_key.get("data")
                pairs = data.get("set") if isinstance(data, dict) else None
                for key, verdict in pairs if isinstance(pairs, list) else ():
                    match = {"op": "==", "left": by_key.get("key"), "right": key}
                    if isinstance(verdict, dict) and self._holds(place, match, walk):
                        yield verdict
            else:
                yield part

    def _all_of(
        self, place: tuple[Any, ...], parts: Sequence[dict[str, Any]], walk: _Walk
    ) -> _Asked:
        matches = [part["match"] for part in parts if isinstance(part.get("match"), dict)]
        held = [self._holds(place, match, walk) for match in matches]
        others = [one for one in map(_extension, parts) if one not in (None, *_HARMLESS)]
        held += [None for _ in others]
        names_port = any(
            holds and _left(one).get("payload", {}).get("field") == "dport"
            for one, holds in zip(matches, held, strict=False)
        )
        holds = False if False in held else None if None in held else True
        is_of_some = any(
            holds is None and _means_some(one, walk)
            for one, holds in zip(matches, held, strict=False)
        ) or any(_LIMITS & part.keys() for part in parts)
        return _Asked(holds, names_port, is_of_some or (None if others else False))

    def _holds(self, place: tuple[Any, ...], match: dict[str, Any], walk: _Walk) -> bool | None:
        """Return whether such a connection is what a rule asks for; None if it may be."""
        holds = self._equals(_left(match), self._values(place, match.get("right")), walk)
        is_excluded = match.get("op") not in ("==", "in")
        return holds if holds is None or not is_excluded else not holds

    def _equals(self, left: dict[str, Any], right: list[Any] | None, walk: _Walk) -> bool | None:
        if right is None:
            return None
        if "meta" in left:
            return self._meta(_of(left, "meta").get("key"), right, walk)
        if "payload" in left:
            return _payload(_of(left, "payload"), right, walk)
        return "new" in right if _of(left, "ct").get("key") == "state" else None

    def _meta(self, key: Any, right: list[Any], walk: _Walk) -> bool | None:
        way, outward = walk.way, self._outward
        found: bool | None = None
        if key in ("iifname", "iif"):
            found = _named(walk.link.name, right) if walk.link.name else None
        elif key in ("oifname", "oif"):
            found = any(_named(one, right) for one in outward) if outward else None
        elif key == "l4proto":
            found = way.protocol in right or _NUMBERS[way.protocol] in right
        elif key in ("nfproto", "protocol"):
            found = any(one in right for one in (f"ipv{way.version}", _HEADERS[way.version]))
        return found

    def _values(self, place: tuple[Any, ...], right: Any) -> list[Any] | None:
        """Return the values that a rule names; None where they are not known."""
        if isinstance(right, str) and right.startswith("@"):
            return self._sets.get((*place[:2], right[1:]))
        if isinstance(right, dict) and isinstance(right.get("set"), list):
            return list(right["set"])
        return list(right) if isinstance(right, list) else [right]


def read(outward: Collection[str] = (), own: Collection[str] = ()) -> Firewall:
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
        return Firewall(json.loads(ended.output)["nftables"], outward, own)
    except (OSError, ValueError, RecursionError, KeyError, TypeError, AttributeError) as error:
        raise UnseenError(say("`nft list ruleset` does not list the firewall")) from error


def _place(thing: dict[str, Any], key: str) -> tuple[Any, ...]:
    return thing["family"], thing["table"], thing[key]


def _left(match: dict[str, Any]) -> dict[str, Any]:
    left = match.get("left")
    return left if isinstance(left, dict) else {}


def _of(left: dict[str, Any], kind: str) -> dict[str, Any]:
    found = left.get(kind)
    return found if isinstance(found, dict) else {}


def _extension(part: dict[str, Any]) -> str | None:
    """Return the name of an extension of iptables; None for what is none.

    Older programs list none of it: "".
    """
    if "xt" not in part:
        return None
    name = _of(part, "xt").get("name")
    return name if isinstance(name, str) else ""


def _means_some(match: dict[str, Any], walk: _Walk) -> bool:
    """Return whether what is not known of a connection is true of some such ones only.

    What is asked of all but some is not; nor is what is not known of any, as of a link without a
    name or networks.
    """
    left = _left(match)
    key, field = _of(left, "meta").get("key"), _of(left, "payload").get("field")
    if key in _LINKS:
        return False
    if field == "saddr" and not _own_networks(walk):
        return False
    if match.get("op") in ("==", "in"):
        return True
    return not (field or "fib" in left or "ct" in left or key == "mark")


def _payload(payload: dict[str, Any], right: list[Any], walk: _Walk) -> bool | None:
    """Return whether a field of a packet's headers has one of these values."""
    protocol, name = payload.get("protocol"), payload.get("field")
    if name == "dport":
        return protocol in (walk.way.protocol, "th") and _has_port(walk.way.port, right)
    is_other = protocol in _NUMBERS and protocol != walk.way.protocol
    if is_other or (protocol in _HEADERS.values() and protocol != _HEADERS[walk.way.version]):
        return False
    return _comes_from(walk, right) if name == "saddr" else None


def _named(name: str, right: Iterable[Any]) -> bool:
    return any(isinstance(one, str) and fnmatchcase(name, one) for one in right)


def _has_port(port: int, right: Iterable[Any]) -> bool:
    for one in right:
        span = one.get("range") if isinstance(one, dict) else (one, one)
        if isinstance(span, list | tuple) and all(isinstance(end, int) for end in span):
            first, last = span
            if first <= port <= last:
                return True
    return False


def _comes_from(walk: _Walk, right: Iterable[Any]) -> bool | None:
    """Return whether all addresses of a link are among those that a rule names."""
    own, ranges = _own_networks(walk), [_networks(one) for one in right]
    named = [network for one in ranges for network in one]
    if not own or not all(ranges):
        return None
    within = [any(_is_within(one, other) for other in named) for one in own]
    if all(within):
        return True
    touched = any(one.overlaps(other) for one in own for other in named)
    return None if touched else False


def _is_within(inner: IPv4Network | IPv6Network, outer: IPv4Network | IPv6Network) -> bool:
    return inner.version == outer.version and (
        outer.network_address <= inner.network_address  # type: ignore[operator]
        and inner.broadcast_address <= outer.broadcast_address  # type: ignore[operator]
    )


def _own_networks(walk: _Walk) -> list[IPv4Network | IPv6Network]:
    return [network for network in walk.link.networks if network.version == walk.way.version]


def _networks(value: Any) -> list[IPv4Network | IPv6Network]:
    """Return the networks of an address, prefix or range of a rule.

    None for what is no such thing.
    """
    if isinstance(value, dict) and isinstance(value.get("elem"), dict):  # with a comment
        return _networks(value["elem"].get("val"))
    prefix = _of(value, "prefix") if isinstance(value, dict) else {}
    text = f"{prefix.get('addr')}/{prefix.get('len')}" if prefix else value
    try:
        if isinstance(value, dict) and isinstance(value.get("range"), list):
            first, last = map(ip_address, value["range"])
            return [*summarize_address_range(first, last)]
        return [ip_network(text)] if isinstance(text, str) else []
    except (TypeError, ValueError):
        return []
