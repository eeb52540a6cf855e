# SPDX-License-Identifier: Apache-2.0
"""dnsmasq's file of leases, as dnsmasq 2.91 wrote it, and as it never would."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filterd.clients.dnsmasq_leases import parse
from filterd.clients.leases import Lease

WRITTEN_BY_DNSMASQ = b"""\
1795548464 02:00:5e:10:00:06 192.168.6.20 * *
0 02:00:5e:10:00:09 192.168.6.23 * *
1795548464 02:00:5e:10:00:04 192.168.6.59 may-tinh-1 *
1795548464 02:00:5e:10:00:03 192.168.6.58 May *
1795548464 02:00:5e:10:00:02 192.168.6.57 wpad 01:02:00:5e:10:00:02
duid 00:01:00:01:2e:8f:a1:05:02:00:5e:10:00:ff
1795548464 6123 fd00:6::20 may-tinh-1 00:03:00:01:02:00:5e:10:00:04
1795548464 T6124 fd00:6::21 * 00:02:00:00:ab:11:01:02
"""


def _lease(address: str, mac: str | None, device: str, host: str, ends: float | None) -> Lease:
    return Lease(ip_address(address), mac, device, host, ends)


def test_what_dnsmasq_writes_is_read() -> None:
    ends, mac = 1795548464.0, "02:00:5e:10:00:0"
    assert parse(WRITTEN_BY_DNSMASQ) == (
        _lease("192.168.6.20", f"{mac}6", f"{mac}6", "", ends),
        _lease("192.168.6.23", f"{mac}9", f"{mac}9", "", None),
        _lease("192.168.6.59", f"{mac}4", f"{mac}4", "may-tinh-1", ends),
        _lease("192.168.6.58", f"{mac}3", f"{mac}3", "may", ends),
        _lease("192.168.6.57", f"{mac}2", f"{mac}2", "", ends),
        _lease("fd00:6::20", None, f"{mac}4", "may-tinh-1", ends),
        _lease("fd00:6::21", None, "00:02:00:00:ab:11:01:02", "", ends),
    )


@pytest.mark.parametrize(
    "line",
    [
        "",
        "vendorclass 192.168.6.20 MSFT 5.0 x",
        "-1 02:00:5e:10:00:06 192.168.6.20 a *",
        "9999999999999 02:00:5e:10:00:06 192.168.6.20 a *",
        "1 02:00:5e:10:00:06 192.168.6.20 a",
        "1 06-02:00:5e:10:00:06 192.168.6.20 a *",
        "1 02:00:5e:10:00:06 not-an-address a *",
        "1 02:00:5e:10:00:06 127.0.0.1 a *",
        "1 77 fd00::1 a *",
    ],
)
def test_a_line_that_makes_no_sense_is_passed_over(line: str) -> None:
    good = "1 02:00:5e:10:00:01 192.168.6.9 good *"
    assert [lease.host for lease in parse(f"{line}\n{good}\n".encode())] == ["good"]


@given(st.binary() | st.text("0123456789:abcdef* .\n-duT").map(str.encode))
def test_nothing_that_stands_in_it_is_an_error(content: bytes) -> None:
    parse(content)
