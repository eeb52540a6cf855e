# SPDX-License-Identifier: Apache-2.0
"""Distinct names of tiers and classes, with the devices behind each. Pure.

The devices are needed to see whether a name is that of a few; they never leave this memory,
where each name has at most 2k - 1 of them by MAC and as many by IPv4 address. After a restart the
count begins anew. A device that was first seen by its address has two pseudonyms, so the two kinds
are never added, and IPv6 addresses count as one device together, as in ``counts``. So the count is
never too high.

A class's names are asked for by its teacher, who may ask for a name from devices of his own, to
see by the answer whether a pupil has asked for it too. Only devices of pupils count: none that was
seen with staff or guests that day. Whose the others are is not known; as no person is expected to
bring k devices, k - 1 of them count as the reader's (``of_class``).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, NamedTuple

from filterd.policy.model import GUEST, STAFF, TIER_OF_GRADE
from filterd.querylog.lookups import BY_IPV4, BY_IPV6

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from filterd.querylog.lookups import Lookup, LookupContext

MOST_ENTRIES = 100_000
"""Names held at most, each once for its tier and once for its class: 20 MB."""

_NO_PUPILS = frozenset((STAFF, GUEST))

_MOST_PLACES = 10_000
"""Contexts whose parts are memorised; a school has some hundreds."""

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
        self._places: dict[LookupContext, tuple[dict[bytes, tuple[int, ...]], ...]] = {}
        """By context of a lookup of ``_day``, the names of its class, if any, and of its tier."""
        self._day = ""
        self._others = defaultdict[str, set[int]](set)
        """By day, devices that are not a pupil's."""
        self._begun = Counter[int]()
        """By device, how many entries it was the first of."""
        self._same_name: dict[bytes, bytes] = {}
        self._same_device: dict[int, int] = {}

    def add(self, day: str, lookup: Lookup) -> SeenName | None:
        """Count a lookup of a day; return what is to be written of its tier, if anything.

        That is a blocked name with each new device, up to k, and another one when it has k.
        """
        _, name, of, device, _, n = lookup
        if of.grade in _NO_PUPILS and device < BY_IPV6:
            self._others[day].add(device)
        places = self._places.get(of) if day == self._day else None
        if places is None:
            places = self._place(day, of)
        more = 0
        for names in places:  # that of the tier is the last one, and its growth counts
            devices, more = names.get(name, ()), 0
            # In this order: nearly all are of a device that is known, or of a name with k of them.
            if device in devices or (
                len(devices) >= self._enough and _distinct(devices) >= self._enough
            ):
                continue
            if devices or self._held < self._most:
                more = self._count(names, devices, lookup)
            else:
                self.lost += n
        least = 1 if of.action == "blocked" else self.least
        if least <= more <= self.least:
            return SeenName(TIER_OF_GRADE[of.grade], name, of.category, of.action, more)
        return None

    def of_class(self, day: str, class_id: str) -> list[SeenName]:
        """Return the names that at least k pupils' devices of a class asked for on a day.

        That is so where 2k - 1 devices asked, k - 1 of which may be those of who reads this.
        """
        return [
            SeenName(class_id, name, part.category, part.action, self.least)
            for part, names in self._parts.items()
            if part[:3] == (day, "class", class_id)
            for name, devices in names.items()
            if _distinct(tuple(set(devices) - self._others[day])) >= self._enough
        ]

    @property
    def _enough(self) -> int:
        return 2 * self.least - 1

    def drop_before(self, day: str) -> None:
        """Forget the days before one."""
        self._keep(lambda part: part.day >= day, lambda _name: True)
        for old in [one for one in self._others if one < day]:
            del self._others[old]

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

    def _place(self, day: str, of: LookupContext) -> tuple[dict[bytes, tuple[int, ...]], ...]:
        if day != self._day or len(self._places) >= _MOST_PLACES:
            self._places, self._day = {}, day
        groups = [("class", of.class_id)] if of.class_id else []
        groups.append(("tier", TIER_OF_GRADE[of.grade]))
        parts = (_Part(day, *group, of.category, of.action) for group in groups)
        places = self._places[of] = tuple(self._parts[part] for part in parts)
        return places

    def _count(
        self, names: dict[bytes, tuple[int, ...]], devices: tuple[int, ...], lookup: Lookup
    ) -> int:
        """Add a device to those of a name; return their number if it has grown, else 0."""
        if not devices:
            by = min(lookup.device, BY_IPV6)  # one for all IPv6 addresses
            if self._begun[by] >= self._most // _OF_A_DEVICE:
                self.lost += lookup.n
                return 0
            self._held += 1
            self._begun[by] += 1
        elif lookup.device >= BY_IPV6:
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
        self._parts, self._places = defaultdict(dict), {}
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
    by_mac = sum(device < BY_IPV4 for device in devices)
    by_ipv4 = sum(BY_IPV4 <= device < BY_IPV6 for device in devices)
    return max(by_mac, by_ipv4, bool(devices))
