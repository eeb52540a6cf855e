# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from filterd.overrides.snapshot import Exported
from filterd.overrides.store_results import HistoryCheck, Started
from filterd.policy.temporary_rules import Overrides


def test_a_start_is_a_copy_too() -> None:
    started = Started(Overrides(number=2), "", "ab" * 32, 5.0)
    assert started.exported == Exported(Overrides(number=2), "ab" * 32, 5.0)


def test_a_history_is_sound_where_nothing_was_altered() -> None:
    assert HistoryCheck(2).is_sound
    assert HistoryCheck(2, set_aside=("damaged",)).is_sound
    assert not HistoryCheck(2, 1).is_sound
    assert not HistoryCheck(2, altered=("altered",)).is_sound
