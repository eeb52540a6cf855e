# SPDX-License-Identifier: Apache-2.0
"""Load the table of the firewall, take it away, and read what is there.

Each change is one transaction of the kernel, which was tried before (``nft -c``): what is refused
leaves everything as it was. No other table is touched; rules of others that decide about lookups
are named, for what they do first cannot be taken back here.
"""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING, Any

from filterd.base import bounded_child
from filterd.base.errors import TellableError
from filterd.gateway.firewall.ruleset import TABLE, Counted
from filterd.texts.i18n import quoted, say

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_WITHIN_S, _LARGEST = 20.0, 16 * 2**20
_PATH = "/usr/sbin:/sbin:/usr/bin:/bin"
_LONGEST_REASON = 160
_NAT_ALONE = """\
table inet filterd_try {
  chain c {
    type nat hook prerouting priority dstnat
    udp dport 53 redirect to :53
  }
}
"""
_GONE = f"add table inet {TABLE}\ndelete table inet {TABLE}\n"
_DNS_PORT = 53
_DIVERTS = frozenset(("redirect", "dnat", "tproxy"))


class FirewallError(TellableError):
    """The administrator must act: the firewall cannot be read or is not changed."""

    code = "firewall"


class Nft:
    """The program ``nft``.

    Args:
        program: its path; found if None.

    Raises:
        FirewallError: it is not installed.
    """

    def __init__(self, program: Path | None = None) -> None:
        path = f"{os.environ.get('PATH', '')}:{_PATH}"
        found = str(program) if program else shutil.which("nft", path=path)
        if found is None:
            raise FirewallError(
                say("nftables is not installed, nothing is changed: sudo apt install nftables")
            )
        self._program = found

    def try_out(self, text: str) -> None:
        """Have nftables and the kernel judge a text, without loading it.

        Raises:
            FirewallError: they would refuse it.
        """
        reason = self._refusal("-c", text)
        if reason is None:
            return
        if "not permitted" in reason:
            raise FirewallError(say("only root may change the firewall: run it with sudo"))
        if self._refusal("-c", _NAT_ALONE) is not None:
            raise FirewallError(
                say(
                    "the kernel of this machine has no NAT for nftables ({why}), nothing is"
                    " changed: install a kernel with the module nft_chain_nat",
                    why=quoted(reason),
                )
            )
        raise FirewallError(
            say(
                "nftables refuses the rules ({why}), nothing is changed: install nftables 0.9.3"
                " or later",
                why=quoted(reason),
            )
        )

    def load(self, text: str) -> None:
        """Put a text in force in one transaction, after it was tried.

        Raises:
            FirewallError: it is refused; what was in force stays.
        """
        self.try_out(text)
        if reason := self._refusal("-f", text):
            raise FirewallError(
                say("nftables refuses the rules ({why}), nothing is changed", why=quoted(reason))
            )

    def remove(self) -> None:
        """Take the table away, if it is there.

        Raises:
            FirewallError: it is refused.
        """
        self.load(_GONE)

    def listed(self) -> list[dict[str, Any]]:
        """Return the objects of ``nft -j list ruleset``.

        Raises:
            FirewallError: they cannot be listed.
        """
        try:
            words = (self._program, "-j", "list", "ruleset")
            ended = bounded_child.run(words, limit_s=_WITHIN_S, most_octets=_LARGEST)
            found = json.loads(ended.output)["nftables"]
            return [one for one in found if isinstance(one, dict)]
        except (OSError, ValueError, RecursionError, KeyError, TypeError) as error:
            raise FirewallError(
                say("the firewall cannot be listed: run it with sudo; `nft list ruleset` says more")
            ) from error

    def _refusal(self, how: str, text: str) -> str | None:
        """Return why a text is refused, None if it is taken."""
        words = (self._program, *((how, "-f") if how == "-c" else (how,)), "-")
        try:
            ended = bounded_child.run(
                words, limit_s=_WITHIN_S, most_octets=_LARGEST, request=text.encode()
            )
        except OSError as error:
            return str(error)[:_LONGEST_REASON]
        if ended.code == 0:
            return None
        lines = ended.errors.decode(errors="replace").splitlines()
        reason = next((line.partition("Error: ")[2] for line in lines if "Error: " in line), "")
        shown = "".join(one for one in reason if one.isprintable())
        return shown[:_LONGEST_REASON] or f"exit status {ended.code}"


def is_loaded(listed: Iterable[dict[str, Any]]) -> bool:
    """Return whether the table is in force."""
    return any(
        one["table"].get("family") == "inet" and one["table"].get("name") == TABLE
        for one in listed
        if isinstance(one.get("table"), dict)
    )


def counted(listed: Iterable[dict[str, Any]]) -> dict[str, Counted]:
    """Return what the counters of the table have counted, by name."""
    found = dict[str, Counted]()
    for one in listed:
        counter = one.get("counter")
        if isinstance(counter, dict) and _is_ours(counter):
            packets, octets = counter.get("packets"), counter.get("bytes")
            if isinstance(packets, int) and isinstance(octets, int):
                found[str(counter.get("name"))] = Counted(packets, octets)
    return found


def diverting_elsewhere(listed: Iterable[dict[str, Any]]) -> list[str]:
    """Return the places of rules of other tables that divert lookups, each once.

    A place is family, table and chain, as ``nft list chain`` takes it.
    """
    places = dict[str, None]()
    for one in listed:
        rule = one.get("rule")
        if not isinstance(rule, dict) or _is_ours(rule):
            continue
        parts = [part for part in rule.get("expr", []) if isinstance(part, dict)]
        if any(_DIVERTS & part.keys() for part in parts) and _DNS_PORT in _ports(parts):
            places[f"{rule.get('family')} {rule.get('table')} {rule.get('chain')}"] = None
    return list(places)


def _is_ours(thing: dict[str, Any]) -> bool:
    return thing.get("family") == "inet" and thing.get("table") == TABLE


def _ports(parts: Iterable[dict[str, Any]]) -> Iterator[Any]:
    for part in parts:
        match = part.get("match")
        left = match.get("left") if isinstance(match, dict) else None
        payload = left.get("payload") if isinstance(left, dict) else None
        if isinstance(match, dict) and isinstance(payload, dict):
            right = match.get("right")
            named = right.get("set") if isinstance(right, dict) else [right]
            if payload.get("field") == "dport":
                yield from named if isinstance(named, list) else ()
