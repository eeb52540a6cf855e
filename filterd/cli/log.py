# SPDX-License-Identifier: Apache-2.0
"""``filterd log``: what the daemon remembers of lookups."""

from __future__ import annotations

from typing import Annotated, Any

from filterd import control, words
from filterd.cli.context import Context, JsonOption, Options, option
from filterd.cli.log_level import levels_now
from filterd.cli.render import listed
from filterd.cli.target_options import seat
from filterd.cli.time_options import school_clock
from filterd.field_checks import is_a_grade
from filterd.overrides.target_text import tier_from
from filterd.querylog import MOST_DAYS
from filterd.querylog.querylog_rows import KNOWN, summaries
from filterd.rows import Wording

_USUAL_DAYS = 7


def within(
    tier: Annotated[str | None, option("--tier", "Only this tier: primary, ...", "TIER")] = None,
    network: Annotated[str | None, option("--network", "Only this network.", "ID")] = None,
) -> dict[str, Any]:
    """Return the tier and network, as the daemon is asked for them."""
    return {"tier": tier_from(tier) if tier else "", "network": network or ""}


def apart(
    hours: Annotated[bool, option("--hours", "Count each hour for itself.")] = False,
    classes: Annotated[bool, option("--classes", "Count each class for itself.")] = False,
    networks: Annotated[bool, option("--networks", "Count each network for itself.")] = False,
) -> dict[str, Any]:
    """Return what is counted for itself, as the daemon is asked for it."""
    return {"by_hour": hours, "by_class": classes, "by_network": networks}


def totals(
    here: Context,
    whom: Annotated[str | None, Options(seat)],
    only: Annotated[dict[str, Any], Options(within)],
    each: Annotated[dict[str, Any], Options(apart)],
    days: Annotated[
        int | None,
        option(
            "--days",
            "Number of days, with today (default: 7; of classes only today).",
            "N",
            min=1,
            max=MOST_DAYS,
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Show numbers of answers by day and by grade, and of blocks by category.

    Totals only, without names. A teacher sees own classes today; all classes and networks are
    for administrators. Self-harm is counted for the whole school only. Exit
    code 0: shown; 2: an error.
    """
    is_class = whom is not None and not is_a_grade(whom)
    seat_key = "class" if is_class else "grade"
    if days is None:  # a teacher sees classes of today only
        days = 1 if is_class or each["by_class"] else _USUAL_DAYS
    asked = {key: value for key, value in {seat_key: whom, **only, **each}.items() if value}
    told = control.ask(here.state.control_socket, "log totals", days=days, **asked)
    if json:
        here.print_json(told)
    elif not told:
        here.console.print(here.texts("Nothing has been counted."))
    else:
        wording = Wording(here.texts, school_clock(here))
        for listing, rows in summaries(told, days):
            here.console.print(listed(wording, listing, rows))
    if not json and (off := [one["tier"] for one in levels_now(here) if one["level"] == "off"]):
        tiers = ", ".join(here.texts.word(words.TIER, one) for one in off)
        here.console.print(here.texts(KNOWN["off"], tiers=tiers), style="dim")
