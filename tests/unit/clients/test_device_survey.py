# SPDX-License-Identifier: Apache-2.0
"""A survey has every address on the school's links, with its client of policy."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.errors import ControlError
from filterd.clients.device_survey import DeviceSurvey, Seen, makers_of
from filterd.policy.model import LeaseFile, LeaseFormat, Network
from tests.support.clock import FakeClock
from tests.support.policies import a_policy
from tests.support.shown_network import ShownNetwork, mac, neighbour

if TYPE_CHECKING:
    from pathlib import Path


POLICY = a_policy(
    networks=[Network("desk", "staff", macs=(mac(9),)), Network("all", "9", ("10.0.0.0/26",))]
)


def _seen(*neighbours: dict[str, Any], policy: Any = POLICY) -> list[Seen]:
    return asyncio.run(DeviceSurvey(FakeClock(), ShownNetwork(*neighbours)).look(policy))


def test_each_address_has_the_network_of_its_mac_else_of_its_range() -> None:
    found = _seen(neighbour(2), neighbour(9), neighbour(99, "STALE"))
    assert [(one.mac, one.in_network, one.answers) for one in found] == [
        (mac(2), "all", True),
        (mac(9), "desk", True),
        (mac(99), None, False),
    ]


def test_a_leased_address_is_there_with_the_name_of_its_device(tmp_path: Path) -> None:
    leases = tmp_path / "leases"
    leases.write_text(f"0 {mac(5)} 10.0.0.5 may-5 01:{mac(5)}\n", encoding="utf-8")
    policy = replace(POLICY, leases=(LeaseFile(str(leases), LeaseFormat.DNSMASQ),))
    (one,) = _seen(policy=policy)
    assert (one.mac, one.host, one.answers, one.in_network) == (mac(5), "may-5", False, "all")


def test_a_router_and_what_is_on_the_provider_s_side_are_left_out() -> None:
    router = [neighbour(n, lladdr=mac(9)) for n in range(20, 30)]
    outside = neighbour(3, dst="198.51.100.9", dev="wan0")
    assert [one.mac for one in _seen(neighbour(2), *router, outside)] == [mac(2)]


def test_where_ip_fails_that_is_an_error_and_the_table_is_empty() -> None:
    ip = ShownNetwork()
    ip.neighbours = None
    survey = DeviceSurvey(FakeClock(), ip)
    with pytest.raises(ControlError, match="install iproute2"):
        asyncio.run(survey.look(POLICY))
    assert asyncio.run(survey.neighbours()) == []


CARD, OTHER, PHONE = "00:00:5e:00:53:01", "00:11:22:00:00:01", "02:00:5e:00:00:01"
TABLE = b"""\
OUI/MA-L\tOrganization
company_id\tOrganization
00-00-5E   (hex)\t\tICANN, \x1b[31mIANA\xff Department
00005E     (base 16)\t\tanother line
02-00-5E   (hex)\t\tnever: devices make such MACs
"""


def test_the_maker_of_a_card_is_worded_in_plain_letters(tmp_path: Path) -> None:
    table = tmp_path / "oui.txt"
    table.write_bytes(TABLE + b"x" * 100_000 + b"\n00-11-22   (hex)\t\t" + b"a" * 1_000)
    found = makers_of([CARD, OTHER, PHONE], table)
    assert found[CARD] == "ICANN, [31mIANA\N{REPLACEMENT CHARACTER} Department"
    assert len(found[OTHER]) < 200
    assert PHONE not in found


def test_without_a_table_no_maker_is_known(tmp_path: Path) -> None:
    assert makers_of([CARD], tmp_path / "oui.txt") == {}
    assert makers_of([CARD], tmp_path) == {}
    assert makers_of([PHONE], tmp_path / "oui.txt") == {}
