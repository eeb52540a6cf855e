# SPDX-License-Identifier: Apache-2.0
"""A school with a week in its log and a dashboard; its classes are loopback networks."""

from __future__ import annotations

import asyncio
import contextlib
import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING

import dns.message
import dns.rcode

from filterd.base.clock import SystemClock
from filterd.querylog.counts import Batch, CountRow
from filterd.querylog.day_file import DayFiles
from filterd.querylog.lookups import Lookup, LookupBatch, LookupContext
from filterd.querylog.seen_names import SeenName
from filterd.querylog.totals_file import TotalsFile
from filterd.texts.rows import SchoolClock
from filterd.wire import name as names
from tests.support.clock import FakeClock
from tests.support.daemon import asked, copy_lists, free_port, noon, serving, write_site
from tests.support.web_school import web_of
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from filterd.base.state_folder import StateFolder
    from tests.support.web_school import WebSchool


BUSY = dict(enumerate((0,) * 6 + (1, 6, 8, 7, 6, 3, 2, 6, 7, 6, 4, 2)))
"""How busy the hours of a day are."""
BLOCKED = {"games": 8, "social-media": 6, "ads-trackers": 30, "gambling": 1, "encrypted-dns": 2}
NAMES = {
    "roblox.com": "games",
    "www.tiktok.com": "social-media",
    "doubleclick.net": "ads-trackers",
    "bet88.example": "gambling",
    "dns.google": "encrypted-dns",
    "vnexpress.net": "",
    "hanhtrangso.nxbgd.vn": "",
    "www.google.com": "",
}


def fill(
    state: StateFolder,
    clock: SchoolClock,
    classes: Mapping[str, str],
    days: int = 8,
    more_names: Sequence[str] = (),
    rows_a_day: int = 200,
) -> None:
    """Write a log in which each day is like the one before.

    Args:
        state: of a school that does not run.
        clock: of the school; today's log ends at its present time.
        classes: their grades; each has a network of its own.
        days: of totals, with today; of rows a week at most.
        more_names: allowed names beside the usual ones, for hostile or long ones.
        rows_a_day: lookups with name and class.
    """
    chance = random.Random(1)
    known = (*NAMES, *more_names)

    async def write() -> None:
        await _totals(state, clock, classes, days, chance)
        await _rows(state, clock, classes, min(days, 8), known, rows_a_day, chance)

    # In a thread: this one may have the loop of a browser.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: asyncio.run(write())).result()


async def _totals(
    state: StateFolder,
    clock: SchoolClock,
    classes: Mapping[str, str],
    days: int,
    chance: random.Random,
) -> None:
    file = TotalsFile(state.query_log, FakeClock(clock.now), lambda: 400)
    midnight = clock.shows(clock.now).replace(hour=0, minute=0, second=0, microsecond=0)
    for back in range(days):
        rows = []
        for hour, weight in BUSY.items():
            at = (midnight - timedelta(days=back)).timestamp() + hour * 3600
            for class_id, grade in classes.items() if weight and at <= clock.now else ():
                n = weight * chance.randint(30, 60)
                counted = {("", "pass"): n, ("", "rewritten"): n // 12} | {
                    (one, "blocked"): chance.randint(0, part) * weight
                    for one, part in BLOCKED.items()
                }
                rows += [
                    CountRow(int(at), grade, *kind, n, class_id.lower(), "", 9, class_id)
                    for kind, n in counted.items()
                    if n
                ]
        await file.write([Batch("filled", back + 1, tuple(rows))])
    await file.close()


async def _rows(
    state: StateFolder,
    clock: SchoolClock,
    classes: Mapping[str, str],
    days: int,
    known: Sequence[str],
    rows_a_day: int,
    chance: random.Random,
) -> None:
    files = DayFiles(state.log_days, clock.zone)
    of_tier = ("lower-secondary", "upper-secondary", "primary")
    for back in reversed(range(days)):
        end = clock.now - back * 86_400
        lookups = []
        for _ in range(rows_a_day):
            name, class_id = chance.choice(known), chance.choice([*classes])
            category = NAMES.get(name, "")
            action, blocker = ("blocked", f"list-{category}") if category else ("pass", "")
            where = LookupContext(
                classes[class_id], class_id, class_id.lower(), category, action, blocker
            )
            at = int(end - chance.randint(0, 3600))
            lookups.append(Lookup(at, names.from_text(name), where, chance.randint(1, 30)))
        await files.write([LookupBatch("filled", days - back, tuple(lookups))])
        seen = [
            SeenName(tier, names.from_text(one), NAMES.get(one, ""), _action(one), 5)
            for tier in of_tier
            for one in known[: len(known) - (back > 0) * 2]
        ]
        await files.add_seen(clock.shows(end).date().isoformat(), seen)
    await files.close()


def _action(name: str) -> str:
    return "blocked" if NAMES.get(name) else "pass"


CLASSES = {f"{grade}{letter}": str(grade) for grade in range(6, 10) for letter in "ABCDEFGHIK"}
"""Forty classes; ``teacher`` has 6A."""
SEATS = {"6A": "127.0.61", "6B": "127.0.62"}
HOSTILE = "\\<script\\>alert\\(1\\)\\</script\\>.example"
LONGEST = ".".join(("x" * 63, "y" * 63, "z" * 63, "w" * 61))
"""253 characters."""
_MORE = """\
  home-6a: {{cidrs: [127.0.61.0/24], class: 6A}}
  home-6b: {{cidrs: [127.0.62.0/24], class: 6B}}
  lab-a: {{cidrs: [127.0.63.0/24], grade: 6, timetable: {{t2: {{ca-ngay: 6A}}}}}}
classes: {{{classes}}}
lessons: {{ca-ngay: 06:00-18:00}}
time_zone: {zone}
log: {{level: blocked}}
"""


@contextlib.contextmanager
def filled_school(folder: Path, built: StateFolder, days: int = 8) -> Iterator[WebSchool]:
    """Serve it, at noon, in a lesson; ``built`` has the lists."""
    zone = noon()
    classes = ", ".join(
        f"{one}: {{grade: {grade}, teachers: [{'teacher' if one == '6A' else 'other'}]}}"
        for one, grade in CLASSES.items()
    )
    more = _MORE.format(classes=classes, zone=zone)
    config = write_site(folder / "site", port=free_port(), more=more)
    state = copy_lists(built, folder / "state")
    now = SchoolClock(zone, SystemClock().wall())
    fill(state, now, CLASSES, days, more_names=[HOSTILE, LONGEST])
    with serving(config, state.folder) as served, web_of(served, free_port()) as school:
        yield school


def add_exceptions(school: WebSchool) -> None:
    """Set 2,000 exceptions: of each class fifty, one of them for the longest name."""
    ends_at = float(school.ask("clock")["policy_time"]) + 3_600
    for number, class_id in enumerate(CLASSES):
        targets = [["name", f"n{number}-{one}.example"] for one in range(49)]
        school.ask(
            "change",
            kind="exceptions",
            targets=[["name", LONGEST], *targets],
            allow=number % 2 == 0,
            audience="class",
            whom=class_id,
            ends_at=ends_at + number * 3_600,
            reason="<script>alert(1)</script> & lý do",
        )


def is_blocked(school: WebSchool, name: str, class_id: str, device: int = 1) -> bool:
    """Return whether a device of a class gets a block for a name, by a real question."""
    port = school.ask("status")["listen"][0]["port"]
    answer = asked(port, a_query(name), f"{SEATS[class_id]}.{device}")
    return dns.message.from_wire(answer).rcode() == dns.rcode.NXDOMAIN
