# SPDX-License-Identifier: Apache-2.0
"""Read from nftables what keeps forwarded packets from other resolvers.

A packet of this machine's own would not pass these rules, so they are read and not tried. Only
plain rules are recognised: a destination port and a verdict. From which network a packet must
come is not read; a rule for one of two networks counts for both.
"""

from __future__ import annotations

import json
import os
import shutil
from typing import Any, NamedTuple

from filterd import bounded_child
from filterd.appliance.finding import UnseenError
from filterd.i18n import say

_WITHIN_S, _LARGEST = 5.0, 16 * 2**20
_PATH = "/usr/sbin:/sbin"
_NOT_FORWARDED = frozenset(("input", "output", "postrouting", "egress"))
"""Hooks that a packet on its way through does not meet, or only behind the decision."""
_ENDS = frozenset(("drop", "reject", "redirect", "dnat", "tproxy"))
"""Verdicts that keep a packet from where it was sent."""
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
        ended = bounded_child.run(words, limit_s=_WITHIN_S, most_octets=_LARGEST)
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
    return is_protocol and way.protocol not in _right(match)


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
