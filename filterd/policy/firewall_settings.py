# SPDX-License-Identifier: Apache-2.0
"""What the firewall closes to pupils, guests and staff. Pure."""

from __future__ import annotations

from enum import StrEnum

from filterd.base.value_class import frozen


class ClosedWay(StrEnum):
    """A way past filterd that the firewall may close."""

    DNS = "dns"
    """Port 53 to elsewhere, which comes back to this machine."""
    ENCRYPTED = "encrypted"
    """DNS over TLS and over QUIC."""
    RESOLVERS = "resolvers"
    """HTTPS to addresses behind which there is a resolver alone."""
    TUNNELS = "tunnels"
    """Addresses behind which there is an entry of a tunnel alone."""
    IPSEC = "ipsec"
    """IKE and ESP, by which Wi-Fi calling goes, too."""
    VPN = "vpn"
    """The usual ports of OpenVPN, L2TP, PPTP, WARP and WireGuard."""


PUPILS_WAYS = (ClosedWay.DNS, ClosedWay.ENCRYPTED, ClosedWay.RESOLVERS, ClosedWay.TUNNELS)


@frozen
class FirewallSettings:
    """The ways that are closed to each of three groups.

    Without ``dns`` a group may ask elsewhere.
    """

    pupils: tuple[ClosedWay, ...] = PUPILS_WAYS
    guests: tuple[ClosedWay, ...] = PUPILS_WAYS
    staff: tuple[ClosedWay, ...] = (ClosedWay.DNS,)

    def closed_to(self, tier: str) -> tuple[ClosedWay, ...]:
        """Return the ways that are closed to a tier."""
        return {"staff": self.staff, "guest": self.guests}.get(tier, self.pupils)
