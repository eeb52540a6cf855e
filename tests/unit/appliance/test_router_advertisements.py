# SPDX-License-Identifier: Apache-2.0
"""Router advertisements of a real router, and octets that are none."""

from __future__ import annotations

import asyncio
import struct
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filterd.appliance import router_advertisements
from filterd.appliance.router_advertisements import advertisements, parse_advertisement
from tests.support.link_servers import advertising, dnsmasq
from tests.support.namespaces import connect, namespaces

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from filterd.appliance.router_advertisements import RouterAdvertisement
    from tests.support.namespaces import Namespace

HEAD = struct.pack("!BBHBBHII", 134, 0, 0, 64, 0xC0, 1800, 0, 0)
RESOLVER = bytes.fromhex("20010db8000000000000000000000053")


def _rdnss(lifetime_s: int, *addresses: bytes) -> bytes:
    return struct.pack("!BBHI", 25, 1 + 2 * len(addresses), 0, lifetime_s) + b"".join(addresses)


def _prefix(length: int) -> bytes:
    return struct.pack("!BBBBIII", 3, 4, length, 0xC0, 60, 60, 0) + RESOLVER


def _parsed(message: bytes, source: str = "fe80::1", hops: int = 255) -> RouterAdvertisement | None:
    return parse_advertisement(message, source, hops)


@pytest.fixture
def link() -> Iterator[tuple[Namespace, Namespace]]:
    with namespaces("box", "router") as (box, router):
        connect((box, "lan0"), (router, "eth0"))
        box.ip("address add fe80::b/64 dev lan0")
        router.ip("address add fe80::a/64 dev eth0")
        router.ip("address add fd00:6::a/64 dev eth0")
        yield box, router


def _look(box: Namespace, within_s: float, enough: int = 16) -> tuple[RouterAdvertisement, ...]:
    found: tuple[RouterAdvertisement, ...] = box.run(
        lambda: asyncio.run(advertisements("lan0", within_s=within_s, enough=enough))
    )
    return found


def test_a_router_is_found_with_its_prefix_and_its_dns(
    link: tuple[Namespace, Namespace], tmp_path: Path
) -> None:
    box, router = link
    with dnsmasq(router, tmp_path, "eth0", *advertising("2001:db8::53")):
        (found,) = _look(box, 10, enough=1)
    assert found.router.startswith("fe80::")
    assert found.prefixes == ("fd00:6::/64",)
    assert found.resolvers == ("2001:db8::53",)
    assert found.lifetime_s > 0


def test_a_link_without_a_router_has_none(link: tuple[Namespace, Namespace]) -> None:
    assert _look(link[0], 0.1) == ()


def test_an_interface_that_is_gone_is_an_error() -> None:
    with pytest.raises(OSError, match=r"no interface|not permitted"):
        asyncio.run(advertisements("no-such-if", within_s=0.1))


def test_flags_prefixes_and_resolvers_are_read() -> None:
    found = _parsed(HEAD + _prefix(64) + _rdnss(60, RESOLVER) + bytes((1, 1, 2, 0, 0, 0, 0, 1)))
    assert found is not None
    assert (found.managed, found.other, found.lifetime_s) == (True, True, 1800)
    assert (found.prefixes, found.resolvers) == (("2001:db8::/64",), ("2001:db8::53",))


def test_a_resolver_that_is_withdrawn_is_none() -> None:
    found = _parsed(HEAD + _rdnss(0, RESOLVER))
    assert found is not None
    assert found.resolvers == ()


@pytest.mark.parametrize(
    ("message", "source", "hops"),
    [
        (HEAD[:15], "fe80::1", 255),
        (HEAD, "2001:db8::1", 255),
        (HEAD, "fe80::1", 64),
        (bytes((135,)) + HEAD[1:], "fe80::1", 255),
        (HEAD[:1] + b"\1" + HEAD[2:], "fe80::1", 255),
        (HEAD + bytes(2_000), "fe80::1", 255),
    ],
)
def test_what_is_no_advertisement_is_left_out(message: bytes, source: str, hops: int) -> None:
    assert _parsed(message, source, hops) is None


def test_control_without_the_hop_limit_an_advertisement_from_afar_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(router_advertisements, "_HOPS", 64)
    assert _parsed(HEAD, hops=64) is not None


@pytest.mark.parametrize(
    "option", [bytes((25, 0)) + bytes(30), bytes((25, 9)) + bytes(30), b"\x19"]
)
def test_nothing_behind_a_broken_option_is_read(option: bytes) -> None:
    found = _parsed(HEAD + option + _rdnss(60, RESOLVER))
    assert found is not None
    assert found.resolvers == ()


def test_a_prefix_that_is_too_long_is_left_out() -> None:
    found = _parsed(HEAD + _prefix(129))
    assert found is not None
    assert found.prefixes == ()


@given(st.binary(max_size=200))
def test_no_octets_raise(data: bytes) -> None:
    _parsed(HEAD + data)
    _parsed(data)
