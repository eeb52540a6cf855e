# SPDX-License-Identifier: Apache-2.0
"""Have the daemon believe its clock: ``filterd clock accept``."""

from __future__ import annotations

from filterd.cli.change_request import print_change
from filterd.cli.context import Context, JsonOption
from filterd.cli.school_clock import school_clock
from filterd.operations.clock import AcceptClock


def accept(
    here: Context,
    asked: AcceptClock,
    json: JsonOption = False,
) -> None:
    """Believe the clock of this machine from now on.

    For a clock that filterd does not believe (`filterd status`) although it is right: the last
    known time came from a clock that was ahead, or the clock was set by hand. What was set
    while that was so keeps its length. Exit code 0: done; 2: an error.
    """
    clock = school_clock(here)
    answer = here.send(asked)
    what = here.texts(
        "the machine's clock is believed: {when}", when=f"{clock.shows(clock.now):%H:%M %d/%m/%Y}"
    )
    print_change(here, answer, what, json=json)
