# SPDX-License-Identifier: Apache-2.0
"""Which zone devices may name themselves in."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from filterd.config.compile import compile_policy
from filterd.config.site_reader import load_site
from filterd.errors import ConfigErrors
from filterd.lists.rules import Pin
from tests.support.policies import wire
from tests.support.site import CATALOG, SCHOOL, a_policy, problems

if TYPE_CHECKING:
    from pathlib import Path

MORE = "delegated_zones: [{name: ad.truong.edu.vn, servers: [10.0.0.1]}]\n"


def _site(zone: str) -> str:
    files = "[{file: /var/lib/misc/dnsmasq.leases, format: dnsmasq}]"
    return f"{MORE}leases: {{files: {files}, zone: {zone}}}\n"


@pytest.mark.parametrize(
    "zone",
    [
        "lan",
        "home.arpa",
        "lan.home.arpa",
        "school.internal",
        "internal",
        "school.lan",
        "lan.truong.edu.vn",
        "lan.xn--trng-k5a.vn",
        "lan.example.com",
    ],
)
def test_a_zone_of_the_schools_own_will_do(tmp_path: Path, zone: str) -> None:
    assert a_policy(tmp_path, _site(zone)).lease_zone == wire(zone)


@pytest.mark.parametrize(
    ("zone", "reason"),
    [
        ("com", "is a public suffix"),
        ("vn", "is a public suffix"),
        ("edu.vn", "is a public suffix"),
        ("blogspot.com", "is a public suffix"),
        ("in-addr.arpa", "is a public suffix"),
        ("truong.edu.vn", "is a domain of the Internet"),
        ("example.com", "is a domain of the Internet"),
        ("ad.truong.edu.vn", "belongs to the servers of a delegated zone"),
        ("lan.ad.truong.edu.vn", "belongs to the servers of a delegated zone"),
    ],
)
def test_a_zone_of_others_is_refused(tmp_path: Path, zone: str, reason: str) -> None:
    (problem,) = problems(tmp_path, _site(zone))
    assert problem.startswith("site.yaml:3:")
    assert f"the zone '{zone}' {reason}" in problem
    assert "such as lan.home.arpa" in problem


@pytest.mark.parametrize(
    ("zone", "is_refused"),
    [
        ("pinned.thi.example", True),
        ("thi.example", True),
        ("lan.subtree.example", True),
        ("lan.pinned.thi.example", False),  # the pin is of that one name
        ("other.example", False),
    ],
)
def test_no_device_may_have_a_pinned_name(tmp_path: Path, zone: str, is_refused: bool) -> None:
    pins = (Pin(wire("pinned.thi.example")), Pin(wire("subtree.example"), subtree=True))
    (tmp_path / "site.yaml").write_text(SCHOOL + _site(zone), encoding="utf-8")
    told = ""
    try:
        compile_policy(load_site(tmp_path), replace(CATALOG, pins=pins))
    except ConfigErrors as error:
        told = str(error)
    assert ("holds a pinned name" in told) is is_refused


def test_without_leases_there_is_nothing_to_check(tmp_path: Path) -> None:
    assert a_policy(tmp_path, MORE).lease_zone is None
