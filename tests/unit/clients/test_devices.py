# SPDX-License-Identifier: Apache-2.0
"""Which device has an address, and which MACs identify nobody."""

from __future__ import annotations

from ipaddress import IPv6Network, ip_address, ip_network
from typing import Any

import pytest

from filterd.clients import devices as devices_module
from filterd.clients.devices import Device, Neighbour, devices, is_random, parse_neighbours
from filterd.clients.interfaces import Links, Prefix
from filterd.clients.leases import Lease

MAC, OTHER = "02:00:5e:10:00:01", "00:00:5e:00:53:02"
LINKS = Links(
    lan=tuple(
        Prefix(ip_network(text), "lan0")
        for text in ("10.0.0.0/16", "fe80::/64", *(f"2001:db8:{n}::/64" for n in range(1, 9)))
    )
)


def _at(address: str, mac: str = MAC, interface: str = "lan0") -> Neighbour:
    return Neighbour(ip_address(address), interface, mac)


def _lease(address: str, mac: str | None = MAC) -> Lease:
    return Lease(ip_address(address), mac, mac or "", "", None)


def _of(address: str, neighbours: list[Neighbour], *leases: Lease) -> Device | None:
    return devices(neighbours, leases, LINKS).get((ip_address(address), "lan0"))


def test_neighbours_and_leases_tell_a_device() -> None:
    assert _of("10.0.0.2", [_at("10.0.0.2")]) == Device(MAC)
    assert _of("fe80::2", [_at("fe80::2")]) == Device(MAC)
    assert _of("10.0.0.2", [], _lease("10.0.0.2")) == Device(MAC)
    assert _of("10.0.0.2", [], _lease("10.0.0.2", None)) is None


def test_who_answers_now_is_believed_and_not_the_lease() -> None:
    assert _of("10.0.0.2", [_at("10.0.0.2", OTHER)], _lease("10.0.0.2")) == Device(OTHER)


def test_a_mac_tells_nothing_of_an_address_beyond_the_link() -> None:
    assert devices([_at("192.0.2.1")], [_lease("192.0.2.2")], LINKS) == {}
    assert devices([_at("10.0.0.2", interface="wan0")], [], LINKS) == {}


def test_a_mac_with_many_unrelated_addresses_is_a_router() -> None:
    few = [_at(f"10.0.{n}.2") for n in range(3)]
    assert _of("10.0.0.2", few) == Device(MAC)
    many = [*few, _at("10.0.9.2"), _at("fe80::2"), _at("10.0.7.7", OTHER)]
    assert _of("10.0.0.2", many) == Device(MAC, is_router=True)
    assert _of("fe80::2", many) == Device(MAC, is_router=True)
    assert _of("10.0.7.7", many) == Device(OTHER)


def test_leases_count_too_when_a_router_is_told() -> None:
    leases = [_lease(f"10.0.{n}.2") for n in range(3)]
    found = _of("10.0.0.2", [_at("10.0.9.2")], *leases)
    assert found
    assert found.is_router


def test_a_device_may_have_many_addresses_of_few_ipv6_prefixes() -> None:
    """Temporary addresses, a new one a day (RFC 8981)."""
    own = [_at(f"2001:db8:{n % 4 + 1}::{n + 1:x}") for n in range(32)]
    assert _of("2001:db8:1::1", own) == Device(MAC)
    assert _of("2001:db8:1::1", [*own, _at("2001:db8:5::1")]) == Device(MAC, is_router=True)
    prefixes = [_at(f"2001:db8:{n}::1") for n in range(1, 6)]
    assert _of("2001:db8:1::1", prefixes) == Device(MAC, is_router=True)


def test_a_mac_of_the_devices_own_making_is_told() -> None:
    assert is_random("02:00:5e:10:00:01")
    assert is_random("de:ad:be:ef:00:01")
    assert not is_random("00:00:5e:00:53:02")


def test_the_number_of_devices_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices_module, "MOST_DEVICES", 10)
    neighbours = [_at(str(address)) for address in IPv6Network("2001:db8:1::/120")]
    leases = [_lease(f"10.0.0.{n}") for n in range(100)]
    assert len(devices(neighbours, leases, LINKS)) == 10


def _entry(**fields: Any) -> dict[str, Any]:
    return {"dst": "10.0.0.2", "dev": "lan0", "lladdr": MAC, "state": ["REACHABLE"], **fields}


@pytest.mark.parametrize("state", ["REACHABLE", "STALE", "DELAY", "PROBE", "PERMANENT"])
def test_a_device_that_answered_is_a_neighbour(state: str) -> None:
    known = Neighbour(ip_address("10.0.0.2"), "lan0", MAC)
    assert parse_neighbours([_entry(state=[state])]) == (known,)


@pytest.mark.parametrize(
    "fields",
    [
        {"state": ["FAILED"]},
        {"state": ["INCOMPLETE"]},
        {"state": ["NOARP"]},
        {"state": "REACHABLE"},
        {"state": None},
        {"lladdr": None},
        {"lladdr": "00:00:00:00:00:00"},
        {"lladdr": "10.0.0.9"},
        {"dev": None},
        {"dst": "default"},
        {"dst": 7},
        {"dst": None},
    ],
)
def test_what_tells_no_device_is_passed_over(fields: dict[str, Any]) -> None:
    assert parse_neighbours([_entry(**fields)]) == ()
    assert parse_neighbours([{}]) == ()


def test_the_table_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices_module, "MOST_NEIGHBOURS", 5)
    assert len(parse_neighbours(_entry(dst=f"10.0.0.{n}") for n in range(50))) == 5
