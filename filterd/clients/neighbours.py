# SPDX-License-Identifier: Apache-2.0
"""The kernel's neighbour table, and which MACs have claimed an address of late.

ARP and NDP prove nothing: whoever sends "this address is at that MAC" is believed by the kernel,
also with a MAC that is another's (RFC 826, RFC 4861 §11.1). So an address is not simply that of
the MAC that stands in the table at the moment:

* A MAC that has **answered** (``REACHABLE``) keeps its address while the entry stays as it is,
  also through ``STALE``, ``DELAY`` and ``PROBE``: an idle device is not asked again, and answers
  to lookups confirm none.
* A MAC that was there before, or comes instead, stays a **rival** for a while. Who judges an
  address by its MAC judges by the strictest of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from math import inf
from typing import TYPE_CHECKING, Any, TypeAlias

from filterd.base.value_class import frozen
from filterd.clients.leases import parse_mac

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

RIVAL_FOR_S = 35.0
"""How long a MAC counts that has left an address. The kernel takes some 10 s to notice that a
forged MAC does not answer (5 s of DELAY, 3 probes, then it asks all): all is as before within a
minute, also on a board that is busy."""

MOST_NEIGHBOURS = 10_000

_SAYS_NOTHING = frozenset(("FAILED", "INCOMPLETE", "NOARP", "NONE"))
"""States in which the device has not answered the kernel (ip-neighbour(8))."""

_ANSWERS = frozenset(("REACHABLE", "PERMANENT"))
"""It has answered within half a minute, or the administrator has set it."""

Place: TypeAlias = tuple[IPv4Address | IPv6Address, str]
"""An address and the interface of its link; the same link-local one may be on several."""


@frozen
class Neighbour:
    """An entry of the table. ``answers``: its MAC has just answered for the address."""

    address: IPv4Address | IPv6Address
    interface: str
    mac: str
    answers: bool


def parse_neighbours(table: Iterable[dict[str, Any]]) -> tuple[Neighbour, ...]:
    """Return the neighbours that are known, at most MOST_NEIGHBOURS. Never raises."""
    found = [neighbour for entry in table if (neighbour := _neighbour(entry))]
    return tuple(found[:MOST_NEIGHBOURS])


def _neighbour(entry: dict[str, Any]) -> Neighbour | None:
    states, interface, mac = entry.get("state"), entry.get("dev"), entry.get("lladdr")
    if not isinstance(states, list) or not _SAYS_NOTHING.isdisjoint(map(str, states)):
        return None
    if not isinstance(interface, str) or not isinstance(mac, str):
        return None
    known, address = parse_mac(mac), _address(str(entry.get("dst")))
    answers = not _ANSWERS.isdisjoint(map(str, states))
    return Neighbour(address, interface, known, answers) if known and address else None


@lru_cache(MOST_NEIGHBOURS)  # as a rule the same ones are there a second later
def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


@dataclass(slots=True)
class AddressClaim:
    """What is claimed of one place.

    Attributes:
        mac: in the table now; empty where the place is not in it.
        has_answered: whether ``mac`` has answered since it came.
        left_at: when each other MAC was there last, monotonic.
    """

    mac: str = ""
    has_answered: bool = False
    left_at: dict[str, float] = field(default_factory=dict)

    @property
    def rivals_until(self) -> float:
        """When the first rival counts no more; infinite without one."""
        return min(self.left_at.values(), default=inf) + RIVAL_FOR_S

    def leave(self, now: float) -> None:
        """Note that the MAC of now is not there any more."""
        if self.mac:
            self.left_at[self.mac] = now
        self.mac, self.has_answered = "", False


class NeighbourClaims:
    """The claims of all places, MOST_NEIGHBOURS at most, by one table after another."""

    def __init__(self) -> None:
        self._claims: dict[Place, AddressClaim] = {}

    def __iter__(self) -> Iterator[tuple[Place, AddressClaim]]:
        """Yield the places that have a MAC now."""
        return ((place, claim) for place, claim in self._claims.items() if claim.mac)

    def rivals_of(self, place: Place) -> frozenset[str]:
        """Return the MACs that a place has had of late."""
        claim = self._claims.get(place)
        return frozenset(claim.left_at) if claim else frozenset()

    @property
    def rivals_until(self) -> float:
        """When the first rival of any place counts no more."""
        return min((claim.rivals_until for claim in self._claims.values()), default=inf)

    def take(self, neighbours: Iterable[Neighbour], now: float) -> bool:
        """Take the whole table; return whether a claim has changed.

        Args:
            neighbours: the table.
            now: monotonic.
        """
        table = {(neighbour.address, neighbour.interface): neighbour for neighbour in neighbours}
        changed = self.age(now)
        for place, claim in self._claims.items():
            if claim.mac and place not in table:
                claim.leave(now)
                changed = True
        for place, one in table.items():
            found = self._claims.get(place)
            if found is None:
                if len(self._claims) >= MOST_NEIGHBOURS:
                    continue
                found = self._claims[place] = AddressClaim()
            if found.mac != one.mac:
                found.leave(now)
                found.left_at.pop(one.mac, None)
                found.mac = one.mac
                changed = True
            if one.answers and not found.has_answered:
                found.has_answered = changed = True
        return changed

    def age(self, now: float) -> bool:
        """Forget rivals that count no more, and places of nobody; return whether any was."""
        changed = False
        for place, claim in list(self._claims.items()):
            for mac in [mac for mac, at in claim.left_at.items() if now >= at + RIVAL_FOR_S]:
                del claim.left_at[mac]
                changed = True
            if not claim.mac and not claim.left_at:
                del self._claims[place]
        return changed
