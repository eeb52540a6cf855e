# SPDX-License-Identifier: Apache-2.0
"""What the firewall closes to which tier."""

from __future__ import annotations

from filterd.policy.firewall_settings import ClosedWay, FirewallSettings

SETTINGS = FirewallSettings(
    pupils=(ClosedWay.DNS, ClosedWay.IPSEC), guests=(ClosedWay.DNS,), staff=()
)


def test_every_tier_but_staff_and_guests_is_one_of_pupils() -> None:
    for tier in ("preschool", "primary", "lower-secondary", "upper-secondary", "continuing"):
        assert SETTINGS.closed_to(tier) == ("dns", "ipsec")
    assert SETTINGS.closed_to("guest") == ("dns",)
    assert SETTINGS.closed_to("staff") == ()
