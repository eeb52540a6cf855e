# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from filterd.accounts.origin import origin_of


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("10.0.1.5", "10.0.1.5"),
        ("::ffff:10.0.1.5", "10.0.1.5"),
        ("fd00::1:2:3:4", "fd00::/64"),
        ("fd00::5:6:7:8", "fd00::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", "uid-990"),
        ("x" * 64, "uid-990"),
    ],
)
def test_a_device_counts_by_its_address_or_link(address: str, origin: str) -> None:
    assert origin_of(address, 990) == origin
