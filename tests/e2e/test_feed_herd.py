# SPDX-License-Identifier: Apache-2.0
"""A thousand appliances on bad days, by ``tests/bench/feed_scale``, in seconds."""

from __future__ import annotations

import pytest

from filterd.feed import schedule
from tests.bench import feed_scale
from tests.bench.feed_cost import Cost
from tests.bench.feed_scale import Span, Story, World, minutes, share_of

pytestmark = pytest.mark.long

COUNT = 1_000
COST = Cost(
    unchanged=1,
    changed=1,
    idle_run=1,
    run=1,
    targets_json=1,
    run_requests=23,
    urgent_run=1,
    urgent_requests=7,
    tls=0,
)


def _seen(story: Story) -> feed_scale.Seen:
    return World(story, COUNT, COST).run()


def test_an_urgent_order_reaches_every_appliance_within_eleven_minutes() -> None:
    seen = _seen(Story("", 9, 11, urgent=10))
    assert len(seen.urgent_s) == COUNT
    assert max(seen.urgent_s) <= 11 * 60


def test_an_urgent_order_missed_during_an_outage_arrives_when_the_server_is_back() -> None:
    seen = _seen(Story("", 9, 12, down=Span(10, 11), urgent=10.5))
    assert len(seen.urgent_s) == COUNT
    assert max(seen.urgent_s) <= (30 + 11) * 60


@pytest.mark.parametrize(
    ("story", "by"),
    [
        (Story("down", 20, 34, down=Span(23, 24)), 6.0),
        (Story("busy", 20, 34, busy=Span(23, 24)), 6.0),
        (Story("cut", 18, 37, cut=Span(19, 31)), 12.0),
        (Story("offline", 17, 42, offline=Span(18, 30, 0.2), portal=Span(18, 30, 0.05)), 17.0),
    ],
    ids=lambda value: value.name if isinstance(value, Story) else "",
)
def test_a_bad_night_is_made_up_for(story: Story, by: float) -> None:
    seen = _seen(story)
    assert len(seen.taken_at) == COUNT
    assert max(seen.taken_at) - 24 <= by


def test_an_outage_makes_no_herd(monkeypatch: pytest.MonkeyPatch) -> None:
    story = Story("", 20, 28, down=Span(23, 24))
    mean = COUNT / 10 + 23 * COUNT / 360
    assert max(minutes(_seen(story).requests)) <= 3 * mean, "chance counts at a thousand"
    # The control: they all fail together, and try again together.
    place = schedule.Place(slot=0.4, phase=0.5, start=0.5)
    monkeypatch.setattr(feed_scale, "place_of", lambda _: place)
    assert max(minutes(_seen(story).requests)) > 5 * mean


def test_power_that_is_back_everywhere_makes_no_herd(monkeypatch: pytest.MonkeyPatch) -> None:
    story = Story("", 30, 36, cut=Span(30, 31))
    mean = COUNT / 10 + 23 * COUNT / 360
    assert max(minutes(_seen(story).requests)) <= 3 * mean
    # The control: what was missed is made up for at once.
    monkeypatch.setattr(schedule, "MAKE_UP_S", 0.0)
    assert max(minutes(_seen(story).requests)) > 5 * mean


def test_share_of_counts_missing_appliances() -> None:
    assert share_of([1.0, 2.0, 3.0], 4, 0.5) == 2.0
    assert share_of([1.0, 2.0, 3.0], 4, 1.0) is None
