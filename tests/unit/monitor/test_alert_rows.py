# SPDX-License-Identifier: Apache-2.0
"""Alerts are a line each, in the style of the most severe one."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from filterd.i18n import Texts
from filterd.monitor.alert_rows import ACTIVE
from filterd.monitor.alert_rules import active, silent
from filterd.rows import SchoolClock, Wording

BY = Wording(Texts("en"), SchoolClock(ZoneInfo("Asia/Ho_Chi_Minh"), 0.0))


def _cell(*alerts: Any) -> tuple[str, str]:
    return ACTIVE.cell({"alerts": [one.to_plain() for one in alerts]}, BY)


def test_each_alert_is_a_line_and_the_first_gives_the_style() -> None:
    paused = active({"pauses": [{}]}, 0.0)
    told, style = _cell(silent(75.0), *paused)
    first, second = told.splitlines()
    assert first.startswith("filterd has not answered for 75 seconds: on the gateway")
    assert second.startswith("1 pause is in force: ")
    assert style == "bold red"
    assert _cell(*paused)[1] == _cell()[1] == ""
    assert _cell()[0] == ""
