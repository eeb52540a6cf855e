# SPDX-License-Identifier: Apache-2.0
"""Expectations are a part of the compiled policy, and come back from its file."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from filterd.policy import policy_file
from filterd.policy.expectation import Expectation
from filterd.policy.model import Audience
from tests.support.policies import a_policy, wire

if TYPE_CHECKING:
    from pathlib import Path


def test_an_expectation_outlives_the_file_it_is_written_to(tmp_path: Path) -> None:
    at_times: list[dict[str, object]] = [{}, {"at": 1.5}, {"weekday": 0, "second": 28_800}]
    expectations = tuple(
        replace(
            Expectation(
                wire("a.example"), True, Audience.TIER, "primary", "a.example ...", "x.yaml", 3
            ),
            **when,  # type: ignore[arg-type]
        )
        for when in at_times
    )
    policy = replace(a_policy(), expectations=expectations)
    policy_file.save(tmp_path / "policy", policy)
    assert policy_file.load(tmp_path / "policy") == policy
