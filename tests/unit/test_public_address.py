# SPDX-License-Identifier: Apache-2.0
"""Hosts that are of this machine or its networks, in every way to write them."""

from __future__ import annotations

import pytest

from filterd.public_address import is_address, may_be_public


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
def test_an_address_is_told_from_a_name(host: str, *, expected: bool) -> None:
    assert is_address(host) is expected
