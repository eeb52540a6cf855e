# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from filterd.feed.target_roles import is_ordered


@pytest.mark.parametrize(
    ("name", "ordered"),
    [
        ("orders/x.txt.zst", True),
        ("orders/deep/x.txt.zst", True),
        ("orders.yaml.zst", True),
        ("lists/orders.txt.zst", False),
        ("ordersx/x.txt.zst", False),
        ("deltas/orders/x.txt/1-2.zst", False),  # what comes out of it is the law's to sign
    ],
)
def test_only_what_the_law_orders_is_the_laws(name: str, ordered: bool) -> None:
    assert is_ordered(name) is ordered
