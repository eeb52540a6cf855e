# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pytest

from filterd.base.errors import ConfigError
from filterd.operations.parameters.day import DAY, MONTH


def test_a_day_is_one_of_the_calendar() -> None:
    assert (DAY.read("2024-02-29"), MONTH.read("2026-10")) == ("2024-02-29", "2026-10")
    assert DAY.schema["description"] == "One day, ISO 8601"


@pytest.mark.parametrize(
    "day", ["2026-02-30", "2026-2-3", "1969-12-31", "2201-01-01", "today", "", 20260203, None]
)
def test_another_one_is_refused(day: Any) -> None:
    with pytest.raises(ConfigError):
        DAY.read(day)
