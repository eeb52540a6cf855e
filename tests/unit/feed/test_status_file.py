# SPDX-License-Identifier: Apache-2.0
"""The longer nothing came, the louder it is told, and never by a clock that is wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from filterd.feed.status_file import Freshness, Standing, StandingFile, freshness
from filterd.sentences import say

if TYPE_CHECKING:
    from pathlib import Path

DAY_S = 86_400.0
NOW = 1_800_000_000.0
FLOOR = NOW - DAY_S
KNOWN = Standing(
    tried_at=NOW,
    verified_at=NOW,
    version=12,
    expires_at=NOW + 90 * DAY_S,
    problem=say("{url}: the server cannot be reached", url="https://a.example"),
    judgement={"version": 13, "findings": []},
)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    StandingFile(tmp_path).write(KNOWN)
    assert StandingFile(tmp_path).read() == KNOWN
    assert StandingFile(tmp_path).read().problem.values == {"url": "https://a.example"}


@pytest.mark.parametrize(
    "damage", [b"", b"{", b"[]", b'{"problem": ""}', b'{"problem": "", "tried_at": "x"}']
)
def test_what_is_damaged_is_as_at_the_beginning(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "standing.json").write_bytes(damage)
    assert StandingFile(tmp_path).read() == Standing()


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (0, Freshness.FRESH),
        (6.99, Freshness.FRESH),
        (7, Freshness.OLD),
        (29.99, Freshness.OLD),
        (30, Freshness.VERY_OLD),
        (7_000, Freshness.VERY_OLD),
    ],
)
def test_it_gets_louder_with_the_days(days: float, expected: Freshness) -> None:
    assert freshness(KNOWN, NOW + days * DAY_S, FLOOR) is expected


def test_what_has_expired_is_old_at_once() -> None:
    assert freshness(replace(KNOWN, expires_at=NOW), NOW, FLOOR) is Freshness.OLD


def test_a_clock_before_what_is_known_says_nothing() -> None:
    assert freshness(KNOWN, 0.0, FLOOR) is Freshness.UNKNOWN
    assert freshness(KNOWN, FLOOR - 1, FLOOR) is Freshness.UNKNOWN


def test_before_the_first_answer_there_is_nothing_to_be_old() -> None:
    assert freshness(Standing(), NOW, FLOOR) is Freshness.NEVER
