# SPDX-License-Identifier: Apache-2.0
"""``filterd log``: what the daemon remembers of lookups."""

from __future__ import annotations

from typing import Annotated, Any

from filterd import control
from filterd.cli.context import Context, JsonOption, Options, option
from filterd.cli.render import listed
from filterd.cli.target_options import seat
from filterd.cli.time_options import school_clock
from filterd.field_checks import is_a_grade
from filterd.querylog import DAYS_KEPT
from filterd.querylog.total_rows import summaries
from filterd.rows import Wording


def totals(
    here: Context,
    whom: Annotated[str | None, Options(seat)],
    days: Annotated[
        int, option("--days", "Number of days, with today.", "N", min=1, max=DAYS_KEPT)
    ] = 7,
    classes: Annotated[bool, option("--classes", "Count each class for itself.")] = False,
    json: JsonOption = False,
) -> None:
    """Show numbers of answers by day and by grade, and of blocks by category.

    Totals only: no names and no addresses are stored. Exit code 0: shown; 2: an error.
    """
    is_class = whom is not None and not is_a_grade(whom)
    asked: dict[str, Any] = {"days": days, "grade": "" if is_class else whom or ""}
    asked |= {"class": whom} if is_class else {}
    asked |= {"by_class": True} if classes else {}
    told = control.ask(here.state.control_socket, "log totals", **asked)
    if json:
        here.print_json(told)
    elif not told:
        here.console.print(here.texts("Nothing has been counted."))
    else:
        wording = Wording(here.texts, school_clock(here))
        for listing, rows in summaries(told, days):
            here.console.print(listed(wording, listing, rows))
