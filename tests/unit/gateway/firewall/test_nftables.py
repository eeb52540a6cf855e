# SPDX-License-Identifier: Apache-2.0
"""The table of the firewall is loaded, read and taken away by real nftables."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from filterd.gateway.firewall import nftables, ruleset
from filterd.gateway.firewall.nftables import FirewallError, Nft
from filterd.policy.firewall_settings import ClosedWay
from tests.support.namespaces import Namespace, namespaces
from tests.support.needs import command

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PLAN = ruleset.FirewallPlan(
    (ruleset.ClosedTier("primary", frozenset(ClosedWay)),), (), "primary", ("wan0",)
)
OTHERS = """
table ip school {
  chain pre {
    type nat hook prerouting priority dstnat
    udp dport { 53, 5353 } redirect to :5300
  }
  chain more {
    type nat hook prerouting priority dstnat + 1
    tcp dport 53 dnat to 192.0.2.53
    tcp dport 80 redirect to :8080
    udp dport 53 accept
  }
}
"""


@pytest.fixture
def box(needs_namespaces: None) -> Iterator[Namespace]:  # noqa: ARG001 -- it declares the need
    """Return a machine with rules of others."""
    command("nft")
    with namespaces("box") as (one,):
        words = one.command("nft", "-f", "-")
        subprocess.run(words, input=OTHERS, text=True, check=True, capture_output=True)
        yield one


def _stranger(folder: Path, script: str) -> Nft:
    program = folder / "program"
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="ascii")
    program.chmod(0o755)
    return Nft(program)


def _rules(box: Namespace) -> str:
    words = box.command("nft", "list", "ruleset")
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def test_the_table_comes_and_goes_and_the_machine_is_as_it_was(box: Namespace) -> None:
    before, nft = _rules(box), Nft()
    box.run(lambda: nft.load(ruleset.text(PLAN)))
    listed = box.run(nft.listed)
    assert nftables.is_loaded(listed)
    assert nftables.counted(listed)["primary_dns"] == (0, 0)
    box.run(nft.remove)
    assert _rules(box) == before
    box.run(nft.remove)
    assert not nftables.is_loaded(box.run(nft.listed))


def test_what_is_only_tried_changes_nothing(box: Namespace) -> None:
    before = _rules(box)
    box.run(lambda: Nft().try_out(ruleset.text(PLAN)))
    assert _rules(box) == before


def test_what_is_refused_leaves_the_rules_in_force(box: Namespace) -> None:
    nft = Nft()
    box.run(lambda: nft.load(ruleset.text(PLAN)))
    before = _rules(box)
    wrong = ruleset.text(PLAN).replace("udp", "udq")
    with pytest.raises(FirewallError, match="nothing is changed: install nftables"):
        box.run(lambda: nft.load(wrong))
    assert _rules(box) == before


def test_rules_of_others_that_divert_lookups_are_named(box: Namespace) -> None:
    nft = Nft()
    box.run(lambda: nft.load(ruleset.text(PLAN)))
    found = nftables.diverting_elsewhere(box.run(nft.listed))
    assert found == ["ip school pre", "ip school more"]


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("echo 'Error: Operation not permitted' >&2; exit 1", "only root may change the firewall"),
        ("echo 'Error: No such file or directory' >&2; exit 1", "has no NAT for nftables"),
        ("grep -q try && exit 0; echo '-:1:1: Error: syntax error' >&2; exit 1", "0.9.3 or later"),
        ("exit 7", "exit status 7"),
    ],
)
def test_a_refusal_is_one_line_with_its_remedy(tmp_path: Path, script: str, why: str) -> None:
    with pytest.raises(FirewallError, match=why) as caught:
        _stranger(tmp_path, script).load("table inet filterd")
    assert "\n" not in str(caught.value)


def test_what_the_kernel_refuses_after_the_trial_is_told(tmp_path: Path) -> None:
    script = '[ "$1" = -c ] && exit 0; echo "Error: busy" >&2; exit 1'
    with pytest.raises(FirewallError, match="refuses the rules \\(busy\\), nothing is changed"):
        _stranger(tmp_path, script).load("")


@pytest.mark.parametrize("printed", ["", "[]", '{"nftables": 1}'])
def test_what_is_no_listing_is_an_error(tmp_path: Path, printed: str) -> None:
    with pytest.raises(FirewallError, match="cannot be listed"):
        _stranger(tmp_path, f"echo '{printed}'").listed()


def test_strange_objects_of_a_listing_are_nothing() -> None:
    rule = {"family": "ip", "table": "t", "chain": "c", "expr": [1, {"match": 1}, {"dnat": {}}]}
    listed: list[dict[str, Any]] = [{"table": 1}, {"counter": 1}, {"rule": 1}, {"rule": rule}]
    assert not nftables.is_loaded(listed)
    assert nftables.counted(listed) == {}
    assert nftables.diverting_elsewhere(listed) == []


def test_without_nftables_there_is_a_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(nftables, "_PATH", str(tmp_path))
    with pytest.raises(FirewallError, match="apt install nftables"):
        Nft()
