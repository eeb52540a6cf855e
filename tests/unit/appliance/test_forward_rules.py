# SPDX-License-Identifier: Apache-2.0
"""Rules of a firewall as nftables lists them, and listings that are none."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from filterd.appliance import forward_rules
from filterd.appliance.finding import UnseenError
from filterd.appliance.forward_rules import ForwardRules, Way
from tests.support.namespaces import namespaces

if TYPE_CHECKING:
    from pathlib import Path

UDP, TCP, DOT = Way(4, "udp", 53), Way(4, "tcp", 53), Way(4, "tcp", 853)
TABLE = """
table {family} school {{
  chain one {{
    type {kind} hook {hook} priority 0{policy}
    {rule}
  }}
}}"""


def _read(
    rule: str,
    hook: str = "forward",
    *,
    family: str = "inet",
    kind: str = "filter",
    policy: str = "",
) -> ForwardRules:
    if shutil.which("nft", path="/usr/sbin:/usr/bin") is None:
        pytest.skip("needs nftables")
    text = TABLE.format(family=family, kind=kind, hook=hook, policy=policy, rule=rule)
    with namespaces("box") as (box,):
        load = box.command("nft", "-f", "-")
        subprocess.run(load, input=text, text=True, check=True, capture_output=True)
        return box.run(forward_rules.read)


def test_a_rule_closes_its_port_and_protocol() -> None:
    rules = _read("tcp dport { 853, 8853 } reject")
    assert rules.closes(DOT)
    assert not rules.closes(TCP)
    assert not rules.closes(DOT._replace(protocol="udp"))
    assert rules.closes(DOT._replace(version=6))


def test_a_rule_for_both_protocols_closes_both() -> None:
    rules = _read("meta l4proto { tcp, udp } th dport 53 redirect to :53", "prerouting", kind="nat")
    assert rules.closes(UDP)
    assert rules.closes(TCP)


@pytest.mark.parametrize(
    "rule",
    ["udp dport 53 accept", "udp dport 53 counter", "udp sport 53 drop", "udp dport != 53 drop"],
)
def test_a_rule_that_lets_it_through_closes_nothing(rule: str) -> None:
    assert not _read(rule).closes(UDP)


@pytest.mark.parametrize("hook", ["input", "output"])
def test_a_rule_for_this_machine_alone_closes_nothing(hook: str) -> None:
    assert not _read("udp dport 53 drop", hook).closes(UDP)


def test_a_rule_for_ipv4_alone_leaves_ipv6_open() -> None:
    rules = _read("udp dport 53 drop", family="ip")
    assert rules.closes(UDP)
    assert not rules.closes(UDP._replace(version=6))


def test_a_chain_that_drops_what_no_rule_names() -> None:
    assert _read("", policy="; policy drop").drops_others
    assert not _read("", policy="; policy accept").drops_others


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
        forward_rules.read()


def test_without_nftables_nothing_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(forward_rules, "_PATH", str(tmp_path))
    with pytest.raises(UnseenError, match="not installed"):
        forward_rules.read()


def test_strange_expressions_close_nothing() -> None:
    strange = [1, {"match": 1}, {"match": {"op": "==", "left": 1, "right": {"set": 1}}}]
    rules = ForwardRules(({"family": "inet", "expr": [*strange, {"drop": None}]},), False)
    assert not rules.closes(UDP)
