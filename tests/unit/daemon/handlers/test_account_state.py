# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

import pytest

from filterd.accounts.grant import Grant
from filterd.base.errors import ControlError
from filterd.clients.identifier import Identifier
from filterd.clients.interfaces import Links, Prefix
from filterd.clients.neighbours import Neighbour
from filterd.clients.network_view import Surroundings
from filterd.daemon.handlers import account_state as module
from filterd.daemon.handlers.account_state import (
    Cookies,
    SignInNetworks,
    account_of,
    is_within,
)
from filterd.daemon.handlers.control_caller import Caller
from filterd.overrides.rights.roles import ADMINS
from filterd.policy.model import Network
from filterd.resolve.site import Site
from filterd.texts.i18n import say
from tests.support.clock import FakeClock
from tests.support.policies import a_policy, an_index

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.account_school import AccountSchool

LAN, MINH = Caller(1, "lan", frozenset()), Caller(2, "minh", frozenset({ADMINS}))


def test_a_browser_sends_two_cookies_in_one_token() -> None:
    assert Cookies.of("a~b") == ("a", "b")
    assert Cookies.of("a") == ("a", "")
    assert Cookies.of("") == ("", "")


def test_ones_own_account_needs_no_rank() -> None:
    to_do, lan = say("change it"), replace(LAN, grant=Grant("lan", frozenset()))
    assert account_of("", lan, to_do) == account_of("lan", lan, to_do) == "lan"
    assert account_of("lan", MINH, to_do) == "lan"
    with pytest.raises(ControlError):
        account_of("minh", lan, to_do)
    with pytest.raises(ControlError):
        account_of("", LAN, to_do)


def test_a_session_ends_with_the_day_or_with_half_a_day(people: AccountSchool) -> None:
    """It is half past one; the day ends at midnight."""
    state = people.accounts._state
    assert state.day_left_s() == 10.5 * 3600
    assert state.day() == "2025-12-01"
    people.is_time_known = False
    assert state.day_left_s() == 12 * 3600
    assert (state.day(), state.known_now()) == ("", None)


def test_the_status_has_no_names(people: AccountSchool) -> None:
    assert people.accounts.status() == {"number": 3, "damaged": False, "recovered_at": None}


LAPTOP = "10.0.6.9"
NETWORKS = [
    Network("desk", "staff", ("10.0.1.0/24", "fd00:1::/64")),
    Network("lab", "6", ("10.0.6.0/24",)),
    Network("guests", "guest", ("10.0.7.0/24",)),
    Network("phones", "staff", macs=("02:00:5e:10:00:01",)),
]


@pytest.mark.parametrize(
    ("address", "is_staff"),
    [
        ("10.0.1.5", True),
        ("::ffff:10.0.1.5", True),
        ("fd00:1::7", True),
        ("127.0.0.1", True),
        ("::1", True),
        ("127.0.0.2", False),
        ("10.0.6.5", False),
        ("10.0.7.5", False),
        ("192.0.2.1", False),
        ("", False),
        ("10.0.1.5, 10.0.6.5", False),
    ],
)
def test_people_sign_in_from_networks_of_the_staff(
    tmp_path: Path, address: str, *, is_staff: bool
) -> None:
    site = Site.of(a_policy(networks=NETWORKS), an_index(tmp_path, {}), ())
    networks = SignInNetworks(lambda: site)
    assert networks.is_of_staff(address) == is_staff
    assert networks.is_of_staff(address) == is_staff


def _with_a_copied_mac(tmp_path: Path) -> SignInNetworks:
    """Return the networks where a laptop in the pupils' network has the MAC of a phone."""
    around = Surroundings(FakeClock())
    around.take_links(Links(lan=(Prefix(ip_network("10.0.6.0/24"), "lan0"),)))
    around.take_neighbours((Neighbour(ip_address(LAPTOP), "lan0", "02:00:5e:10:00:01", True),))
    site = Site.of(a_policy(networks=NETWORKS), an_index(tmp_path, {}), (), around)
    client = Identifier(site.policy, around).identify(LAPTOP)
    assert client is not None
    assert client.grade.grade == "staff", "lookups go by the MAC"
    return SignInNetworks(lambda: site)


def test_a_copied_mac_is_no_network_of_the_staff(tmp_path: Path) -> None:
    assert not _with_a_copied_mac(tmp_path).is_of_staff(LAPTOP)


def test_control_with_macs_it_would_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_by_addresses", lambda policy: policy)
    assert _with_a_copied_mac(tmp_path).is_of_staff(LAPTOP)


def test_an_unknown_address_is_no_staff_whatever_its_grade(tmp_path: Path) -> None:
    policy = replace(a_policy(networks=NETWORKS), unknown_grade="staff")
    site = Site.of(policy, an_index(tmp_path, {}), ())
    assert not SignInNetworks(lambda: site).is_of_staff("127.0.0.9")


def test_addresses_of_a_token_are_networks() -> None:
    assert is_within("::ffff:10.0.1.5", ["10.0.1.4/31"])
    assert not is_within("10.0.1.6", ["10.0.1.4/31", "fd00::/8"])
    assert not is_within("x", ["0.0.0.0/0"])
