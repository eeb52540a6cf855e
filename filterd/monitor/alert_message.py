# SPDX-License-Identifier: Apache-2.0
"""Word alerts: begin and end as a message, active ones as rows. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from filterd.base.value_class import frozen
from filterd.operations.alerts import AlertSeverity
from filterd.texts import i18n, words
from filterd.texts.i18n import UNSAID, Texts, say, translated
from filterd.texts.rows import Column, Listing, Row, SchoolClock

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from filterd.monitor.alert import Alert
    from filterd.policy.reporting_settings import AlertSettings
    from filterd.texts.i18n import Sentence
    from filterd.texts.rows import Wording


@frozen
class AlertEvent:
    """The begin of an alert, or its end; ``at`` is Unix time."""

    alert: Alert
    at: float
    is_end: bool = False


class AlertMessage:
    """One message on events, at least one.

    ``subject`` is one line, ``text`` the lines of all events, ``plain`` the same for programs.
    """

    def __init__(self, settings: AlertSettings, events: Sequence[AlertEvent], now: float) -> None:
        self._texts = Texts("vi" if settings.language == "vi" else "en")
        self._clock = SchoolClock(ZoneInfo(settings.time_zone), now)
        self._events, school = events, " ".join(settings.school.split())
        severity = min((event.alert.severity for event in events), key=tuple(AlertSeverity).index)
        first = self._sentence(min(events, key=lambda event: event.alert.severity is not severity))
        more = len(events) - 1
        self.subject = f"filterd, {school}: {first}" + (f" (+{more})" if more else "")
        self.text = "\n\n".join(map(self._paragraph, events)) + "\n"
        self.plain: dict[str, Any] = {
            "school": settings.school,
            "text": f"{self.subject}\n\n{self.text}",
            "alerts": [self._plain(event) for event in events],
        }

    def _sentence(self, event: AlertEvent) -> str:
        sentence = event.alert.sentence
        return self._texts(say("over: {alert}", alert=sentence) if event.is_end else sentence)

    def _paragraph(self, event: AlertEvent) -> str:
        head = f"{self._clock.text(event.at)}  {self._sentence(event)}"
        return head if event.is_end else f"{head}\n{self._remedy(event.alert.remedy)}"

    def _remedy(self, remedy: Sentence) -> str:
        return self._texts(say("Remedy: {remedy}", remedy=remedy)) if remedy else ""

    def _plain(self, event: AlertEvent) -> dict[str, Any]:
        return {
            "id": event.alert.id,
            "severity": event.alert.severity.value,
            "state": "ends" if event.is_end else "begins",
            "text": self._texts(event.alert.sentence),
            "remedy": self._texts(event.alert.remedy),
            "at": event.at,
        }


_STYLE: Mapping[str, str] = {AlertSeverity.CRITICAL: "bold red", AlertSeverity.WARNING: "yellow"}


def _sentences(alert: Row, by: Wording) -> list[str]:
    return [translated(i18n.from_plain(one), by.texts.language) for one in alert["sentences"]]


def _lines(alerts: list[Row], by: Wording) -> str:
    return "\n".join(": ".join(_sentences(alert, by)) for alert in alerts)


def _worst(alerts: list[Row]) -> str:
    return _STYLE.get(alerts[0]["severity"], "") if alerts else ""


ACTIVE = Column(say("Alerts"), "alerts", _lines, style=_worst)
"""Of a status with ``alerts``, plain ones as ``active`` orders them."""
ALERTS = Listing(
    UNSAID,
    say("No alert is active."),
    (
        Column(say("Severity"), "severity", words.ALERT, style=_STYLE),
        Column(say("Alert"), worded=lambda alert, by: _sentences(alert, by)[0]),
        Column(say("Remedy"), worded=lambda alert, by: _sentences(alert, by)[1]),
    ),
)
"""Of plain alerts."""
