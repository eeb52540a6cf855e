# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json

import pytest

from filterd.feed.outcome import Became, Outcome


@pytest.mark.parametrize("became", Became)
def test_it_is_told_as_plain_data(became: Became) -> None:
    told = Outcome(became, 7, urgent=6, fetched_octets=10, names=3, at=1.5).to_plain()
    assert json.loads(json.dumps(told)) == {
        "became": str(became),
        "version": 7,
        "urgent": 6,
        "fetched_octets": 10,
        "names": 3,
        "at": 1.5,
    }
