# SPDX-License-Identifier: Apache-2.0
"""What an alert is: its severity, the rule that finds it, its sentences. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from filterd.texts import i18n
from filterd.texts.i18n import UNSAID

if TYPE_CHECKING:
    from collections.abc import Callable

    from filterd.control.status_answer import StatusAnswer
    from filterd.operations.alerts import AlertSeverity
    from filterd.texts.i18n import Sentence


class AlertRule(NamedTuple):
    """A condition of the status that people must know of.

    Attributes:
        id: stable; scripts and the monitor's state have it.
        severity: of the alert.
        holds: returns what is wrong, by the status and Unix time, and UNSAID if nothing is; or
            that and what to do about it. It raises ValueError, KeyError or TypeError if the status
            does not have it.
        remedy: what to do about it, where ``holds`` does not say it.
        for_s: how long it must hold before the monitor sends a message.
    """

    id: str
    severity: AlertSeverity
    holds: Callable[[StatusAnswer, float], Sentence | tuple[Sentence, Sentence]]
    remedy: Sentence = UNSAID
    for_s: float = 0.0


class Alert(NamedTuple):
    """An active alert."""

    id: str
    severity: AlertSeverity
    sentence: Sentence
    remedy: Sentence
    for_s: float = 0.0

    def to_plain(self) -> dict[str, Any]:
        """Return the alert as plain data: texts in English, and as sentences."""
        return {
            "id": self.id,
            "severity": self.severity.value,
            "text": str(self.sentence),
            "remedy": str(self.remedy),
            "sentences": [i18n.to_plain(self.sentence), i18n.to_plain(self.remedy)],
        }


class JudgedStatus(NamedTuple):
    """The active alerts of a status, the most severe first, and unknown ones.

    ``unknown``: ids of alerts of which the status has nothing yet, or something else because
    the daemon is of another release.
    """

    active: list[Alert]
    unknown: frozenset[str]
