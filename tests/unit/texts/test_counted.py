# SPDX-License-Identifier: Apache-2.0
"""One thing has no plural, and a duration is shown by its largest unit."""

from __future__ import annotations

import pytest

from filterd.texts import counted
from filterd.texts.i18n import translated


@pytest.mark.parametrize(
    ("seconds", "english", "vietnamese"),
    [
        (0, "0 seconds", "0 giây"),
        (1, "1 second", "1 giây"),
        (119.9, "119 seconds", "119 giây"),
        (120, "2 minutes", "2 phút"),
        (1264, "21 minutes", "21 phút"),
        (7199, "119 minutes", "119 phút"),
        (7200, "2 hours", "2 giờ"),
        (172_799, "47 hours", "47 giờ"),
        (172_800, "2 days", "2 ngày"),
    ],
)
def test_a_duration_has_its_largest_unit(seconds: float, english: str, vietnamese: str) -> None:
    assert counted.duration(seconds) == english
    assert translated(counted.duration(seconds), "vi") == vietnamese


@pytest.mark.parametrize(
    ("count", "word"),
    [
        (counted.names, "name"),
        (counted.lists, "list"),
        (counted.devices, "device"),
        (counted.rooms, "room"),
        (counted.networks, "network"),
        (counted.grades, "grade"),
        (counted.days, "day"),
        (counted.minutes, "minute"),
    ],
)
def test_one_thing_has_no_plural(count: object, word: str) -> None:
    assert callable(count)
    assert [count(n) for n in (0, 1, 2)] == [f"0 {word}s", f"1 {word}", f"2 {word}s"]
    assert counted.own_rules(1) == "1 rule of its own"


def test_thousands_have_thin_spaces() -> None:
    assert counted.names(1500) == "1\u202f500 names"
