# SPDX-License-Identifier: Apache-2.0
"""Hold the events of alerts for one way out, until they could be sent.

Those of a minute are one message. After a failure the pause is a minute, then twice as long
each time, up to an hour. At most ``MOST`` events wait; the oldest ones are dropped first.
"""

from __future__ import annotations

import logging
from collections import deque
from typing import TYPE_CHECKING

from filterd.errors import DeliveryError
from filterd.i18n import say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from filterd.clock import Clock
    from filterd.monitor.alert_message import AlertEvent

GATHERED_S = 60.0
LONGEST_PAUSE_S = 3600.0
MOST = 100

_log = logging.getLogger("filterd.alerts")


class Outbox:
    """Events that wait, the oldest first.

    Args:
        clock: for pauses.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: deque[AlertEvent] = deque(maxlen=MOST)
        self._due_at, self._failures = 0.0, 0

    def put(self, events: Iterable[AlertEvent]) -> None:
        """Add events; the first one makes a message due in a minute."""
        was_empty = not self._waiting
        self._waiting.extend(events)
        if was_empty and not self._failures:
            self._due_at = self._clock.monotonic() + GATHERED_S

    @property
    def is_due(self) -> bool:
        """Whether a message should be sent now."""
        return bool(self._waiting) and self._clock.monotonic() >= self._due_at

    def send(self, deliver: Callable[[Sequence[AlertEvent]], None]) -> None:
        """Deliver all that waits as one message; keep it if that fails. Never raises.

        Another thread may add events meanwhile.
        """
        events = tuple(self._waiting)
        try:
            deliver(events)
        except Exception as error:  # noqa: BLE001 -- a bug must not be met again at once
            reason = say("an error inside filterd: {kind}", kind=type(error).__name__)
            if isinstance(error, DeliveryError):  # the text of others may have a secret
                reason = error.sentence
            pause_s = min(GATHERED_S * 2**self._failures, LONGEST_PAUSE_S)
            self._failures += 1
            self._due_at = self._clock.monotonic() + pause_s
            _log.warning("an alert could not be sent: %s; trying again in %d s", reason, pause_s)
            return
        self._failures = 0
        self._due_at = self._clock.monotonic() + GATHERED_S
        for event in events:
            if self._waiting and self._waiting[0] is event:
                self._waiting.popleft()
