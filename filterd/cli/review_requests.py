# SPDX-License-Identifier: Apache-2.0
"""``filterd requests``: what classes ask the school to open, and the decisions."""

from __future__ import annotations

from typing import Annotated

from filterd import control
from filterd.cli.change_request import made_of, print_change
from filterd.cli.context import Context, JsonOption, Options, ReasonOption, argument, option
from filterd.cli.render import show
from filterd.cli.time_options import Term, school_clock, term
from filterd.overrides.descriptions import Teller
from filterd.overrides.review_requests import REQUESTS
from filterd.policy.temporary_rules import TargetKind

NumberArgument = Annotated[int, argument("NUMBER", "Number from `filterd requests list`.")]


def list_(here: Context, json: JsonOption = False) -> None:
    """Show which closed names classes ask for, with the reason from the list and how often.

    A request has no pupil and no device. A teacher sees those of own classes. A request ends by
    itself after 30 days. Exit code 0: shown; 2: an error.
    """
    rows = control.ask(here.state.control_socket, "requests list")
    show(here, REQUESTS, rows, json=json)


def approve(
    here: Context,
    number: NumberArgument,
    reason: ReasonOption,
    how_long: Annotated[Term, Options(term)],
    for_tier: Annotated[
        bool, option("--for-tier", "Open it to the whole tier of the class.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Open the name to the class that asked, for a time.

    It is the exception that `filterd allow` makes, with the same rights. Exit code 0: done; 2:
    an error.
    """
    clock = school_clock(here)
    how = how_long.payload(clock)
    told = control.ask(
        here.state.control_socket,
        "requests approve",
        id=number,
        reason=reason,
        for_tier=for_tier,
        **how,
    )
    asked = {"kind": str(TargetKind.NAME), "target": told["request"]["name"], "allow": True}
    made = made_of({**how, **asked, "audience": told["audience"], "whom": told["whom"]}, told)
    print_change(here, told, Teller(here.texts, clock).thing("exceptions", made), json=json)


def refuse(
    here: Context, number: NumberArgument, reason: ReasonOption, json: JsonOption = False
) -> None:
    """Refuse a request; the reason stands in the history.

    Exit code 0: done; 2: an error.
    """
    told = control.ask(here.state.control_socket, "requests refuse", id=number, reason=reason)
    if json:
        here.print_json(told)
    else:
        here.console.print(here.texts("request {number} is refused", number=number))
