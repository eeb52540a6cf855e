# SPDX-License-Identifier: Apache-2.0
"""Events of a minute are one message, and what cannot be sent is tried again, ever more rarely."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.errors import DeliveryError
from filterd.i18n import say
from filterd.monitor.alert_message import AlertEvent
from filterd.monitor.alert_rules import Alert, AlertSeverity
from filterd.monitor.outbox import MOST, Outbox
from tests.support.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest


def _event(number: int) -> AlertEvent:
    return AlertEvent(Alert(str(number), AlertSeverity.NOTICE, say("x"), say("y")), 0.0)


def _refuse(_: Sequence[AlertEvent]) -> None:
    raise DeliveryError(say("the server is away"))


def test_events_of_a_minute_are_one_message() -> None:
    clock, sent = FakeClock(), list[list[str]]()
    outbox = Outbox(clock)
    outbox.put([_event(1)])
    clock.advance(59)
    assert not outbox.is_due
    outbox.put([_event(2)])
    clock.advance(1)
    assert outbox.is_due
    outbox.send(lambda events: sent.append([one.alert.id for one in events]))
    assert (sent, outbox.is_due) == ([["1", "2"]], False)
    clock.advance(3600)
    assert not outbox.is_due


def test_after_failures_the_pause_grows_to_an_hour_and_nothing_is_lost(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock, sent = FakeClock(), list[AlertEvent]()
    outbox = Outbox(clock)
    outbox.put([_event(1)])
    clock.advance(60)
    pauses = []
    for number in range(9):
        outbox.send(_refuse)
        outbox.put([_event(number)])
        before = clock.monotonic()
        while not outbox.is_due:
            clock.advance(60)
        pauses.append(clock.monotonic() - before)
    assert pauses == [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]
    assert "could not be sent: the server is away" in caplog.text
    outbox.send(sent.extend)
    assert len(sent) == 10


def test_the_oldest_events_are_dropped_when_too_many_wait() -> None:
    outbox, sent = Outbox(FakeClock()), list[AlertEvent]()

    def deliver(events: Sequence[AlertEvent]) -> None:
        sent.extend(events)
        outbox.put(map(_event, range(1000, 1000 + MOST)))  # meanwhile

    outbox.put(map(_event, range(MOST + 7)))
    outbox.send(deliver)
    assert [sent[0].alert.id, len(sent)] == ["7", MOST]
    outbox.send(sent.extend)
    assert [sent[MOST].alert.id, len(sent)] == ["1000", 2 * MOST]


def test_an_unknown_error_is_told_by_its_kind_only_and_tried_again_later(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(_: Sequence[AlertEvent]) -> None:
        raise UnicodeError("khoa-bi-mat")

    clock, sent = FakeClock(), list[AlertEvent]()
    outbox = Outbox(clock)
    outbox.put([_event(1)])
    clock.advance(60)
    outbox.send(broken)
    assert not outbox.is_due
    assert "an error inside filterd: UnicodeError" in caplog.text
    assert "khoa-bi-mat" not in caplog.text
    outbox.send(sent.extend)
    assert len(sent) == 1
