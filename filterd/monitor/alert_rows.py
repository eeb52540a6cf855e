# SPDX-License-Identifier: Apache-2.0
"""Draw active alerts for people. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd import i18n, words
from filterd.i18n import UNSAID, say, translated
from filterd.monitor.alert_rules import AlertSeverity
from filterd.rows import Column, Listing, Row

if TYPE_CHECKING:
    from collections.abc import Mapping

    from filterd.rows import Wording

_STYLE: Mapping[str, str] = {AlertSeverity.CRITICAL: "bold red", AlertSeverity.WARNING: "yellow"}


def _texts(alert: Row, by: Wording) -> list[str]:
    return [translated(i18n.from_plain(one), by.texts.language) for one in alert["sentences"]]


def _lines(alerts: list[Row], by: Wording) -> str:
    return "\n".join(": ".join(_texts(one, by)) for one in alerts)


def _worst(alerts: list[Row]) -> str:
    return _STYLE.get(alerts[0]["severity"], "") if alerts else ""


ACTIVE = Column(say("Alerts"), "alerts", _lines, style=_worst)
"""Of a status with ``alerts``, plain ones as ``active`` orders them."""
ALERTS = Listing(
    UNSAID,
    say("No alert is active."),
    (
        Column(say("Severity"), "severity", words.ALERT, style=_STYLE),
        Column(say("Alert"), worded=lambda alert, by: _texts(alert, by)[0]),
        Column(say("Remedy"), worded=lambda alert, by: _texts(alert, by)[1]),
    ),
)
"""Of plain alerts."""
