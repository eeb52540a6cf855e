# SPDX-License-Identifier: Apache-2.0
"""Distinct names of tiers and classes, with the devices behind each. Pure.

The devices are needed to see whether a name is that of a few; they never leave this memory,
where each name has at most k of them by MAC and k by IPv4 address. After a restart the count
begins anew. A device that was first seen by its address has two pseudonyms, so the two kinds are
never added, and IPv6 addresses count as one device together, as in ``counts``. So the
count is never too high.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, NamedTuple

from filterd.policy.model import TIER_OF_GRADE
from filterd.querylog.lookups import BY_IPV4, BY_IPV6

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from filterd.querylog.lookups import Lookup

MOST_ENTRIES = 100_000
"""Names held at most, each once for its tier and once for its class: 20 MB."""

_OF_A_DEVICE = 5
"""One device begins a fifth of them at most: one that makes up names leaves room for the others."""


class SeenName(NamedTuple):
    """A name of a tier or class, with the number of its devices, at most k."""

    group: str
    name: bytes
    category: str
    action: str
    devices: int


class _Part(NamedTuple):
    """Names of one part have an entry each; ``kind`` is tier or class."""

    day: str
    kind: str
    group: str
    category: str
    action: str


class SeenNames:
    """The distinct names of the last day or two, in memory.

    Args:
        least: the number of devices from which a name is not that of a few (k).
        most: the number of entries held.

    ``lost``: lookups of names for which there was no room.
    """

    def __init__(self, least: int, most: int = MOST_ENTRIES) -> None:
        self.least, self.lost = least, 0
        self._most, self._held = most, 0
        self._parts = defaultdict[_Part, dict[bytes, tuple[int, ...]]](dict)
        self._begun = Counter[int]()
        """By device, how many entries it was the first of."""
        self._same_name: dict[bytes, bytes] = {}
        self._same_device: dict[int, int] = {}

    def add(self, day: str, lookup: Lookup) -> SeenName | None:
        """Count a lookup of a day; return what is to be written of its tier, if anything.

        That is a blocked name with each new device, up to k, and another one when it has k.
        """
        of = lookup.context
        if of.class_id:
            self._count(_Part(day, "class", of.class_id, of.category, of.action), lookup)
        tier = TIER_OF_GRADE[of.grade]
        devices = self._count(_Part(day, "tier", tier, of.category, of.action), lookup)
        if devices >= (1 if of.action == "blocked" else self.least):
            return SeenName(tier, lookup.name, of.category, of.action, devices)
        return None

    def of_class(self, day: str, class_id: str) -> list[SeenName]:
        """Return the names that at least k devices of a class asked for on a day."""
        return [
            SeenName(class_id, name, part.category, part.action, self.least)
            for part, names in self._parts.items()
            if part[:3] == (day, "class", class_id)
            for name, devices in names.items()
            if _distinct(devices) >= self.least
        ]

    def drop_before(self, day: str) -> None:
        """Forget the days before one."""
        self._keep(lambda part: part.day >= day, lambda _name: True)

    def forget(self, is_meant: Callable[[bytes], bool]) -> None:
        """Forget some names."""
        self._keep(lambda _part: True, lambda name: not is_meant(name))

    def forget_device(self, device: int) -> None:
        """Forget one device, and the names that no other asked for."""
        for names in self._parts.values():
            for name, devices in list(names.items()):
                if device in devices:
                    names[name] = tuple(one for one in devices if one != device)
        self._keep(lambda _part: True, lambda _name: True)

    def _count(self, part: _Part, lookup: Lookup) -> int:
        """Add a device; return the number of devices if it has grown, else 0."""
        names = self._parts[part]
        devices = names.get(lookup.name)
        if devices is None:
            by = min(lookup.device, BY_IPV6)  # one for all IPv6 addresses
            if self._held >= self._most or self._begun[by] >= self._most // _OF_A_DEVICE:
                self.lost += lookup.n
                return 0
            self._held += 1
            self._begun[by] += 1
            devices = ()
        elif (
            lookup.device >= BY_IPV6 or lookup.device in devices or _distinct(devices) >= self.least
        ):
            return 0
        # One object for equal names and devices: they would take more than all the rest.
        name = self._same_name.setdefault(lookup.name, lookup.name)
        device = self._same_device.setdefault(lookup.device, lookup.device)
        names[name] = more = (*devices, device)
        now = _distinct(more)
        return now if now > _distinct(devices) else 0

    def _keep(self, is_kept: Callable[[_Part], bool], is_named: Callable[[bytes], bool]) -> None:
        """Keep some parts, and in them some names that still have devices."""
        parts = self._parts
        self._parts = defaultdict(dict)
        self._same_name, self._same_device, self._held = {}, {}, 0
        self._begun.clear()
        for part, names in parts.items():
            if kept := dict(self._of_kept(names, is_named) if is_kept(part) else ()):
                self._parts[part] = kept
                self._held += len(kept)
                self._begun.update(min(devices[0], BY_IPV6) for devices in kept.values())

    def _of_kept(
        self, names: dict[bytes, tuple[int, ...]], is_named: Callable[[bytes], bool]
    ) -> Iterator[tuple[bytes, tuple[int, ...]]]:
        for name, devices in names.items():
            if devices and is_named(name):
                yield self._same_name.setdefault(name, name), devices


def _distinct(devices: tuple[int, ...]) -> int:
    """Return how many devices these pseudonyms stand for at least."""
    if max(devices, default=0) < BY_IPV4:  # the usual case: all by MAC
        return len(devices)
    by_mac = sum(one < BY_IPV4 for one in devices)
    by_ipv4 = sum(BY_IPV4 <= one < BY_IPV6 for one in devices)
    return max(by_mac, by_ipv4, bool(devices))
