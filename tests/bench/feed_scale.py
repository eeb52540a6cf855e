# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: T201 -- a script that prints a table
"""Simulate the scheduler of 54,000 appliances on quiet and on bad days.

Run ``python -m tests.bench.feed_scale``, or ``make bench-feed``. Each appliance asks
``filterd.feed.schedule`` for its next action, does it, and reports the result; this
module simulates the rest: power, lines, login pages, the server. The cost of a check and
of a run is measured (``feed_cost``). Some minutes of one core; ``--appliances 5400`` is a
tenth of them, with more chance in its peaks.

Goal (issue: the central feed): a peak minute of at most twice the mean. Means are those
of a quiet night, in every story.
"""

from __future__ import annotations

import argparse
import heapq
import os
import random
from array import array
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from typing import NamedTuple

from filterd.feed.schedule import (
    Ending,
    Night,
    Now,
    Place,
    ScheduleState,
    Work,
    after_check,
    after_failed_check,
    after_run,
    next_step,
    place_of,
)
from tests.bench.feed_cost import Cost, measured

NIGHT = Night("Asia/Ho_Chi_Minh")
MIDNIGHT = 1_795_626_000.0
"""Of a Thursday in Vietnam; times of stories are hours since then."""
HOUR_S = 3_600.0
_RUN_TAKES_S = 10.0
_BOOT_TAKES_S = (30.0, 90.0)
_RETRY_AFTER_S = 1_800.0
_URGENT = 11
_DELTA_OCTETS = 50_657
"""Of one night of half a percent of 1.1 million names, see ``feed_figures``."""


class Span(NamedTuple):
    """From when until when, hours; ``share`` of all appliances."""

    begins: float
    ends: float
    share: float = 1.0


_NEVER = Span(0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Story:
    """What happens to all of them; hours.

    Attributes:
        begins, ends: of what is simulated. All had the night before, and the version
            of each night is published at 18:00.
        down: the server answers nothing.
        busy: it answers 503, and asks to be left alone for half an hour.
        cut: they have no power, and all have it back at once.
        offline: their lines are down: a region.
        portal: a login page answers them.
        urgent: when an urgent order is published.
    """

    name: str
    begins: float
    ends: float
    down: Span = _NEVER
    busy: Span = _NEVER
    cut: Span = _NEVER
    offline: Span = _NEVER
    portal: Span = _NEVER
    urgent: float | None = None


QUIET = Story("a quiet day, urgent order at 10:00", 9, 33, urgent=10)
STORIES = (
    QUIET,
    Story("server down from 23:00 to 24:00", 20, 34, down=Span(23, 24)),
    Story(
        "server down from 10:00 to 11:00, urgent order at 10:30", 9, 14, Span(10, 11), urgent=10.5
    ),
    Story("server busy (503) from 23:00 to 24:00", 20, 34, busy=Span(23, 24)),
    Story("no power anywhere from 19:00 to 24:00", 18, 30, cut=Span(19, 24)),
    Story("no power anywhere from 19:00 to 7:00", 18, 36, cut=Span(19, 31)),
    Story(
        "a fifth offline, a twentieth behind login pages, 18:00 to 6:00",
        17,
        40,
        offline=Span(18, 30, 0.2),
        portal=Span(18, 30, 0.05),
    ),
)


@dataclass
class Seen:
    """The results of one story; by second since it began.

    Attributes:
        requests: at the server, or that would have reached it.
        runs: of those that began.
        octets: by hour since it began.
        taken_at: the hour at which each had the last night's version; only those that do.
        urgent_s: the time of the urgent order to each.
    """

    story: Story
    requests: array[int]
    runs: array[int]
    octets: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    taken_at: list[float] = field(default_factory=list)
    urgent_s: list[float] = field(default_factory=list)


class World:
    """All appliances and what is around them."""

    def __init__(self, story: Story, count: int, cost: Cost, seed: int = 1) -> None:
        self._story, self._cost = story, cost
        self._random = random.Random(seed)
        self._places = [place_of(self._random.randbytes(16)) for _ in range(count)]
        # Which of them a region has, or a login page: chance, and not their places.
        self._lot = [self._random.random() for _ in range(count)]
        self._base = MIDNIGHT + story.begins * HOUR_S
        seconds = int((story.ends - story.begins) * HOUR_S)
        self.seen = Seen(story, array("I", bytes(4 * seconds)), array("I", bytes(4 * seconds)))
        before = self._base - 30 * 24 * HOUR_S
        version = _URGENT - 1  # of last night
        self._standings = [
            ScheduleState(before + 600 * self._random.random(), self._slot(place), handled=version)
            for place in self._places
        ]
        self._versions, self._known = [version] * count, [version] * count
        self._has_taken = [False] * count
        self._heap: list[tuple[float, int, Work]] = []

    def run(self) -> Seen:
        """Let all of it happen."""
        cut, end = self._story.cut, MIDNIGHT + self._story.ends * HOUR_S
        for number in range(len(self._places)):
            self._plan(number, self._base)
        if cut.share:
            self._until(MIDNIGHT + cut.begins * HOUR_S)
            self._heap.clear()
            for number, standing in enumerate(self._standings):
                boots = MIDNIGHT + cut.ends * HOUR_S + self._random.uniform(*_BOOT_TAKES_S)
                self._standings[number] = ScheduleState(
                    boots, standing.done_at, handled=self._versions[number]
                )
                self._plan(number, boots)
        self._until(end)
        return self.seen

    def _until(self, end: float) -> None:
        heap = self._heap
        while heap and heap[0][0] < end:
            at, number, work = heapq.heappop(heap)
            if work is Work.CHECK:
                self._check(number, at)
                self._plan(number, at)
            else:
                self._run(number, at)

    def _plan(self, number: int, at: float) -> None:
        """Ask the scheduler; monotonic and wall time are the same here."""
        step = next_step(self._places[number], NIGHT, self._standings[number], Now(at, at))
        heapq.heappush(self._heap, (step.at, number, step.work))

    def _check(self, number: int, at: float) -> None:
        answer = self._answer(number, at)
        if answer is not None:
            self._count(at, 1, 0)
        if answer:
            hour = (at - MIDNIGHT) / HOUR_S
            published, urgent = self._published(hour), self._urgent(hour)
            known = self._known[number] == published
            self._pay(at, self._cost.unchanged if known else self._cost.changed)
            self._known[number] = published
            self._standings[number] = after_check(self._standings[number], urgent, Now(at, at))
        elif answer is False:
            self._standings[number] = after_failed_check(
                self._standings[number],
                Now(at, at),
                retry_after_s=self._wanted_pause(at),
                random=self._random.random(),
            )

    def _run(self, number: int, at: float) -> None:
        answer, ended = self._answer(number, at), at + _RUN_TAKES_S
        version = self._published((at - MIDNIGHT) / HOUR_S)
        if version == self._versions[number]:
            requests, octets = 2, self._cost.idle_run
        elif version == _URGENT:
            requests, octets = self._cost.urgent_requests, self._cost.urgent_run
        else:
            requests, octets = self._cost.run_requests, self._cost.run
        if answer is not None:
            self._count(at, requests if answer else 1, 1)
        if answer:
            self._pay(at, octets)
            self._took(number, version, ended)
        self._standings[number] = after_run(
            self._standings[number],
            Ending.DONE if answer else Ending.FAILED,
            Now(ended, ended),
            version=version if answer else 0,
            random=self._random.random(),
            retry_after_s=self._wanted_pause(at) if answer is False else 0.0,
        )
        self._plan(number, ended)

    def _took(self, number: int, version: int, at: float) -> None:
        hour, urgent = (at - MIDNIGHT) / HOUR_S, self._story.urgent
        if urgent is not None and self._versions[number] < _URGENT <= version:
            self.seen.urgent_s.append((hour - urgent) * HOUR_S)
        # After a run its mark is forgotten: the next check brings the file.
        self._versions[number], self._known[number] = version, -1
        if hour >= 18 and not self._has_taken[number]:
            self._has_taken[number] = True
            self.seen.taken_at.append(hour)

    def _answer(self, number: int, at: float) -> bool | None:
        """Return whether the server answered; ``None`` where nothing reached it."""
        story, lot, hour = self._story, self._lot[number], (at - MIDNIGHT) / HOUR_S
        offline, portal = story.offline, story.portal
        if offline.begins <= hour < offline.ends and lot < offline.share:
            return None
        if portal.begins <= hour < portal.ends and lot >= 1 - portal.share:
            return None
        down, busy = story.down, story.busy
        return not (down.begins <= hour < down.ends or busy.begins <= hour < busy.ends)

    def _wanted_pause(self, at: float) -> float:
        busy, hour = self._story.busy, (at - MIDNIGHT) / HOUR_S
        return _RETRY_AFTER_S if busy.begins <= hour < busy.ends else 0.0

    def _published(self, hour: float) -> int:
        """Return the version: one a night, and the urgent one between the first two."""
        nightly = _URGENT - 1 + 2 * int((hour + 6) // 24)
        return max(nightly, self._urgent(hour))

    def _urgent(self, hour: float) -> int:
        urgent = self._story.urgent
        return _URGENT if urgent is not None and urgent <= hour else 0

    def _slot(self, place: Place) -> float:
        """Return when it had the night before."""
        slot = MIDNIGHT - 3 * HOUR_S + place.slot * NIGHT.length_s
        return slot + _RUN_TAKES_S

    def _count(self, at: float, requests: int, runs: int) -> None:
        second = int(at - self._base)
        self.seen.requests[second] += requests
        self.seen.runs[second] += runs

    def _pay(self, at: float, octets: int) -> None:
        self.seen.octets[int((at - self._base) // HOUR_S)] += octets


def minutes(seconds: array[int]) -> list[int]:
    """Return what was counted by minute."""
    return [sum(seconds[at : at + 60]) for at in range(0, len(seconds), 60)]


def share_of(numbers: list[float], count: int, share: float) -> float | None:
    """Return the number within which so large a share of ``count`` is."""
    place = int(share * count) - 1
    return sorted(numbers)[place] if place < len(numbers) else None


def _simulate(story: Story, count: int, cost: Cost) -> Seen:
    return World(story, count, cost).run()


def main() -> None:
    """Simulate all stories and print their table."""
    parser = argparse.ArgumentParser(description="Simulate the feed's appliances.")
    parser.add_argument("--appliances", type=int, default=54_000)
    count = parser.parse_args().appliances
    cost = measured(_DELTA_OCTETS)
    print(
        f"light check: {cost.unchanged} octets, {cost.changed} of a new timestamp;"
        f" night's run: {cost.run:,} octets in {cost.run_requests} requests"
        f" ({cost.targets_json:,} of them targets.json), {cost.idle_run:,} without news,"
        f" {cost.urgent_run:,} for an urgent order;"
        f" TLS adds {cost.tls:,} to each"
    )
    with ProcessPoolExecutor(len(os.sched_getaffinity(0))) as workers:
        futures = [workers.submit(_simulate, story, count, cost) for story in STORIES]
        quiet = futures[0].result()
        night = slice(12 * 60, 18 * 60)
        mean_runs = sum(minutes(quiet.runs)[night]) / 360
        mean_requests = sum(minutes(quiet.requests)[night]) / 360
        print(f"{count:,} appliances; mean of a quiet night, 21:00 to 3:00:")
        print(f"{mean_runs:.0f} runs and {mean_requests:.0f} requests a minute")
        _print_day(quiet, count, cost)
        print("| what happens | runs | requests | a second | 95 % | 99.9 % |")
        print("| --- | --- | --- | --- | --- | --- |")
        for future in futures:
            print(_row(future.result(), count, mean_runs, mean_requests))


def _print_day(quiet: Seen, count: int, cost: Cost) -> None:
    octets = sum(quiet.octets.values())
    night = sum(quiet.octets[hour] for hour in range(12, 18))
    connections = sum(quiet.runs) + 144 * count
    print(
        f"a day: {sum(quiet.requests):,} requests, {octets / 1e9:.1f} GB,"
        f" {(octets + connections * cost.tls) / 1e9:.1f} GB over TLS;"
        f" 21:00 to 3:00: {night / 1e9:.1f} GB, {8 * night / 6 / HOUR_S / 1e6:.1f} Mbit/s;"
        f" an hour by day: {8 * quiet.octets[5] / HOUR_S / 1e6:.1f} Mbit/s"
    )


def _row(seen: Seen, count: int, mean_runs: float, mean_requests: float) -> str:
    """Return a story's row: peak minutes by the mean, the busiest second, times of arrival."""
    # What an urgent order brings within its ten minutes is meant to come at once.
    first, story = 0, seen.story
    if story.urgent is not None:
        first = int((max(story.urgent, story.down.ends) - story.begins) * 60) + 12
    runs, requests = minutes(seen.runs)[first:], minutes(seen.requests)[first:]
    if story.urgent is not None:
        cells = [_seconds_cell(share_of(seen.urgent_s, count, share)) for share in (0.95, 0.999)]
    else:
        cells = [_hour_cell(share_of(seen.taken_at, count, share)) for share in (0.95, 0.999)]
    return (
        f"| {story.name} | {max(runs) / mean_runs:.2f} | {max(requests) / mean_requests:.2f}"
        f" | {max(seen.requests)} | {cells[0]} | {cells[1]} |"
    )


def _seconds_cell(seconds: float | None) -> str:
    return "not yet" if seconds is None else f"{seconds / 60:.1f} min"


def _hour_cell(hour: float | None) -> str:
    return "not yet" if hour is None else f"{int(hour) % 24}:{int(hour % 1 * 60):02d}"


if __name__ == "__main__":
    main()
