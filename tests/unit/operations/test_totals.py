# SPDX-License-Identifier: Apache-2.0
"""Which totals may be asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.errors import ConfigError
from filterd.operations.totals import ExportedTotals, ExportTotals, ReadHelpSought, ReadTotals

if TYPE_CHECKING:
    from filterd.operations.request import OperationRequest


def test_totals_are_of_today_unless_more_is_asked_for() -> None:
    assert ReadTotals.read({}) == ReadTotals(days=1)
    asked = ReadTotals.read({"days": 400, "class": "6A", "by_hour": "on"})
    assert asked.arguments == {"days": 400, "class": "6A", "by_hour": True}


def test_all_days_that_are_kept_may_be_asked_for() -> None:
    assert ReadTotals.read({"days": 800}) == ReadTotals(days=800)


@pytest.mark.parametrize(
    ("kind", "sent"),
    [
        (ReadTotals, {"days": True}),
        (ReadTotals, {"days": 0}),
        (ReadTotals, {"days": 801}),
        (ReadTotals, {"grade": 6}),
        (ReadTotals, {"class": ["6A"]}),
        (ExportTotals, {"month": "2025-13"}),
        (ExportTotals, {"month": "2025-1\n"}),
        (ExportTotals, {"month": 11}),
        (ExportTotals, {"days": 0}),
        (ExportTotals, {"days": 101}),
        (ReadHelpSought, {}),
        (ReadHelpSought, {"days": 3}),
    ],
)
def test_what_makes_no_sense_is_refused(
    kind: type[OperationRequest[Any]], sent: dict[str, Any]
) -> None:
    with pytest.raises(ConfigError):
        kind.read_sent(sent)


def test_an_export_comes_back_as_it_was_sent() -> None:
    row = {"period": "2025-11", "tier": "", "grade": "6", "category": "", "action": "pass", "n": 9}
    answer = {"rows": [row], "left_out": True, "least_devices": 5}
    found = ExportTotals.answer_of(answer)
    assert isinstance(found, ExportedTotals)
    assert (found.rows[0].period, found.rows[0].n, found.left_out) == ("2025-11", 9, True)
