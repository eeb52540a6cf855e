# SPDX-License-Identifier: Apache-2.0
"""For whom a local rule is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from filterd.policy.client import Client
from filterd.policy.model import Audience
from tests.support.policies import a_grade, allow, block

if TYPE_CHECKING:
    from filterd.policy.model import LocalRule

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


@pytest.mark.parametrize(
    ("exam", "made", "meant"),
    [
        ("", allow("site.example"), True),
        ("9", allow("site.example"), False),
        ("9", block("site.example"), True),
        ("", replace(allow("site.example"), exam="9"), False),
        ("9", replace(allow("site.example"), exam="9"), True),
        ("8", replace(allow("site.example"), exam="9"), False),
    ],
)
def test_who_sits_an_exam_has_its_allows_and_the_blocks_of_all(
    exam: str, made: LocalRule, meant: bool
) -> None:
    assert Client(replace(a_grade("6"), exam=exam)).is_meant_by(made) is meant
