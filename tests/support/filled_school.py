# SPDX-License-Identifier: Apache-2.0
"""A school with a week in its log and a dashboard; its classes are loopback networks."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import dns.message
import dns.rcode

from filterd.clock import SystemClock
from filterd.rows import SchoolClock
from tests.support.daemon import asked, copy_lists, free_port, noon, serving, write_site
from tests.support.filled_log import fill
from tests.support.web_school import web_of
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from filterd.state_folder import StateFolder
    from tests.support.web_school import WebSchool

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
