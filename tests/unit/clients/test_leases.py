# SPDX-License-Identifier: Apache-2.0
"""Common properties of lease files: hostile text, and limits."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from filterd.clients import leases
from filterd.clients.leases import (
    Lease,
    device_of_duid,
    host_label,
    latest,
    lines_of,
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
