# SPDX-License-Identifier: Apache-2.0
"""The names that the site and the publisher speak of by name, beside the lists.

Pins, protections and the site's own rules are few (hundreds) and change without
a rebuild, so they lie over the index: a dictionary by name, asked for the qname
and each of its ancestors. What stands here is decided by ``engine``, never by a
table alone.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filterd.lists.guards import Pin, Protection
    from filterd.policy.model import LocalRule, Policy


@dataclass(slots=True)
class OverlayEntry:
    """All that is said of exactly one name."""

    pin: Pin | None = None
    protection: Protection | None = None
    rules: list[LocalRule] = field(default_factory=list)


class Overlay:
    """Suffix lookup over pins, protections and local rules. Immutable once made."""

    def __init__(self, policy: Policy) -> None:
        entries: defaultdict[bytes, OverlayEntry] = defaultdict(OverlayEntry)
        for pin in policy.pins:
            entries[pin.name].pin = pin
        for protection in policy.protections:
            entries[protection.name].protection = protection
        for rule in policy.rules:
            entries[rule.name].rules.append(rule)
        self._entries = dict(entries)
        self._above_allowed = frozenset(_ancestors_of_allowed(policy))

    def lookup(self, qname: bytes) -> list[tuple[bytes, OverlayEntry]]:
        """Return what is said of ``qname`` and its ancestors, the qname first."""
        entries = self._entries
        return [(suffix, entries[suffix]) for suffix in names.suffixes(qname) if suffix in entries]

    def touches(self, qname: bytes) -> bool:
        """Tell whether anything here speaks of ``qname``, or of a name beneath it."""
        return qname in self._above_allowed or bool(self.lookup(qname))

    def has_allowed_beneath(self, qname: bytes) -> bool:
        """Tell whether a name beneath ``qname`` may be let through.

        An NXDOMAIN for ``qname`` would deny that name too (RFC 8020), so a
        block has to be a NODATA. It is not asked for whom the allow is: a
        gentler answer never lets anything through.
        """
        return qname in self._above_allowed


def _ancestors_of_allowed(policy: Policy) -> Iterator[bytes]:
    allowed = [pin.name for pin in policy.pins]
    allowed += [protection.name for protection in policy.protections]
    allowed += [rule.name for rule in policy.rules if rule.allow]
    for name in allowed:
        yield from list(names.suffixes(name))[1:]
