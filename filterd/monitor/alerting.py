# SPDX-License-Identifier: Apache-2.0
"""Find where alerts begin and end, from one observation after the other.

One event when an alert begins, after it has held as long as its rule wants, and one when it
ends. An alert that begins again within ``QUIET_S`` does so silently, and its event follows only if
it lasts as long. What is on is kept in a file, so that a restart repeats no event; it is
written before the events are sent, so a crash between the two loses them.
"""

from __future__ import annotations

import logging
from dataclasses import field, replace
from typing import TYPE_CHECKING

from filterd.base.errors import StoreError
from filterd.base.state_file import ADDED, FileFormat
from filterd.base.value_class import frozen
from filterd.monitor.alert import Alert
from filterd.monitor.alert_message import AlertEvent
from filterd.monitor.alert_rules import judge, silent
from filterd.operations.alerts import AlertSeverity
from filterd.policy import reporting_settings
from filterd.policy.reporting_settings import AlertSettings  # noqa: TC001 -- read at run time

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.base.clock import Clock
    from filterd.monitor.status_source import Observation
    from filterd.texts.i18n import Sentence

QUIET_S = 600.0
SILENT_S = 60.0
"""A daemon that has not answered for so long is an alert."""
_MOST_OCTETS = 1 << 16

_logger = logging.getLogger("filterd.alerts")


@frozen
class KeptAlert:
    """An alert that is on, or was on until ``ended_at``; Unix times.

    ``is_told``: whether the event of its begin was made; the key is on disk.
    """

    id: str
    severity: AlertSeverity
    sentence: Sentence
    remedy: Sentence
    began_at: float
    is_told: bool
    ended_at: float | None = None

    def event(self, at: float, *, is_end: bool = False) -> AlertEvent:
        """Return the event of its begin or end."""
        alert = Alert(self.id, self.severity, self.sentence, self.remedy)
        return AlertEvent(alert, at, is_end)


@frozen
class MonitorState:
    """What the monitor keeps: alerts, and the last known settings of the site."""

    alerts: tuple[KeptAlert, ...] = ()
    settings: AlertSettings | None = field(default=None, metadata={ADDED: True})


FORMAT = FileFormat(
    MonitorState,
    magic=b"filterd monitor ",
    most_octets=_MOST_OCTETS,
    words={**vars(reporting_settings), "AlertSeverity": AlertSeverity},
)


class Alerting:
    """The alerts of one daemon.

    Args:
        path: the file of ``MonitorState``.
        clock: for how long an alert has held.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path, self._clock = path, clock
        self._state = FORMAT.read(path) or MonitorState()
        self._alerts = {alert.id: alert for alert in self._state.alerts}
        self._held_since: dict[str, float] = {}
        self._answered_at = clock.monotonic()
        self._problem = ""

    @property
    def settings(self) -> AlertSettings | None:
        """The settings as last noted."""
        return self._state.settings

    def note_settings(self, settings: AlertSettings | None) -> None:
        """Keep the settings, for when the daemon does not answer."""
        if settings != self._state.settings:
            self._state = replace(self._state, settings=settings)
            self._save()

    def judge(self, observation: Observation) -> list[AlertEvent]:
        """Return the events of an observation, kept and logged. Never raises."""
        now, monotonic = observation.at, self._clock.monotonic()
        if observation.status is not None:
            self._answered_at = monotonic
            found, unknown = judge(observation.status, now)
        elif monotonic - self._answered_at >= SILENT_S:
            found, unknown = [silent(monotonic - self._answered_at)], frozenset()
        else:
            return []
        self._held_since = {one.id: self._held_since.get(one.id, monotonic) for one in found}
        events = [
            event
            for alert in found
            if monotonic - self._held_since[alert.id] >= alert.for_s or self._is_on(alert.id)
            for event in self._hold(alert, now)
        ]
        # Without a status the others are as they were, as far as is known.
        if observation.status is not None:
            events += self._end(now, unknown)
        self._forget(now)
        for event in events:
            _log_event(event)
        kept = tuple(self._alerts.values())
        if kept != self._state.alerts:
            self._state = replace(self._state, alerts=kept)
            self._save()
        return events

    def _is_on(self, alert_id: str) -> bool:
        kept = self._alerts.get(alert_id)
        return kept is not None and kept.ended_at is None

    def _hold(self, alert: Alert, now: float) -> list[AlertEvent]:
        """Note that an alert is on; return its event if that is due."""
        before = self._alerts.get(alert.id)
        began_at, is_told = now, before is None
        if before is not None and before.ended_at is None:
            began_at, is_told = before.began_at, before.is_told
            if is_told:
                return []
            is_told = now - began_at >= QUIET_S
        kept = KeptAlert(alert.id, *alert[1:4], began_at=began_at, is_told=is_told)
        self._alerts[alert.id] = kept
        return [kept.event(began_at)] if is_told else []

    def _end(self, now: float, unknown: frozenset[str]) -> list[AlertEvent]:
        """End the alerts that hold no more; return the events of their ends."""
        ended = [
            alert
            for alert in self._alerts.values()
            if self._is_on(alert.id)
            and alert.id not in self._held_since
            and alert.id not in unknown
        ]
        for one in ended:
            self._alerts[one.id] = replace(one, ended_at=now)
        return [one.event(now, is_end=True) for one in ended if one.is_told]

    def _forget(self, now: float) -> None:
        """Forget the alerts that ended long ago.

        So, too, those that ended later than now, by a clock that was ahead.
        """
        self._alerts = {
            alert.id: alert
            for alert in self._alerts.values()
            if alert.ended_at is None or 0 <= now - alert.ended_at < QUIET_S
        }

    def _save(self) -> None:
        try:
            FORMAT.save(self._path, self._state)
        except StoreError as error:
            if str(error) != self._problem:
                _logger.error("%s; a restart will repeat alerts", error)
            self._problem = str(error)
        else:
            self._problem = ""


def _log_event(event: AlertEvent) -> None:
    alert = event.alert
    if event.is_end:
        _logger.info("the alert is over: %s", alert.sentence)
    elif alert.severity is AlertSeverity.CRITICAL:
        _logger.error("alert: %s (%s)", alert.sentence, alert.remedy)
    else:
        _logger.warning("alert: %s (%s)", alert.sentence, alert.remedy)
