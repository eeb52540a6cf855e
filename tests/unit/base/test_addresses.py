# SPDX-License-Identifier: Apache-2.0
"""Hosts of this machine or its networks, however written; where a process listens."""

from __future__ import annotations

import socket

import pytest

from filterd.base.addresses import (
    DASHBOARD,
    bound,
    is_address,
    is_random,
    may_be_public,
    parse_listen,
)
from filterd.base.errors import ConfigError
from tests.support.no_ipv6 import NoIpv6


@pytest.mark.parametrize("host", [
    "10.0.0.1", "127.0.0.1", "192.168.1.1", "169.254.1.1", "224.0.0.1", "0.0.0.0", "100.64.0.1",
    "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fd00::1", "ff02::1",
    "::ffff:10.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b:1::a00:1", "::10.0.0.1", "fec0::1",
    "2002:a00:1::", "127.1", "0x7f000001", "2130706433",
    "0177.0.0.1", "localhost", "LOCALHOST.", "a.localhost", "printer.local", "nas.lan",
    "x.internal", "x.home.arpa", "home.arpa", "nas", "", ".", "a..lan", "a..com",
])  # fmt: skip
def test_no_host_of_a_network_is_public(host: str) -> None:
    assert not may_be_public(host)


@pytest.mark.parametrize("host", [
    "lists.example", "LISTS.example.", "8.8.8.8", "2001:4860:4860::8888", "::ffff:8.8.8.8",
    "local.example", "lan.vn", "10.example", "xn--vit-nam-8ya.vn", "v.xn--p1ai",
])  # fmt: skip
def test_a_host_of_the_internet_may_be(host: str) -> None:
    assert may_be_public(host)


@pytest.mark.parametrize(
    ("host", "expected"),
    [("10.0.0.1", True), ("::1", True), ("fe80::1%eth0", True), ("a.example", False), ("", False)],
)
def test_an_address_is_distinguished_from_a_name(host: str, *, expected: bool) -> None:
    assert is_address(host) is expected


def test_an_address_has_a_port() -> None:
    assert parse_listen(DASHBOARD, "") == ("127.0.0.1", 8443)
    assert parse_listen("[::]:443", "") == ("::", 443)


@pytest.mark.parametrize("text", ["", "127.0.0.1", "filterd:443", "127.0.0.1:x", "[::1]:70000"])
def test_anything_else_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(ConfigError, match=r"is not an address with a port \(127.0.0.1:8443"):
        parse_listen(text, DASHBOARD)


@pytest.mark.parametrize("text", ["0.0.0.0:9153", "10.0.0.1:1", "127.0.0.1", "127.0.0.1:99999", ""])
def test_another_one_than_loopback_is_refused_where_it_must_be(text: str) -> None:
    assert parse_listen("[::1]:0", "", is_loopback=True) == ("::1", 0)
    with pytest.raises(ConfigError, match="not a loopback address"):
        parse_listen(text, "", is_loopback=True)


def test_a_trial_takes_the_next_port_that_is_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = ("127.0.0.1", taken.getsockname()[1])
        with pytest.raises(ConfigError, match="Address already in use"):
            bound(listen)
        with bound(listen, 20) as found:
            assert found.getsockname()[1] > listen[1]


def test_a_mac_of_the_devices_own_making_is_found() -> None:
    assert is_random("02:00:5e:10:00:01")
    assert is_random("de:ad:be:ef:00:01")
    assert not is_random("00:00:5e:00:53:02")


def test_where_the_kernel_has_no_ipv6_its_addresses_are_refused_in_a_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(socket, "socket", NoIpv6)
    with pytest.raises(ConfigError, match="cannot listen on ::1 port 0: Address family"):
        bound(("::1", 0))
