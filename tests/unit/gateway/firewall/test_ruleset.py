# SPDX-License-Identifier: Apache-2.0
"""The table of the firewall, as real nftables takes it and as ``doctor`` reads it back."""

from __future__ import annotations

import json
import subprocess
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any

import pytest

from filterd.appliance.doctor import firewall_rules
from filterd.appliance.doctor.firewall_rules import Passage, PupilLink, Way
from filterd.base.errors import ConfigError
from filterd.gateway.firewall.ruleset import (
    ClosedTier,
    Counted,
    FirewallPlan,
    FirewallSource,
    plan_of,
    text,
)
from filterd.policy.firewall_settings import ClosedWay
from tests.support.namespaces import Namespace, namespaces
from tests.support.needs import command
from tests.support.site import a_policy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OPEN, CLOSED, _ = Passage
WAYS = [Way(version, *one) for version in (4, 6) for one in (("udp", 53), ("tcp", 53))]
WAYS += [Way(version, "tcp", 853) for version in (4, 6)]
PUPILS = [
    PupilLink("lan0", (ip_network("10.8.0.0/24"), ip_network("fd00:8::/64"))),
    PupilLink("lan1", (ip_network("10.8.1.0/24"),)),
    PupilLink("lan2", (ip_network("10.8.2.0/24"),)),
    PupilLink("unnamed", (ip_network("172.16.9.0/24"),)),
    PupilLink(""),
]
STAFF = PupilLink("lan9", (ip_network("10.8.9.0/24"), ip_network("fd00:89::/64")))
PLAN = FirewallPlan(
    tiers=(
        ClosedTier("lower-secondary", frozenset(ClosedWay)),
        ClosedTier("primary", frozenset(ClosedWay) - {ClosedWay.IPSEC}),
        ClosedTier("staff", frozenset()),
    ),
    sources=(
        FirewallSource("lower-secondary", cidrs=("10.8.0.0/24", "fd00:8::/64")),
        FirewallSource("lower-secondary", cidrs=("10.8.1.0/25",)),
        FirewallSource("lower-secondary", interfaces=("lan2",)),
        FirewallSource("staff", ("10.8.9.0/24", "fd00:89::/64"), macs=("02:00:5e:10:00:01",)),
    ),
    unknown_tier="primary",
    outward=("wan0", "ppp0"),
    resolvers=(ip_network("192.0.2.8/32"), ip_network("2001:db8::8888/128")),
    tunnels=(ip_network("198.51.100.0/24"), ip_network("2001:db8:100::/48")),
)

pytestmark = pytest.mark.usefixtures("needs_namespaces")


@pytest.fixture
def box() -> Iterator[Namespace]:
    """Return a machine without any rules."""
    command("nft")
    with namespaces("box") as (one,):
        yield one


def _load(box: Namespace, loaded: str) -> None:
    words = box.command("nft", "-f", "-")
    subprocess.run(words, input=loaded, text=True, check=True, capture_output=True)


def _listed(box: Namespace) -> list[dict[str, Any]]:
    words = box.command("nft", "-j", "list", "ruleset")
    listed = subprocess.run(words, check=True, capture_output=True).stdout
    return [one for one in json.loads(listed)["nftables"] if "metainfo" not in one]


def _passages(box: Namespace, link: PupilLink) -> set[Passage]:
    rules = box.run(lambda: firewall_rules.read(("wan0",)))
    return {rules.passage(link, way) for way in WAYS}


@pytest.mark.parametrize("link", PUPILS, ids=lambda link: link.name or "any")
def test_the_doctor_finds_each_link_of_pupils_closed(box: Namespace, link: PupilLink) -> None:
    _load(box, text(PLAN))
    assert _passages(box, link) == {CLOSED}


@pytest.mark.control
@pytest.mark.parametrize("link", PUPILS, ids=lambda link: link.name or "any")
def test_control_without_the_table_each_link_is_open(box: Namespace, link: PupilLink) -> None:
    assert _passages(box, link) == {OPEN}


def test_a_tier_to_which_nothing_is_closed_is_open(box: Namespace) -> None:
    _load(box, text(PLAN))
    assert _passages(box, STAFF) == {OPEN}


def test_a_link_of_pupils_without_the_way_of_lookups_is_open(box: Namespace) -> None:
    _load(box, text(PLAN._replace(tiers=tuple(one._replace(ways=frozenset()) for one in PLAN[0]))))
    assert _passages(box, PUPILS[0]) == {OPEN}


def test_where_no_outward_link_is_known_every_link_has_the_rules(box: Namespace) -> None:
    _load(box, text(PLAN._replace(outward=(), resolvers=(), tunnels=())))
    assert _passages(box, PUPILS[0]) == {CLOSED}
    assert _passages(box, PupilLink("wan0")) == {CLOSED}


def test_the_table_replaces_itself_and_no_other(box: Namespace) -> None:
    _load(box, "table ip school {\n chain c {\n type filter hook forward priority 0\n }\n}")
    before = _listed(box)
    _load(box, text(PLAN))
    first = _listed(box)
    _load(box, text(PLAN))
    again = _listed(box)
    assert _without_handles(first) == _without_handles(again)
    assert _without_handles(before) == _of_others(again)
    _load(box, "delete table inet filterd")
    assert _without_handles(_listed(box)) == _without_handles(before)


def test_what_was_counted_goes_on(box: Namespace) -> None:
    _load(box, text(PLAN, {"primary_dns": Counted(7, 420)}))
    counters = [one["counter"] for one in _listed(box) if "counter" in one]
    found = {counter["name"]: (counter["packets"], counter["bytes"]) for counter in counters}
    assert found.pop("primary_dns") == (7, 420)
    assert set(found.values()) == {(0, 0)}
    assert "primary_ipsec" not in found


def _without_handles(listed: list[dict[str, Any]]) -> list[Any]:
    return [
        (kind, {key: value for key, value in one.items() if key != "handle"})
        for each in listed
        for kind, one in each.items()
    ]


def _of_others(listed: list[dict[str, Any]]) -> list[Any]:
    found = _without_handles(listed)
    return [one for one in found if "filterd" not in (one[1].get("table"), one[1].get("name"))]


def test_a_plan_has_the_tiers_of_the_site_and_its_settings(tmp_path: Path) -> None:
    site = (
        "networks:\n  six: {cidrs: [10.8.0.0/24], grade: 6}\n"
        "  office: {cidrs: [10.8.9.0/24], grade: staff}\n"
        "firewall: {staff: []}\nlisten: ['10.8.0.1:5300', '10.8.0.1:53']\n"
    )
    plan = plan_of(a_policy(tmp_path, site), ("wan0", 'a"b'))
    ways = {tier.tier: tier.ways for tier in plan.tiers}
    assert ways["staff"] == frozenset()
    assert ClosedWay.DNS in ways["lower-secondary"]
    assert plan.unknown_tier in ways
    assert plan.outward == ("wan0",)
    assert plan.dns_port == 53


@pytest.mark.parametrize(
    "name", ["'a\"b'", "'lan0 lan1'", "'x; flush ruleset'", "abcdefghijklmnop"]
)
def test_a_name_that_is_of_no_interface_never_reaches_the_text(tmp_path: Path, name: str) -> None:
    policy = a_policy(tmp_path, f"networks:\n  far: {{interfaces: [{name}], grade: 6}}\n")
    with pytest.raises(ConfigError, match=r"networks\.far\.interfaces: .* cannot be the name"):
        plan_of(policy)
