# SPDX-License-Identifier: Apache-2.0
"""To believe the clock is a change with a reason."""

from __future__ import annotations

from filterd.operations.clock import AcceptClock, ReadClock
from filterd.overrides.history.history_chain import CLOCK_ACCEPTED


def test_a_clock_is_accepted_by_a_change() -> None:
    asked = AcceptClock.read({"reason": "đúng giờ"})
    assert (asked.command, asked.arguments) == (
        "change",
        {"kind": CLOCK_ACCEPTED, "reason": "đúng giờ"},
    )


def test_reading_it_takes_nothing() -> None:
    assert ReadClock.read({}).arguments == {}
