# SPDX-License-Identifier: Apache-2.0
"""``filterd log``: what the daemon remembers of lookups."""

from __future__ import annotations

from typing import Annotated

from filterd import control
from filterd.cli.context import Context, JsonOption, option
from filterd.cli.render import listed
from filterd.cli.target_options import grade_from
from filterd.cli.time_options import school_clock
from filterd.querylog import DAYS_KEPT
from filterd.querylog.total_rows import summaries
from filterd.rows import Wording


def totals(
    here: Context,
    days: Annotated[
        int, option("--days", "Number of days, with today.", "N", min=1, max=DAYS_KEPT)
    ] = 7,
    grade: Annotated[str | None, option("--grade", "1-12, staff, guest, ...", "GRADE")] = None,
    json: JsonOption = False,
) -> None:
    """Show numbers of answers by day and by grade, and of blocks by category.

    Totals only: no names and no addresses are stored. Exit code 0: shown; 2: an error.
    """
    wanted = "" if grade is None else grade_from(grade)
    told = control.ask(here.state.control_socket, "log totals", days=days, grade=wanted)
    if json:
        here.print_json(told)
    elif not told:
        here.console.print(here.texts("Nothing has been counted."))
    else:
        wording = Wording(here.texts, school_clock(here))
        for listing, rows in summaries(told, days):
            here.console.print(listed(wording, listing, rows))
