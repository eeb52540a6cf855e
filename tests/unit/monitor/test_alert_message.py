# SPDX-License-Identifier: Apache-2.0
"""Events of alerts are one message: the worst in the subject, each with time and remedy."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from filterd.monitor.alert import Alert
from filterd.monitor.alert_message import ACTIVE, AlertEvent, AlertMessage
from filterd.monitor.alert_rules import active, silent
from filterd.operations.alerts import AlertSeverity
from filterd.policy.reporting_settings import AlertSettings
from filterd.texts.i18n import Texts, say
from filterd.texts.rows import SchoolClock, Wording

NOW = 1.8e9
SETTINGS = AlertSettings("Mẫu\r\nBcc: x@y.vn", "Asia/Ho_Chi_Minh", "vi")
CLOCK = Alert("clock", AlertSeverity.WARNING, say("the time is not known"), say("Remedy"))
LINE = Alert("line", AlertSeverity.CRITICAL, say("no upstream server answers"), say("Remedy"))


def test_the_worst_alert_is_the_subject_and_the_message_is_of_all() -> None:
    events = [AlertEvent(CLOCK, NOW - 60), AlertEvent(LINE, NOW, is_end=True)]
    message = AlertMessage(SETTINGS, events, NOW)
    assert message.subject == (
        "filterd, Mẫu Bcc: x@y.vn: đã hết: không máy chủ DNS cấp trên nào trả lời (+1)"
    )
    assert message.text == (
        "14:59  chưa biết giờ đúng\nCách xử lý: Cách xử lý\n\n"
        "15:00  đã hết: không máy chủ DNS cấp trên nào trả lời\n"
    )
    assert [(one["id"], one["state"], one["at"]) for one in message.plain["alerts"]] == [
        ("clock", "begins", NOW - 60),
        ("line", "ends", NOW),
    ]


BY = Wording(Texts("en"), SchoolClock(ZoneInfo("Asia/Ho_Chi_Minh"), 0.0))


def _cell(*alerts: Any) -> tuple[str, str]:
    return ACTIVE.cell({"alerts": [alert.to_plain() for alert in alerts]}, BY)


def test_each_alert_is_a_line_and_the_first_gives_the_style() -> None:
    paused = active({"pauses": [{}]}, 0.0)
    sentence, style = _cell(silent(75.0), *paused)
    first, second = sentence.splitlines()
    assert first.startswith("filterd has not answered for 75 seconds: on the gateway")
    assert second.startswith("1 pause is in force: ")
    assert style == "bold red"
    assert _cell(*paused)[1] == _cell()[1] == ""
    assert _cell()[0] == ""
