# SPDX-License-Identifier: Apache-2.0
"""Who asks: the narrowest range, else the interface, else an unknown client, else nobody."""

from __future__ import annotations

import socket

import pytest

from filterd.identity import Identifier, Surroundings, identifier
from filterd.policy.client import Client
from filterd.policy.model import Network
from tests.support.policies import a_policy

NETWORKS = (
    Network("school", "8", ("10.0.0.0/8", "fd00::/8")),
    Network("lab", "6", ("10.0.6.0/24", "fd00:6::/32")),
    Network("desk", "staff", ("10.0.6.1/32",)),
    Network("wireless", "1", interfaces=("wlan7",)),
)


def _identifier(*networks: Network, unknown: str = "preschool") -> Identifier:
    policy = a_policy(
        networks=networks or NETWORKS,
        allow_from=("192.0.2.0/24", "fe80::/10"),
        unknown_grade=unknown,
    )
    return Identifier(policy, Surroundings())


@pytest.fixture(autouse=True)
def _interfaces(monkeypatch: pytest.MonkeyPatch) -> None:
    def name_of(index: int) -> str:
        if index == 9:
            raise OSError("no such device")
        return f"wlan{index}"

    monkeypatch.setattr(socket, "if_indextoname", name_of)


@pytest.mark.parametrize(
    ("address", "interface", "network", "grade"),
    [
        ("10.0.6.1", 0, "desk", "staff"),
        ("10.0.6.2", 0, "lab", "6"),
        ("10.1.2.3", 0, "school", "8"),
        ("fd00:6::1", 0, "lab", "6"),
        ("fd12::1", 0, "school", "8"),
        # an IPv4 client of a socket for both families
        ("::ffff:10.0.6.2", 0, "lab", "6"),
        ("::FFFF:10.0.6.2", 0, "lab", "6"),
        # the interface counts where no range does
        ("203.0.113.1", 7, "wireless", "1"),
        ("fe80::1%wlan7", 7, "wireless", "1"),
        # and the scope where no interface is told: `filterd check --client`
        ("fe80::1%wlan7", 0, "wireless", "1"),
        ("fe80::1%wlan7", 8, None, "preschool"),
        ("fe80::1%wlan7", 9, None, "preschool"),
        ("10.0.6.2", 7, "lab", "6"),
        # allowed, and unknown
        ("192.0.2.1", 0, None, "preschool"),
        ("::ffff:192.0.2.1", 0, None, "preschool"),
        ("192.0.2.1", 8, None, "preschool"),
        ("192.0.2.1", 9, None, "preschool"),
        ("fe80::1%eth0", 1, None, "preschool"),
    ],
)
def test_who_asks(address: str, interface: int, network: str | None, grade: str) -> None:
    client = _identifier().identify(address, interface)
    assert client
    assert (client.network, client.grade.grade) == (network, grade)


@pytest.mark.parametrize(
    ("address", "interface"),
    [("203.0.113.1", 0), ("203.0.113.1", 8), ("203.0.113.1", 9), ("::1", 0), ("::10.0.6.2", 0)],
)
def test_an_address_that_nobody_allowed_may_not_ask(address: str, interface: int) -> None:
    assert _identifier().identify(address, interface) is None


@pytest.mark.parametrize(
    ("address", "text"),
    [
        ("::ffff:10.0.6.2", "10.0.6.2"),
        ("FD00:6:0:0::0001", "fd00:6::1"),
        ("fe80::1%wlan7", "fe80::1"),
    ],
)
def test_an_address_has_one_text_so_that_rules_for_a_client_find_it(
    address: str, text: str
) -> None:
    client = _identifier().identify(address, 7)
    assert client
    assert client.address == text


def test_the_order_of_networks_does_not_matter() -> None:
    forwards, backwards = _identifier(*NETWORKS), _identifier(*reversed(NETWORKS))
    for last in range(4):
        address = f"10.0.6.{last}"
        assert forwards.identify(address) == backwards.identify(address)


def test_an_unknown_client_gets_the_grade_of_unknown_clients() -> None:
    client = _identifier(unknown="1").identify("192.0.2.1")
    assert client == Client(a_policy().grades["1"], None, "192.0.2.1")


def test_what_was_found_is_remembered_by_address_and_interface() -> None:
    who = _identifier()
    assert who.identify("203.0.113.1", 7) is who.identify("203.0.113.1", 7)
    assert who.identify("203.0.113.1", 8) is None
    assert who.identify("203.0.113.1", 7) is not None


def test_memory_for_clients_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identifier, "_MEMO_CLIENTS", 10)
    who = _identifier()
    for host in range(100):
        who.identify(f"203.0.113.{host}")
        assert len(who._memo) <= 10
