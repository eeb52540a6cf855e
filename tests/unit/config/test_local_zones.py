# SPDX-License-Identifier: Apache-2.0
"""The site's own zones: each once, complete, and free of contradictions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from filterd.config.compile import compile_policy
from filterd.config.site_reader import load_site
from filterd.errors import ConfigErrors
from filterd.lists.rules import Pin
from filterd.policy.model import DelegatedZone, LocalZone, UpstreamServer, ZoneRecord
from tests.support.policies import wire
from tests.support.site import CATALOG, SCHOOL, a_policy, problems

if TYPE_CHECKING:
    from pathlib import Path


LAN = b"\x03lan\0"


def test_a_local_zone_has_its_records(tmp_path: Path) -> None:
    policy = a_policy(tmp_path, "local_zones:\n  - {name: lan, records: ['a A 10.0.0.1']}\n")
    record = ZoneRecord(b"\x01a\x03lan\0", 1, 300, b"\x0a\0\0\x01")
    assert policy.local_zones == (LocalZone(LAN, (record,)),)


def test_a_local_zone_may_be_empty(tmp_path: Path) -> None:
    policy = a_policy(tmp_path, "local_zones:\n  - {name: lan}\n")
    assert policy.local_zones == (LocalZone(LAN, ()),)


def test_a_delegated_zone_has_its_servers(tmp_path: Path) -> None:
    policy = a_policy(tmp_path, "delegated_zones:\n  - {name: lan, servers: ['10.0.0.1:54']}\n")
    assert policy.delegated_zones == (DelegatedZone(LAN, (UpstreamServer("10.0.0.1", 54),)),)


def test_a_zone_may_be_delegated_within_a_local_one(tmp_path: Path) -> None:
    text = "local_zones: [{name: lan}]\ndelegated_zones: [{name: ad.lan, servers: [10.0.0.1]}]\n"
    assert a_policy(tmp_path, text).delegated_zones


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "local_zones:\n  - name: lan\n  - name: LAN.\n",
            "4:5: the zone 'lan' stands twice (put both together)",
        ),
        (
            "local_zones: [{name: lan}]\ndelegated_zones: [{name: lan, servers: ['::1']}]\n",
            "3:20: the zone 'lan' stands twice (put both together)",
        ),
        (
            "local_zones:\n  - name: lan\n  - name: a.lan\n",
            "4:5: the zone 'a.lan' lies within another local zone (put its records there)",
        ),
        (
            "local_zones:\n  - name: lan\n    records:\n      - a A 10.0.0.1\n      - a CNAME b\n",
            "6:9: 'a CNAME b': a name with a CNAME can have no other record",
        ),
        (
            "local_zones:\n  - name: lan\n    records:\n      - a CNAME www.example.com.\n",
            "5:9: 'a CNAME www.example.com.': a CNAME must lead to a name in a local zone",
        ),
        (
            "local_zones:\n  - name: lan\n    records:\n      - b CNAME a\n      - b A 10.0.0.1\n",
            "6:9: 'b A 10.0.0.1': a name with a CNAME can have no other record",
        ),
        (
            "local_zones:\n  - {name: lan, records: [a A x]}\n",
            "3:27: 'a A x': this is not data of type A (such as: printer A 192.168.1.20)",
        ),
    ],
)
def test_contradictions_are_told_at_their_place(tmp_path: Path, text: str, problem: str) -> None:
    (found,) = problems(tmp_path, text)
    assert found.startswith(f"site.yaml:{problem}")


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
