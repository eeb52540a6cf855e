# SPDX-License-Identifier: Apache-2.0
"""What a firewall does to a connection of one link, as nftables lists its rules."""

from __future__ import annotations

import subprocess
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any

import pytest

from filterd.appliance.doctor import firewall_rules
from filterd.appliance.doctor.firewall_rules import Firewall, Passage, PupilLink, Way
from filterd.appliance.doctor.probe import UnseenError
from tests.support.namespaces import namespaces
from tests.support.needs import command

if TYPE_CHECKING:
    from pathlib import Path

UDP, TCP, DOT = Way(4, "udp", 53), Way(4, "tcp", 53), Way(4, "tcp", 853)
OPEN, CLOSED, UNSURE = Passage
LINK = PupilLink("lan0", (ip_network("10.8.0.0/24"), ip_network("fd00:8::/64")))
OTHER = PupilLink("lan1", (ip_network("10.8.1.0/24"),))
TABLE = """
table {family} school {{
  set pupils {{ type ipv4_addr; flags interval; elements = {{ 10.8.0.0/24 }} }}
  chain apart {{
    {apart}
  }}
  chain one {{
    type {kind} hook {hook} priority 0{policy}
    {rule}
  }}
}}"""

pytestmark = pytest.mark.usefixtures("needs_namespaces")


def _read(
    rule: str,
    hook: str = "forward",
    *,
    family: str = "inet",
    kind: str = "filter",
    policy: str = "",
    apart: str = "",
) -> Firewall:
    command("nft")
    text = TABLE.format(family=family, kind=kind, hook=hook, policy=policy, rule=rule, apart=apart)
    if family == "ip6":
        text = text.replace(
            "set pupils { type ipv4_addr; flags interval; elements = { 10.8.0.0/24 } }", ""
        )
    with namespaces("box") as (box,):
        load = box.command("nft", "-f", "-")
        subprocess.run(load, input=text, text=True, check=True, capture_output=True)
        return box.run(lambda: firewall_rules.read(("wan0",)))


def _closes(rules: Firewall, way: Way, link: PupilLink = LINK) -> bool:
    return rules.passage(link, way) is CLOSED


def test_a_rule_closes_its_port_and_protocol() -> None:
    rules = _read("tcp dport { 853, 8853 } reject")
    assert _closes(rules, DOT)
    assert not _closes(rules, TCP)
    assert not _closes(rules, DOT._replace(protocol="udp"))
    assert _closes(rules, DOT._replace(version=6))
    assert _closes(rules, DOT, PupilLink(""))


def test_a_rule_for_both_protocols_closes_both() -> None:
    rules = _read("meta l4proto { tcp, udp } th dport 53 redirect to :53", "prerouting", kind="nat")
    assert _closes(rules, UDP)
    assert _closes(rules, TCP)


@pytest.mark.parametrize(
    ("protocols", "closed"), [([6, 17], {UDP, TCP}), (["tcp"], {TCP}), ([6], {TCP}), (17, {UDP})]
)
def test_protocols_are_names_or_where_the_machine_has_none_numbers(
    protocols: object, closed: set[Way]
) -> None:
    right = {"set": protocols} if isinstance(protocols, list) else protocols
    port = {"payload": {"protocol": "th", "field": "dport"}}
    protocol = {"op": "==", "left": {"meta": {"key": "l4proto"}}, "right": right}
    rules = _plain([{"match": protocol}, {"match": _is(port, 53)}, {"drop": None}])
    assert {way for way in (UDP, TCP) if _closes(rules, way)} == closed


def _is(left: Any, right: Any) -> dict[str, Any]:
    return {"op": "==", "left": left, "right": right}


def _plain(parts: list[Any]) -> Firewall:
    """Return a firewall of one chain with one rule."""
    place = {"family": "inet", "table": "t"}
    chain = {**place, "name": "c", "hook": "forward", "policy": "accept"}
    return Firewall([{"chain": chain}, {"rule": {**place, "chain": "c", "expr": parts}}])


@pytest.mark.parametrize(
    "rule",
    ["udp dport 53 accept", "udp dport 53 counter", "udp sport 53 drop", "udp dport != 53 drop"],
)
def test_a_rule_that_lets_it_through_closes_nothing(rule: str) -> None:
    assert not _closes(_read(rule), UDP)


@pytest.mark.parametrize("hook", ["input", "output"])
def test_a_rule_for_this_machine_alone_closes_nothing(hook: str) -> None:
    assert not _closes(_read("udp dport 53 drop", hook), UDP)


def test_a_rule_for_ipv4_alone_leaves_ipv6_open() -> None:
    rules = _read("udp dport 53 drop", family="ip")
    assert _closes(rules, UDP)
    assert not _closes(rules, UDP._replace(version=6))


ONE_LINK = [
    'iifname "lan0" udp dport 53 drop',
    'iifname { "lan0", "lan7" } udp dport 53 drop',
    'iifname != "lan1" udp dport 53 drop',
    "ip saddr 10.8.0.0/16 ip saddr != 10.8.1.0/24 udp dport 53 drop",
    "ip saddr 10.8.0.0/24 udp dport 53 drop",
    "ip saddr @pupils udp dport 53 drop",
    'iifname "lan0" jump apart',
    'iifname vmap { "lan0" : jump apart, "lan2" : accept }',
    'iifname "lan1" accept; udp dport 53 drop',
    'iifname "lan1" return; udp dport 53 drop',
    'iifname "lan0" drop',
    'iifname "lan0" meta l4proto udp drop',
    "ct state established accept; iifname lan0 udp dport 50-60 drop",
    'iifname "lan0" ip daddr != 10.8.0.1 udp dport 53 drop',
]


@pytest.mark.parametrize("rule", ONE_LINK)
def test_a_rule_for_one_link_closes_that_one_and_leaves_the_other_open(rule: str) -> None:
    rules = _read(rule.replace("; ", "\n    "), apart="udp dport 53 drop")
    assert rules.passage(LINK, UDP) is CLOSED
    assert rules.passage(OTHER, UDP) is OPEN


OF_SOME = [
    "ip saddr 10.8.0.7 udp dport 53 drop",
    "ip saddr { 10.8.0.7, 10.8.0.64/26 } udp dport 53 drop",
    "ip saddr 10.8.0.0-10.8.0.99 udp dport 53 drop",
    "ip saddr 10.8.0.7 jump apart",
    "ether saddr 02:00:5e:10:00:01 udp dport 53 drop",
    "ip daddr 192.0.2.53 udp dport 53 drop",
    "ip daddr @pupils udp dport 53 drop",
    'udp dport 53 meta hour "22:00"-"23:00" drop',
    'udp dport 53 meta day != "Sunday" drop',
    "udp dport 53 meta mark 7 drop",
    "udp dport 53 limit rate over 10/second drop",
    "udp dport 53 quota over 10 mbytes drop",
    "udp dport 53 numgen random mod 2 == 0 drop",
]
"""Rules by which some packets of the port are stopped."""


@pytest.mark.parametrize("rule", OF_SOME)
def test_a_rule_of_some_devices_addresses_times_or_rates_closes_no_link(rule: str) -> None:
    rules = _read(rule, apart="udp dport 53 drop")
    assert rules.passage(LINK, UDP) is OPEN


@pytest.mark.control
def test_control_a_rule_would_close_its_port_whatever_else_it_asks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(firewall_rules, "_means_some", lambda *_: False)
    assert _closes(_read(OF_SOME[0]), UDP)


@pytest.mark.parametrize(
    "rule",
    [
        "ip saddr 10.8.0.0-10.8.0.255 udp dport 53 drop",
        "ip saddr != 10.8.0.1 udp dport 53 drop",
        'ip saddr 10.8.0.0/24 udp dport 53 drop comment "pupils"',
        "meta mark != 7 udp dport 53 drop",
        "fib daddr type != local udp dport 53 drop",
        "ip daddr != 10.8.0.1 jump apart",
    ],
)
def test_a_rule_of_all_or_of_all_but_some_closes_the_link(rule: str) -> None:
    assert _closes(_read(rule, apart="udp dport 53 drop"), UDP)


@pytest.mark.parametrize(
    ("own", "passage"), [((), CLOSED), (("10.8.0.1",), OPEN), (("192.0.2.53",), CLOSED)]
)
def test_what_is_sent_to_another_machine_is_not_closed(
    own: tuple[str, ...], passage: Passage
) -> None:
    port, place = {"payload": {"protocol": "udp", "field": "dport"}}, {"family": "ip", "table": "t"}
    parts = [{"match": _is(port, 53)}, {"dnat": {"addr": "192.0.2.53"}}]
    chain = {"chain": {**place, "name": "c", "hook": "prerouting", "policy": "accept"}}
    rules = Firewall([chain, {"rule": {**place, "chain": "c", "expr": parts}}], (), own)
    assert rules.passage(LINK, UDP) is passage


@pytest.mark.parametrize(
    ("extension", "passage"),
    [
        ({"type": "match", "name": "comment"}, CLOSED),
        ({"type": "match", "name": "conntrack"}, CLOSED),
        ({"type": "match", "name": "time"}, UNSURE),
        (None, UNSURE),  # as older programs list it
    ],
)
def test_what_an_extension_of_iptables_asks_is_not_known(extension: Any, passage: Passage) -> None:
    port = {"payload": {"protocol": "udp", "field": "dport"}}
    rules = _plain([{"match": _is(port, 53)}, {"xt": extension}, {"drop": None}])
    assert rules.passage(LINK, UDP) is passage


@pytest.mark.parametrize(
    ("rule", "passage"),
    [
        ("", CLOSED),
        ("ct state established,related accept", CLOSED),
        ('iifname "lan0" accept', OPEN),
        ('iifname "lan0" oifname "wan0" accept', OPEN),
        ('iifname "lan0" oifname "lan1" accept', CLOSED),
        ("ip daddr 192.0.2.0/24 accept", UNSURE),
        ("tcp dport 443 accept", CLOSED),
        ('iifname "lan0" goto apart', OPEN),
    ],
)
def test_what_passes_a_chain_that_drops_all_else(rule: str, passage: Passage) -> None:
    rules = _read(rule, policy="; policy drop", apart="accept")
    assert rules.passage(LINK, UDP) is passage


def test_a_chain_that_accepts_all_else_is_open() -> None:
    assert _read("", policy="; policy accept").passage(LINK, UDP) is OPEN


def test_chains_that_lead_to_each_other_end() -> None:
    place = {"family": "inet", "table": "t"}
    chain = {"chain": {**place, "name": "c", "hook": "forward"}}
    loop = {"rule": {**place, "chain": "c", "expr": [{"jump": {"target": "c"}}]}}
    assert Firewall([chain, loop]).passage(LINK, UDP) is OPEN


@pytest.mark.parametrize("printed", ["", "[]", '{"nftables": [{"rule": {}}]}', None])
def test_what_is_no_listing_is_unseen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, printed: str | None
) -> None:
    program = tmp_path / "nft"
    says = "exit 1" if printed is None else f"echo '{printed}'"
    program.write_text(f"#!/bin/sh\n{says}\n", encoding="ascii")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(UnseenError, match="nft list ruleset"):
        firewall_rules.read()


def test_without_nftables_nothing_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(firewall_rules, "_PATH", str(tmp_path))
    with pytest.raises(UnseenError, match="not installed"):
        firewall_rules.read()


def test_strange_expressions_close_nothing() -> None:
    strange = [1, {"match": 1}, {"match": _is(1, {"set": 1})}, {"vmap": 1}, {"vmap": {"key": 1}}]
    assert not _closes(_plain([*strange, {"drop": None}]), UDP)
