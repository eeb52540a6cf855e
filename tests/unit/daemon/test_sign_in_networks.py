# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.daemon.sign_in_networks import SignInNetworks, is_within
from filterd.policy.model import Network
from filterd.resolve.site import Site
from tests.support.policies import a_policy, an_index

if TYPE_CHECKING:
    from pathlib import Path

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


def test_addresses_of_a_token_are_networks() -> None:
    assert is_within("::ffff:10.0.1.5", ["10.0.1.4/31"])
    assert not is_within("10.0.1.6", ["10.0.1.4/31", "fd00::/8"])
    assert not is_within("x", ["0.0.0.0/0"])
