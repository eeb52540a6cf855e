# SPDX-License-Identifier: Apache-2.0
"""Watch observations for alerts, and send their events where the site wants them.

Where that is stands in ``site.yaml``, which is read when the file has changed: the daemon has less
right than what holds the secrets, so nothing that it answers names a server or a file.

The events of a minute are one message. After a failure the pause is a minute, then twice as long
each time, up to an hour. At most ``MOST`` events wait; the oldest ones are dropped first.

A message is sent in a thread: a mail server that hangs keeps neither the next observation nor
the other way waiting.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from functools import partial
from typing import TYPE_CHECKING

from filterd.base.clock import doubled_s
from filterd.base.errors import ConfigError, DeliveryError, FilterdError
from filterd.config.build_record import SITE_FILE
from filterd.config.compile_run import read_destinations
from filterd.monitor.alert_message import AlertMessage
from filterd.monitor.alerting import Alerting
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from filterd.base.clock import Clock
    from filterd.monitor.alert_message import AlertEvent
    from filterd.monitor.mail import Mail
    from filterd.monitor.status_source import Observation
    from filterd.monitor.webhook import Webhook
    from filterd.policy.reporting_settings import AlertSettings


class AlertWatch:
    """A watcher of ``monitor_main``.

    Args:
        config: the folder of ``site.yaml``, which names the ways, and of its secrets.
        state: the file of what the monitor keeps.
        clock: for pauses and limits.
    """

    def __init__(self, config: Path, state: Path, clock: Clock) -> None:
        self._config, self._clock = config, clock
        self._alerting = Alerting(state, clock)
        self._look: tuple[int, ...] | None = None
        self._outboxes: dict[str, Outbox] = {}
        self._sending: dict[str, asyncio.Task[None]] = {}

    async def __call__(self, observation: Observation) -> None:
        """Judge an observation; begin to send what is due."""
        await self._learn_settings()
        events = self._alerting.judge(observation)
        settings = self._alerting.settings
        ways = {} if settings is None else ways_of(settings, self._config, self._clock)
        self._outboxes = {way: self._outboxes.get(way) or Outbox(self._clock) for way in ways}
        for way, outbox in self._outboxes.items():
            outbox.put(events)
            is_busy = way in self._sending and not self._sending[way].done()
            if outbox.is_due and not is_busy:
                assert settings is not None
                deliver = partial(_deliver, ways[way], settings, self._clock)
                work = asyncio.to_thread(outbox.send, deliver)
                self._sending[way] = asyncio.get_running_loop().create_task(work)

    async def finish(self) -> None:
        """Wait for the messages that are being sent."""
        await asyncio.gather(*self._sending.values())

    async def _learn_settings(self) -> None:
        """Read the ways of a site that has changed; with a mistake the former stay."""
        look = _look_of(self._config / SITE_FILE)
        if look == self._look:
            return
        try:
            found = await asyncio.to_thread(read_destinations, self._config)
        except ConfigError as error:
            _logger.warning("alerts go where they went before: %s", error)
        except FilterdError:  # no child can be started: the next observation tries again
            return
        else:
            self._alerting.note_settings(found.alerts)
        self._look = look


def _look_of(path: Path) -> tuple[int, ...]:
    """Return what changes with a file; nothing where there is none."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_ino, found.st_size, found.st_mtime_ns


def _deliver(
    way: Mail | Webhook, settings: AlertSettings, clock: Clock, events: Sequence[AlertEvent]
) -> None:
    way.send(AlertMessage(settings, events, clock.wall()))


def ways_of(settings: AlertSettings, config: Path, clock: Clock) -> dict[str, Mail | Webhook]:
    """Return the ways of messages by name: ``mail``, ``webhook``."""
    # They bring requests and ssl, 6 MB of memory, which most sites need not have.
    ways: dict[str, Mail | Webhook] = {}
    if settings.mail is not None:
        from filterd.monitor.mail import Mail  # noqa: PLC0415 -- see above

        ways["mail"] = Mail(settings.mail, config, clock)
    if settings.webhook is not None:
        from filterd.monitor.webhook import Webhook  # noqa: PLC0415 -- see above

        ways["webhook"] = Webhook(settings.webhook, config, clock)
    return ways


GATHERED_S = 60.0
LONGEST_PAUSE_S = 3600.0
MOST = 100

_logger = logging.getLogger("filterd.alerts")


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
            pause_s = doubled_s(GATHERED_S, self._failures, LONGEST_PAUSE_S)
            self._failures += 1
            self._due_at = self._clock.monotonic() + pause_s
            _logger.warning("an alert could not be sent: %s; trying again in %d s", reason, pause_s)
            return
        self._failures = 0
        self._due_at = self._clock.monotonic() + GATHERED_S
        for event in events:
            if self._waiting and self._waiting[0] is event:
                self._waiting.popleft()
