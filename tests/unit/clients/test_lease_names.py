# SPDX-License-Identifier: Apache-2.0
"""Which device may have which name."""

from __future__ import annotations

from ipaddress import ip_address

from filterd.clients.lease_names import LeaseNames, name_leases
from filterd.clients.leases import Lease

NOW = 1_000.0
PRINTER, TABLET = "02:00:5e:10:00:01", "02:00:5e:10:00:02"


def _lease(address: str, host: str, device: str = PRINTER, ends: float | None = 5_000) -> Lease:
    return Lease(ip_address(address), device, device, host, ends)


def _named(*leases: Lease, before: LeaseNames | None = None, now: float = NOW) -> LeaseNames:
    return name_leases(leases, before or LeaseNames(), now)


def _texts(names: LeaseNames, host: str) -> list[str]:
    return [str(ip_address(packed)) for packed in names.addresses.get(host, ())]


def test_a_device_has_its_name_in_both_families() -> None:
    names = _named(_lease("10.0.0.1", "printer"), _lease("fd00::1", "printer"))
    assert _texts(names, "printer") == ["10.0.0.1", "fd00::1"]
    assert names.holders[ip_address("10.0.0.1").packed] == ("printer", PRINTER)


def test_who_has_a_name_keeps_it() -> None:
    before = _named(_lease("10.0.0.1", "printer", ends=9_000))
    newcomer = _lease("10.0.0.2", "printer", TABLET, ends=2_000)
    names = _named(newcomer, _lease("10.0.0.1", "printer", ends=9_000), before=before)
    assert _texts(names, "printer") == ["10.0.0.1"]
    assert ip_address("10.0.0.2").packed not in names.holders


def test_control_without_what_was_before_the_newcomer_would_get_it() -> None:
    newcomer = _lease("10.0.0.2", "printer", TABLET, ends=2_000)
    names = _named(newcomer, _lease("10.0.0.1", "printer", ends=9_000))
    assert _texts(names, "printer") == ["10.0.0.2"]


def test_who_has_a_name_keeps_it_where_the_server_gave_it_away() -> None:
    """dnsmasq writes ``*`` to the lease of a device whose name another one claims."""
    before = _named(_lease("10.0.0.1", "printer"))
    robbed, robber = _lease("10.0.0.1", ""), _lease("10.0.0.2", "printer", TABLET)
    for _ in range(3):
        before = _named(robber, robbed, before=before)
        assert _texts(before, "printer") == ["10.0.0.1"]


def test_a_name_is_free_when_the_lease_has_ended() -> None:
    before = _named(_lease("10.0.0.1", "printer", ends=1_500))
    leases = (_lease("10.0.0.1", "printer", ends=1_500), _lease("10.0.0.2", "printer", TABLET))
    assert _texts(_named(*leases, before=before, now=1_499), "printer") == ["10.0.0.1"]
    assert _texts(_named(*leases, before=before, now=1_500), "printer") == ["10.0.0.2"]


def test_another_device_does_not_inherit_the_name_with_the_address() -> None:
    before = _named(_lease("10.0.0.1", "printer"))
    assert not _named(_lease("10.0.0.1", "", TABLET), before=before).addresses


def test_a_device_may_change_its_name() -> None:
    before = _named(_lease("10.0.0.1", "printer"))
    names = _named(_lease("10.0.0.1", "scanner"), before=before)
    assert list(names.addresses) == ["scanner"]


def test_a_lease_that_never_ends_was_given_by_the_administrator() -> None:
    own, other = _lease("10.0.0.9", "printer", ends=None), _lease("10.0.0.2", "printer", TABLET)
    assert _texts(_named(other, own), "printer") == ["10.0.0.9"]


def test_a_duid_that_anybody_can_forge_does_not_beat_a_mac() -> None:
    forged = _lease("fd00::2", "printer", "00:02:00:00:ab:11", ends=1_001)
    assert _texts(_named(forged, _lease("10.0.0.1", "printer")), "printer") == ["10.0.0.1"]


def test_a_name_has_a_bounded_number_of_addresses() -> None:
    names = _named(*(_lease(f"10.0.{n}.1", "printer") for n in range(200)))
    assert len(names.addresses["printer"]) == len(names.holders) == 16


def test_addresses_with_a_name_are_found_by_how_they_begin() -> None:
    names = _named(_lease("10.1.2.3", "a"), _lease("fd00::1", "b", TABLET))
    assert names.is_any_in("0a01", 4)
    assert names.is_any_in("fd0", 16)
    assert not names.is_any_in("0a02", 4)
    assert not names.is_any_in("0a01", 16)
    assert not LeaseNames().is_any_in("", 4)
