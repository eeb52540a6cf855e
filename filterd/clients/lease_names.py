# SPDX-License-Identifier: Apache-2.0
"""Host names of leased addresses: which device may have which name. Pure.

A name belongs to one device. That device keeps it for as long as its lease
lasts, even where the DHCP server gives the name to a newcomer (dnsmasq does): a
pupil's tablet that calls itself ``printer`` gets nothing of the printer's.
"""

from __future__ import annotations

import bisect
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from filterd.clients.leases import Lease

_NOBODY = ("", "")
_MOST_ADDRESSES = 16
"""Of one name: more addresses would make an answer that no message can hold."""


@dataclass(frozen=True, slots=True)
class LeaseNames:
    """Names and addresses of devices at one moment; addresses are 4 or 16 octets.

    Attributes:
        addresses: of each host, a single lower-case label.
        holders: the host and the device of each address that has a name.
    """

    addresses: dict[str, tuple[bytes, ...]] = field(default_factory=dict)
    holders: dict[bytes, tuple[str, str]] = field(default_factory=dict)
    _sorted: tuple[str, ...] = ()

    @classmethod
    def of(cls, claims: Iterable[_Claim]) -> LeaseNames:
        """Join claims that are valid."""
        addresses: dict[str, tuple[bytes, ...]] = {}
        holders: dict[bytes, tuple[str, str]] = {}
        for claim in claims:
            others, packed = addresses.get(claim.host, ()), claim.lease.address.packed
            if len(others) < _MOST_ADDRESSES:
                addresses[claim.host] = (*others, packed)
                holders[packed] = (claim.host, claim.lease.device)
        return cls(addresses, holders, tuple(sorted(f"{len(one)}:{one.hex()}" for one in holders)))

    def is_any_in(self, digits: str, size_octets: int) -> bool:
        """Return whether a named address of this size begins with these hex digits."""
        wanted = f"{size_octets}:{digits}"
        at = bisect.bisect_left(self._sorted, wanted)
        return at < len(self._sorted) and self._sorted[at].startswith(wanted)


def name_leases(leases: Iterable[Lease], before: LeaseNames, now: float) -> LeaseNames:
    """Assign each host name to one device.

    Args:
        leases: what is leased now.
        before: what this function returned last, so that names stay where they are.
        now: Unix time; leases that have ended count no more.
    """
    claims = [_Claim.of(lease, before) for lease in leases if not _is_over(lease, now)]
    named = sorted((claim for claim in claims if claim.host), key=_Claim.rank)
    owners: dict[str, str] = {}
    for claim in named:
        owners.setdefault(claim.host, claim.lease.device)
    return LeaseNames.of(claim for claim in named if owners[claim.host] == claim.lease.device)


@dataclass(frozen=True, slots=True)
class _Claim:
    """A lease and the name that it asks for; ``is_kept``: it had it before."""

    lease: Lease
    host: str
    is_kept: bool

    @classmethod
    def of(cls, lease: Lease, before: LeaseNames) -> _Claim:
        host, device = before.holders.get(lease.address.packed, _NOBODY)
        had_it = device == lease.device
        # A lease that lost its name in the server's file did not give it up.
        wanted = lease.host or (host if had_it else "")
        return cls(lease, wanted, had_it and wanted == host)

    def rank(self) -> tuple[bool, int, float, bytes]:
        """Return the rank of a claim among claims of one name, the better one first.

        The file does not show which of two new ones is older, but the one that
        ends first began first; one without an end was given by the administrator.
        A DHCPv4 server saw the device's MAC itself.
        """
        lease = self.lease
        return (
            not self.is_kept,
            lease.address.version,
            lease.expires_at or 0.0,
            lease.address.packed,
        )


def _is_over(lease: Lease, now: float) -> bool:
    return lease.expires_at is not None and lease.expires_at <= now
