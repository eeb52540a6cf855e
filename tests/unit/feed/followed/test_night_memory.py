# SPDX-License-Identifier: Apache-2.0
"""An estimate that refuses what this machine cannot compile, before it is tried."""

from __future__ import annotations

import pytest

from filterd.base import process_memory
from filterd.base.errors import TooLargeError
from filterd.feed.followed.night_memory import check_size, most_names, night_octets

BOARD = 950_000_000
"""Octets that a board of 1 GB has for its system."""


def test_five_million_names_are_too_many_for_a_small_board(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(process_memory, "machine_octets", lambda: BOARD)
    with pytest.raises(
        TooLargeError, match="have 5000000 names; this machine takes at most 3738738"
    ):
        check_size(5_000_000, 80_000_000)
    check_size(2_500_000, 40_000_000)
    check_size(2_500_000)


def test_long_lines_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_memory, "machine_octets", lambda: BOARD)
    with pytest.raises(TooLargeError):
        check_size(2_500_000, 200_000_000)


def test_a_night_takes_a_share_of_a_small_machine_and_no_more_than_the_guard_may(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(process_memory, "machine_octets", lambda: BOARD)
    assert night_octets() == BOARD // 2
    monkeypatch.setattr(process_memory, "machine_octets", lambda: 1 << 35)
    check_size(5_000_000, 80_000_000)
    with pytest.raises(TooLargeError):
        check_size(6_000_000, 96_000_000)


def test_what_fits_has_no_most() -> None:
    assert most_names(1_000_000, 20_000_000, 300_000_000) is None
    assert most_names(5_000_000, 100_000_000, 300_000_000) == 2_086_956
