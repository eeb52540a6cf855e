# SPDX-License-Identifier: Apache-2.0
"""What is seen of the network, and for how long it is believed."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

from filterd.clients.devices import Device, Neighbour
from filterd.clients.interfaces import Links, Prefix
from filterd.clients.leases import Lease
from filterd.clients.network_view import Sighting, Surroundings
from tests.support.clock import FakeClock

MAC = "02:00:5e:10:00:01"
ADDRESS, OTHER = ip_address("10.0.0.2"), ip_address("10.0.0.3")
LINKS = Links(lan=(Prefix(ip_network("10.0.0.0/24"), "lan0"),))
HERE = Neighbour(ADDRESS, "lan0", MAC)


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


def test_a_lease_tells_a_device_too_and_ends_too() -> None:
    clock = FakeClock()
    surroundings = _seen(clock)
    surroundings.take_leases((_lease(),))
    assert surroundings.sighting(OTHER, "lan0") == Sighting(Device(MAC), 1_060.0)
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
    told: list[bool] = []
    surroundings.on_wanted = lambda: told.append(surroundings.wanted)
    for _ in range(5):
        surroundings.sighting(OTHER, "lan0")
    surroundings.sighting(ip_address("192.0.2.1"), "lan0")
    assert told == [True]
    surroundings.take_neighbours((HERE,))
    assert not surroundings.wanted
    surroundings.sighting(OTHER, "lan0")
    assert told == [True, True]


def test_a_link_that_changes_changes_who_is_on_it() -> None:
    surroundings = _seen(FakeClock())
    version = surroundings.version
    surroundings.take_links(LINKS)
    assert surroundings.version == version
    surroundings.take_links(Links())
    assert surroundings.version > version
    assert surroundings.sighting(ADDRESS, "lan0") is None
