# SPDX-License-Identifier: Apache-2.0
"""``filterd class``: classes, where they sit now, and lending one."""

from __future__ import annotations

from typing import Annotated

from filterd.cli.change_request import made_of, print_change
from filterd.cli.context import Context, JsonOption, Options, ReasonOption, argument, option
from filterd.cli.effective_state import in_force
from filterd.cli.render import show as show_rows
from filterd.cli.render import show_details
from filterd.cli.school_clock import school_clock
from filterd.cli.target_options import term
from filterd.operations.classes import LendClass
from filterd.operations.parameters.term import TermWords
from filterd.overrides.current_rows import CLASS, CLASSES, class_row, class_rows
from filterd.overrides.descriptions import Describer
from filterd.overrides.override_rows import set_for
from filterd.overrides.target_text import class_from, policy_for

ClassArgument = Annotated[str, argument("CLASS", "The class, such as 6A.")]


def list_(here: Context, json: JsonOption = False) -> None:
    """Show the classes: grade, teachers, home rooms, and the rooms where they sit now.

    Exit code 0: shown; 2: an error.
    """
    now = in_force(here)
    show_rows(here, CLASSES, class_rows(now), json=json, clock=now.clock)


def show(here: Context, class_: ClassArgument, json: JsonOption = False) -> None:
    """Show one class: its teachers, its lessons, to whom it is lent, and what is set for it.

    Exit code 0: shown; 2: no such class, or an error.
    """
    now = in_force(here)
    policy = policy_for(now.policy, class_from(class_))
    (one,) = (one for one in now.policy.classes if one.id == policy.class_id)
    things = set_for(policy, now.overrides, now.clock.now)
    row = class_row(now, one)
    row["exceptions"] = [thing for kind, thing in things if kind == "exceptions"]
    show_details(here, CLASS, row, json=json, clock=now.clock)


def lend(
    here: Context,
    class_: ClassArgument,
    to: Annotated[str, option("--to", "The substitute: a user of this gateway.", "USER")],
    how_long: Annotated[TermWords, Options(term)],
    reason: ReasonOption = "",
    json: JsonOption = False,
) -> None:
    """Give a substitute teacher the rights on a class for a time.

    Teachers may lend their own classes, for 14 days at most. `undo` takes it back. Exit code 0:
    done; 2: an error.
    """
    clock = school_clock(here)
    asked = LendClass(class_=class_, to=to, term=how_long.read(clock), reason=reason)
    answer = here.send(asked)
    what = Describer(here.texts, clock).thing("loans", made_of(asked.change[1], answer))
    print_change(here, answer, what, json=json)
