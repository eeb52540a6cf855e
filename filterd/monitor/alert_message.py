# SPDX-License-Identifier: Apache-2.0
"""Word the begin and end of alerts as one message. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from filterd.i18n import Texts, say
from filterd.monitor.alert_rules import AlertSeverity
from filterd.rows import SchoolClock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from filterd.i18n import Sentence
    from filterd.monitor.alert_rules import Alert
    from filterd.policy.reporting_settings import AlertSettings


@dataclass(frozen=True, slots=True)
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
        severity = min((one.alert.severity for one in events), key=tuple(AlertSeverity).index)
        first = self._sentence(min(events, key=lambda one: one.alert.severity is not severity))
        more = len(events) - 1
        self.subject = f"filterd, {school}: {first}" + (f" (+{more})" if more else "")
        self.text = "\n\n".join(map(self._paragraph, events)) + "\n"
        self.plain: dict[str, Any] = {
            "school": settings.school,
            "text": f"{self.subject}\n\n{self.text}",
            "alerts": [self._plain(one) for one in events],
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
