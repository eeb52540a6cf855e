# SPDX-License-Identifier: Apache-2.0
"""For whom a local rule is."""

from __future__ import annotations

import pytest

from filterd.policy.client import Client
from filterd.policy.model import Audience
from tests.support.policies import a_grade, allow

PUPIL = Client(a_grade("6"), network="lab", address="192.0.2.6")
UNKNOWN = Client(a_grade("6"), network=None, address="192.0.2.7")
NOBODY = Client(a_grade("6"))


@pytest.mark.parametrize(
    ("audience", "whom", "pupil", "unknown", "nobody"),
    [
        (Audience.EVERYBODY, "", True, True, True),
        (Audience.TIER, "lower-secondary", True, True, True),
        (Audience.TIER, "primary", False, False, False),
        (Audience.GRADE, "6", True, True, True),
        (Audience.GRADE, "7", False, False, False),
        (Audience.NETWORK, "lab", True, False, False),
        (Audience.NETWORK, "", False, False, False),
        (Audience.CLIENT, "192.0.2.6", True, False, False),
        (Audience.CLIENT, "", False, False, False),
    ],
)
def test_whom_a_rule_means(
    audience: Audience, whom: str, pupil: bool, unknown: bool, nobody: bool
) -> None:
    rule = allow("site.example", audience, whom)
    meant = [client.is_meant_by(rule) for client in (PUPIL, UNKNOWN, NOBODY)]
    assert meant == [pupil, unknown, nobody]
