# SPDX-License-Identifier: Apache-2.0
"""The visible network, and how long it is believed."""

from __future__ import annotations

from ipaddress import IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING

from filterd.clients import network_view as devices_module
from filterd.clients.interfaces import Links, Prefix
from filterd.clients.leases import Lease
from filterd.clients.neighbours import Neighbour
from filterd.clients.network_view import (
    Device,
    Sighting,
    Surroundings,
    devices,
)
from tests.support.clock import FakeClock

if TYPE_CHECKING:
    import pytest

MAC = "02:00:5e:10:00:01"
ADDRESS, OTHER = ip_address("10.0.0.2"), ip_address("10.0.0.3")
LINKS = Links(lan=(Prefix(ip_network("10.0.0.0/24"), "lan0"),))
HERE = Neighbour(ADDRESS, "lan0", MAC, True)


def _seen(clock: FakeClock) -> Surroundings:
    surroundings = Surroundings(clock)
    surroundings.take_links(LINKS)
    surroundings.take_neighbours((HERE,))
    return surroundings


def _lease(host: str = "pc", ends: float | None = None) -> Lease:
    return Lease(OTHER, MAC, MAC, host, ends)


def test_nothing_is_seen_at_first() -> None:
    surroundings = Surroundings()
    assert surroundings.version == 0
    assert surroundings.sighting(ADDRESS, "lan0") is None
    assert not surroundings.names.addresses


def test_a_device_is_known_for_a_minute_after_it_was_seen() -> None:
    clock = FakeClock()
    surroundings = _seen(clock)
    clock.advance(59.9)
    assert surroundings.sighting(ADDRESS, "lan0") == Sighting(Device(MAC), 1_060.0)
    clock.advance(0.1)
    found = surroundings.sighting(ADDRESS, "lan0")
    assert found == Sighting(None, clock.monotonic() + 1)


def test_a_device_that_is_seen_again_stays_known() -> None:
    clock = FakeClock()
    surroundings = _seen(clock)
    for _ in range(5):
        version = surroundings.version
        clock.advance(50)
        surroundings.take_neighbours((HERE,))
        assert surroundings.sighting(ADDRESS, "lan0") == Sighting(
            Device(MAC), clock.monotonic() + 60
        )
        assert surroundings.version == version


def test_a_device_that_is_gone_is_forgotten_at_once() -> None:
    surroundings = _seen(FakeClock())
    version = surroundings.version
    surroundings.take_neighbours(())
    assert surroundings.version > version
    found = surroundings.sighting(ADDRESS, "lan0")
    assert found
    assert found.device is None


def test_a_lease_identifies_a_device_too_and_ends_too() -> None:
    clock = FakeClock()
    surroundings = _seen(clock)
    surroundings.take_leases((_lease(),))
    leased = Device(MAC, is_proved=False)
    assert surroundings.sighting(OTHER, "lan0") == Sighting(leased, 1_060.0)
    clock.advance(30)
    surroundings.take_neighbours((HERE,))
    clock.advance(31)
    found = surroundings.sighting(OTHER, "lan0")
    assert found
    assert found.device is None
    assert surroundings.sighting(ADDRESS, "lan0") == Sighting(Device(MAC), 1_090.0)


def test_names_of_leases_are_known_for_a_minute() -> None:
    clock = FakeClock()
    surroundings = _seen(clock)
    version = surroundings.version
    surroundings.take_leases((_lease(),))
    assert surroundings.version > version
    assert surroundings.names.addresses == {"pc": (OTHER.packed,)}
    clock.advance(60)
    assert not surroundings.names.addresses


def test_a_lease_that_is_only_renewed_changes_nothing() -> None:
    clock = FakeClock()
    surroundings = _seen(clock)
    surroundings.take_leases((_lease(ends=clock.wall() + 100),))
    version = surroundings.version
    surroundings.take_leases((_lease(ends=clock.wall() + 200),))
    assert surroundings.version == version


def test_an_unknown_address_on_a_link_is_wanted_once() -> None:
    surroundings = _seen(FakeClock())
    calls: list[bool] = []
    surroundings.on_wanted = lambda: calls.append(surroundings.wanted)
    for _ in range(5):
        surroundings.sighting(OTHER, "lan0")
    surroundings.sighting(ip_address("192.0.2.1"), "lan0")
    assert calls == [True]
    surroundings.take_neighbours((HERE,))
    assert not surroundings.wanted
    surroundings.sighting(OTHER, "lan0")
    assert calls == [True, True]


def test_a_link_that_changes_changes_the_clients_on_it() -> None:
    surroundings = _seen(FakeClock())
    version = surroundings.version
    surroundings.take_links(LINKS)
    assert surroundings.version == version
    surroundings.take_links(Links())
    assert surroundings.version > version
    assert surroundings.sighting(ADDRESS, "lan0") is None


MAC_DEVICES, OTHER_DEVICES = "02:00:5e:10:00:01", "00:00:5e:00:53:02"
LINKS_DEVICES = Links(
    lan=tuple(
        Prefix(ip_network(text), "lan0")
        for text in ("10.0.0.0/16", "fe80::/64", *(f"2001:db8:{n}::/64" for n in range(1, 9)))
    )
)


def _at(address: str, mac: str = MAC_DEVICES, interface: str = "lan0") -> Neighbour:
    return Neighbour(ip_address(address), interface, mac, True)


def _lease_devices(address: str, mac: str | None = MAC_DEVICES) -> Lease:
    return Lease(ip_address(address), mac, mac or "", "", None)


def _of(address: str, neighbours: list[Neighbour], *leases: Lease) -> Device | None:
    return devices(neighbours, leases, LINKS_DEVICES).get((ip_address(address), "lan0"))


def test_neighbours_and_leases_identify_a_device() -> None:
    assert _of("10.0.0.2", [_at("10.0.0.2")]) == Device(MAC_DEVICES)
    assert _of("fe80::2", [_at("fe80::2")]) == Device(MAC_DEVICES)
    assert _of("10.0.0.2", [], _lease_devices("10.0.0.2")) == Device(MAC_DEVICES)
    assert _of("10.0.0.2", [], _lease_devices("10.0.0.2", None)) is None


def test_where_table_and_lease_differ_both_claim_the_address() -> None:
    found = _of("10.0.0.2", [_at("10.0.0.2", OTHER_DEVICES)], _lease_devices("10.0.0.2"))
    assert found == Device(OTHER_DEVICES, rivals=frozenset((MAC_DEVICES,)))


def test_a_mac_does_not_identify_an_address_beyond_the_link() -> None:
    assert devices([_at("192.0.2.1")], [_lease_devices("192.0.2.2")], LINKS_DEVICES) == {}
    assert devices([_at("10.0.0.2", interface="wan0")], [], LINKS_DEVICES) == {}


def test_a_mac_with_many_unrelated_addresses_is_a_router() -> None:
    few = [_at(f"10.0.{n}.2") for n in range(3)]
    assert _of("10.0.0.2", few) == Device(MAC_DEVICES)
    many = [*few, _at("10.0.9.2"), _at("fe80::2"), _at("10.0.7.7", OTHER_DEVICES)]
    assert _of("10.0.0.2", many) == Device(MAC_DEVICES, is_router=True)
    assert _of("fe80::2", many) == Device(MAC_DEVICES, is_router=True)
    assert _of("10.0.7.7", many) == Device(OTHER_DEVICES)


def test_leases_count_too_when_a_router_is_reported() -> None:
    leases = [_lease_devices(f"10.0.{n}.2") for n in range(3)]
    found = _of("10.0.9.2", [_at("10.0.9.2")], *leases)
    assert found
    assert found.is_router
    assert _of("10.0.0.2", [_at("10.0.9.2")], *leases) == Device(MAC_DEVICES), "by its lease"


def test_a_device_may_have_many_addresses_of_few_ipv6_prefixes() -> None:
    """Temporary addresses, a new one a day (RFC 8981)."""
    own = [_at(f"2001:db8:{n % 4 + 1}::{n + 1:x}") for n in range(32)]
    assert _of("2001:db8:1::1", own) == Device(MAC_DEVICES)
    assert _of("2001:db8:1::1", [*own, _at("2001:db8:5::1")]) == Device(MAC_DEVICES, is_router=True)
    prefixes = [_at(f"2001:db8:{n}::1") for n in range(1, 6)]
    assert _of("2001:db8:1::1", prefixes) == Device(MAC_DEVICES, is_router=True)


def test_the_number_of_devices_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices_module, "MOST_DEVICES", 10)
    neighbours = [_at(str(address)) for address in IPv6Network("2001:db8:1::/120")]
    leases = [_lease_devices(f"10.0.0.{n}") for n in range(100)]
    assert len(devices(neighbours, leases, LINKS_DEVICES)) == 10
