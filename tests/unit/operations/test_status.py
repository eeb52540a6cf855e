# SPDX-License-Identifier: Apache-2.0
"""Totals and self-tests may be of before, within bounds."""

from __future__ import annotations

import pytest

from filterd.base.errors import ConfigError
from filterd.operations.status import STATUS, ReadStatus, RunSelfTest


def test_fresh_totals_are_written_first_unless_older_ones_will_do() -> None:
    assert ReadStatus().arguments == {}
    assert ReadStatus(totals_old_s=9).arguments == {"totals_old_s": 9}
    assert ReadStatus.read({"totals_old_s": 60}).totals_old_s == 60
    with pytest.raises(ConfigError, match="from 0 to 60"):
        ReadStatus.read({"totals_old_s": 61})


def test_a_program_does_not_choose_their_age() -> None:
    with pytest.raises(ConfigError):
        STATUS.fields.read({"totals_old_s": 9})


def test_a_self_test_is_a_day_old_at_most() -> None:
    assert RunSelfTest.read({"old_s": 86_400}).old_s == 86_400
    for old_s in (-1, 86_401, "soon"):
        with pytest.raises(ConfigError, match="old_s"):
            RunSelfTest.read({"old_s": old_s})
