# SPDX-License-Identifier: Apache-2.0
"""The days of a report are one text on the socket."""

from __future__ import annotations

from typing import Any

import pytest

from filterd.base.errors import ConfigError
from filterd.operations.parameters.report_days import ReportDaysField
from filterd.operations.parameters.scalar import Fields

FIELD = ReportDaysField()


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({}, "month"),
        ({"period": "2026-11"}, "2026-11"),
        ({"first": "2026-09-05", "last": "2026-12-10"}, "2026-09-05..2026-12-10"),
    ],
)
def test_a_period_or_two_days_make_it(given: dict[str, Any], text: str) -> None:
    assert FIELD.take(Fields(FIELD.named).read(given)) == text
    assert FIELD.take(Fields(FIELD.sent).read(FIELD.arguments(text))) == text


@pytest.mark.parametrize("key", ["first", "last"])
def test_one_day_alone_is_refused(key: str) -> None:
    with pytest.raises(ConfigError, match="or neither"):
        FIELD.take(Fields(FIELD.named).read({key: "2026-09-05"}))
