# SPDX-License-Identifier: Apache-2.0
"""``filterd clock``: which time policy goes by, and believing the machine's clock."""

from __future__ import annotations

from typing import Annotated

import typer

from filterd.cli.change_request import change, print_change
from filterd.cli.context import Context, JsonOption, command
from filterd.cli.time_options import school_clock


@command
def accept(
    here: Context,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why.")],
    json: JsonOption = False,
) -> None:
    """Believe the clock of this machine from now on.

    For a clock that filterd does not believe (`filterd status`) although it is right: the
    last known time came from a clock that was ahead, or the clock was set by hand. What
    was set while that was so keeps its length. Exit code 0: done; 2: not.
    """
    clock = school_clock(here)
    told = change(here, "clock-accept", reason)
    what = here.texts(
        "the machine's clock is believed: {when}", when=f"{clock.shows(clock.now):%Y-%m-%d %H:%M}"
    )
    print_change(here, told, what, json=json)
