# SPDX-License-Identifier: Apache-2.0
"""Common properties of lease files: hostile text, and limits."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from filterd.clients import leases
from filterd.clients.leases import (
    Lease,
    LeaseNames,
    device_of_duid,
    host_label,
    is_random,
    latest,
    lines_of,
    name_leases,
    parse_address,
    parse_mac,
)


@pytest.mark.parametrize(
    ("said", "label"),
    [
        ("may-tinh-1", "may-tinh-1"),
        ("May-Tinh", "may-tinh"),
        ("pc.school.lan", "pc"),
        ("7", "7"),
        ("x" * 63, "x" * 63),
        # what no device may be called
        ("x" * 64, ""),
        ("", ""),
        ("*", ""),
        ("-a", ""),
        ("a-", ""),
        ("a_b", ""),
        ("a b", ""),
        ("a\x00b", ""),
        ("a\n", ""),
        ("*.evil", ""),
        ("<script>", ""),
        ("máy", ""),
        ("\u0661", ""),
        # nor may it be looked for by these
        ("wpad", ""),
        ("WPAD.school.lan", ""),
        ("isatap", ""),
        ("localhost", ""),
        ("wpad2", "wpad2"),
    ],
)
def test_a_device_gets_only_a_name_that_is_safe(said: str, label: str) -> None:
    assert host_label(said) == label


@pytest.mark.parametrize(
    ("text", "mac"),
    [
        ("02:00:5E:10:00:01", "02:00:5e:10:00:01"),
        ("00:00:00:00:00:00", None),
        ("06-02:00:5e:10:00:01", None),
        ("02:00:5e:10:00", None),
        ("02:00:5e:10:00:01:02", None),
        ("", None),
    ],
)
def test_only_an_ethernet_address_is_a_mac(text: str, mac: str | None) -> None:
    assert parse_mac(text) == mac


@pytest.mark.parametrize(
    ("text", "is_usable"),
    [
        ("192.168.6.20", True),
        ("fd00:6:0:0:0:0:0:20", True),
        ("fe80::1", False),
        ("fd00::1%eth0", False),
        ("224.0.0.1", False),
        ("127.0.0.1", False),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.6", False),
        ("9" * 5000, False),
        ("", False),
    ],
)
def test_a_lease_is_for_an_address_that_a_device_can_have(text: str, is_usable: bool) -> None:
    assert (parse_address(text) is not None) is is_usable


@pytest.mark.parametrize(
    ("duid", "device"),
    [
        # with a MAC in it: it is the device that has the IPv4 lease
        ("00:01:00:01:2e:8f:a1:05:02:00:5e:10:00:01", "02:00:5e:10:00:01"),
        ("00:03:00:01:02:00:5E:10:00:01", "02:00:5e:10:00:01"),
        # of other kinds
        ("00:02:00:00:ab:11:01:02", "00:02:00:00:ab:11:01:02"),
        ("00:03:00:01:02:00", "00:03:00:01:02:00"),
        ("", None),
        ("*", None),
        ("00:" * 200 + "00", None),
        ("zz", None),
    ],
)
def test_a_duid_tells_one_device_from_another(duid: str, device: str | None) -> None:
    assert device_of_duid(duid) == device


def test_a_line_without_its_end_is_not_read() -> None:
    assert list(lines_of(b"one\r\ntwo\nthr")) == ["one", "two"]


def test_a_line_beyond_all_measure_is_passed_over() -> None:
    assert list(lines_of(b"one\n" + b"x" * 100_000 + b"\ntwo\n")) == ["one", "two"]


def test_octets_that_are_no_text_hurt_nobody() -> None:
    assert len(list(lines_of(bytes(range(256)) + b"\n"))) == 2


def test_the_last_lease_of_an_address_counts_and_their_number_is_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(leases, "MOST_LEASES", 2)
    made = [Lease(ip_address(f"10.0.0.{n % 3}"), None, "d", f"h{n}", None) for n in range(6)]
    assert [lease.host for lease in latest(made)] == ["h3", "h4"]


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


def test_a_mac_of_the_devices_own_making_is_told() -> None:
    assert is_random("02:00:5e:10:00:01")
    assert is_random("de:ad:be:ef:00:01")
    assert not is_random("00:00:5e:00:53:02")
