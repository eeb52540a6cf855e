# SPDX-License-Identifier: Apache-2.0
"""``firewall`` in site.yaml: what is taken, and what is refused with its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.policy.firewall_settings import ClosedWay, FirewallSettings
from tests.support.site import a_policy, problems

if TYPE_CHECKING:
    from pathlib import Path


def test_a_site_that_says_nothing_closes_what_wifi_calling_does_not_need(tmp_path: Path) -> None:
    settings = a_policy(tmp_path, "").firewall
    assert settings == FirewallSettings()
    assert ClosedWay.IPSEC not in settings.pupils
    assert ClosedWay.TUNNELS in settings.guests


def test_each_group_has_ways_of_its_own(tmp_path: Path) -> None:
    site = "firewall:\n  pupils: [dns, encrypted, ipsec, vpn, dns]\n  staff: []\n"
    settings = a_policy(tmp_path, site).firewall
    assert settings.pupils == ("dns", "encrypted", "ipsec", "vpn")
    assert settings.staff == ()
    assert settings.guests == FirewallSettings().guests


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("pupils: [dsn]", "'dsn' is not a way that the firewall closes"),
        ("pupils: [1]", "'1' is not a way that the firewall closes"),
        ("pupil: [dns]", "pupil"),
        ("staff: dns", "staff"),
    ],
)
def test_what_is_no_way_is_refused_at_its_place(tmp_path: Path, text: str, why: str) -> None:
    (problem,) = problems(tmp_path, f"firewall:\n  {text}\n")
    assert why in problem
    assert "site.yaml:" in problem
