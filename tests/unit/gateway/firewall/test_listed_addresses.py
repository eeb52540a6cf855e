# SPDX-License-Identifier: Apache-2.0
"""Addresses of resolvers and tunnels: those that ship, and those that must not be closed."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

import pytest

from filterd.base.errors import ConfigErrors
from filterd.gateway.firewall import listed_addresses
from filterd.gateway.firewall.listed_addresses import judged, read

if TYPE_CHECKING:
    from pathlib import Path

ENTRY = "resolvers: [{{operator: A, source: 'https://a.example/dns', date: 2026-01-01, {0}}}]\n"


def _written(folder: Path, text: str) -> Path:
    (folder / "addresses.yaml").write_text(text, encoding="utf-8")
    return folder


def test_those_that_ship_are_all_closed() -> None:
    found = read()
    assert found.refused == ()
    assert ip_network("8.8.8.8/32") in found.resolvers
    assert ip_network("2620:fe::fe/128") in found.resolvers
    assert ip_network("162.159.193.0/24") in found.tunnels
    assert not set(found.resolvers) & set(found.tunnels)


@pytest.mark.parametrize(
    ("network", "why"),
    [
        ("8.8.0.0/16", "wider than /24"),
        ("0.0.0.0/0", "wider than /24"),
        ("2606:4700::/32", "wider than /48"),
        ("10.8.0.1/32", "public Internet"),
        ("127.0.0.1/32", "public Internet"),
        ("224.0.0.251/32", "public Internet"),
        ("100.64.3.0/24", "public Internet"),
        ("fd00:8::/64", "public Internet"),
        ("64:ff9b::a08:1/128", "public Internet"),
        ("8.8.4.0/24", "leads to 8.8.4.77"),
    ],
)
def test_what_would_cut_a_school_off_is_refused(network: str, why: str) -> None:
    one = ip_network(network)
    assert why in str(judged([one], [ip_address("8.8.4.77")])[one])


def test_a_file_of_such_addresses_closes_the_others_only(tmp_path: Path) -> None:
    text = ENTRY.format("addresses: [8.8.8.8, 8.0.0.0/8, 192.168.1.1, 9.9.9.9]")
    found = read(_written(tmp_path, text), [ip_address("9.9.9.9")])
    assert found.resolvers == (ip_network("8.8.8.8/32"),)
    assert len(found.refused) == 3


@pytest.mark.control
def test_control_without_the_judgement_a_school_would_be_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listed_addresses, "judged", lambda *_: {})
    found = read(_written(tmp_path, ENTRY.format("addresses: [0.0.0.0/0]")))
    assert found.resolvers == (ip_network("0.0.0.0/0"),)


@pytest.mark.parametrize(
    ("addresses", "why"),
    [
        ("addresses: [8.8.8.8.8]", "is not an address or a range"),
        ("addresses: [8]", "is not an address or a range"),
        ("addresses: [8.8.8.8/24]", "is not an address or a range"),
        ("addresses: []", "addresses.yaml:1:"),
        ("address: [8.8.8.8]", "addresses.yaml:1:"),
    ],
)
def test_what_is_no_address_is_refused_at_its_place(
    tmp_path: Path, addresses: str, why: str
) -> None:
    with pytest.raises(ConfigErrors, match=r"addresses\.yaml:1:") as caught:
        read(_written(tmp_path, ENTRY.format(addresses)))
    assert why in str(caught.value)


def test_each_has_a_date(tmp_path: Path) -> None:
    text = ENTRY.format("addresses: [8.8.8.8]").replace("2026-01-01", "today")
    with pytest.raises(ConfigErrors, match="'today' is not a date"):
        read(_written(tmp_path, text))
