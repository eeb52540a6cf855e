# SPDX-License-Identifier: Apache-2.0
"""``filterd firewall`` on a machine of its own: what it does, prints and returns."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.bounded_child import Ended
from filterd.cli.network import firewall
from filterd.gateway.firewall import nftables
from tests.support.commands import Outcome, call
from tests.support.daemon import write_site
from tests.support.namespaces import Namespace, namespaces
from tests.support.needs import command

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


@pytest.fixture
def box(needs_namespaces: None) -> Iterator[Namespace]:  # noqa: ARG001 -- it declares the need
    """Return a machine without any rules."""
    command("nft")
    with namespaces("box") as (one,):
        yield one


def _call(box: Namespace, folder: Path, *words: str) -> Outcome:
    config = folder / "site"
    if not config.exists():
        write_site(config, port=5300)
    places = ("--config", config, "--state", folder / "state")
    return box.run(lambda: call("firewall", words[0], *places, *words[1:]))


def _rules(box: Namespace) -> str:
    words = box.command("nft", "list", "ruleset")
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def test_apply_puts_the_rules_in_force_and_off_takes_them_away(
    box: Namespace, tmp_path: Path
) -> None:
    done = _call(box, tmp_path, "apply")
    assert done.code == 0, done.err
    assert "table inet filterd" in _rules(box)
    assert _call(box, tmp_path, "show").code == 0
    assert _call(box, tmp_path, "apply").code == 0
    assert _call(box, tmp_path, "off").code == 0
    assert _rules(box) == ""
    assert _call(box, tmp_path, "show").code == 1


def test_show_tells_a_script_what_is_closed_to_each_tier(box: Namespace, tmp_path: Path) -> None:
    done = _call(box, tmp_path, "show", "--json")
    shown: dict[str, Any] = json.loads(done.out)
    assert not shown["loaded"]
    assert {"tier": "staff", "way": "dns", "packets": 0} in shown["tiers"]


def test_show_prints_the_rules_as_nft_takes_them(box: Namespace, tmp_path: Path) -> None:
    printed = _call(box, tmp_path, "show", "--rules").out
    words = box.command("nft", "-c", "-f", "-")
    subprocess.run(words, input=printed, text=True, check=True, capture_output=True)
    assert "8.8.8.8" in printed


def test_check_changes_nothing_and_names_rules_of_others(box: Namespace, tmp_path: Path) -> None:
    assert _call(box, tmp_path, "check").code == 0
    other = (
        "table ip school {\n chain pre {\n type nat hook prerouting priority -150\n"
        " udp dport 53 redirect to :54\n }\n}\n"
    )
    words = box.command("nft", "-f", "-")
    subprocess.run(words, input=other, text=True, check=True, capture_output=True)
    before = _rules(box)
    done = _call(box, tmp_path, "check")
    assert done.code == 1
    assert "ip school pre" in done.err
    assert _rules(box) == before


def test_an_interface_that_is_not_there_is_named_with_its_network(
    box: Namespace, tmp_path: Path
) -> None:
    site = write_site(tmp_path / "site", port=5300) / "site.yaml"
    text = site.read_text(encoding="utf-8")
    lab = "networks:\n  far: {grade: 3, interfaces: [lan77]}\n"
    site.write_text(text.replace("networks:\n", lab, 1), encoding="utf-8")
    done = _call(box, tmp_path, "check")
    assert done.code == 1
    assert "lan77" in done.err
    site.write_text(site.read_text(encoding="utf-8").replace("lan77", "'a\"b'"), encoding="utf-8")
    done = _call(box, tmp_path, "apply")
    assert done.code == 2
    assert "networks.far.interfaces" in done.err
    assert _rules(box) == ""


def test_without_nftables_nothing_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(nftables, "_PATH", str(tmp_path))
    config = write_site(tmp_path / "site", port=5300)
    done = call("firewall", "apply", "--config", config, "--state", tmp_path / "state")
    assert done.code == 2
    assert "apt install nftables" in done.err


@pytest.mark.parametrize("code", [0, 1])
def test_on_a_gateway_each_start_applies_it_and_the_links_are_looked_at_anew(
    box: Namespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    started, mark = list[str](), tmp_path / "mark"

    def run(words: Sequence[str]) -> Ended:
        started.append(" ".join(words))
        return Ended(code, b"", b"")

    monkeypatch.setattr(firewall, "is_a_service", lambda _: True)
    monkeypatch.setattr(firewall, "run_program", run)
    monkeypatch.setattr(firewall, "_MARK", mark)
    done = _call(box, tmp_path, "apply")
    assert done.code == 0
    assert ("by hand: sudo systemctl" in done.err) is (code != 0)
    mark.symlink_to("unit")
    _call(box, tmp_path, "apply")
    _call(box, tmp_path, "off")
    mark.unlink()
    _call(box, tmp_path, "off")
    look = "systemctl start --no-block filterd-links.service"
    assert started == [
        "systemctl add-wants multi-user.target filterd-firewall.service",
        *(look, look),
        *("systemctl disable --quiet filterd-firewall.service", look, look),
    ]
