# SPDX-License-Identifier: Apache-2.0
"""``filterd allow``, ``block``, ``exceptions``: what is open or closed to somebody for a time."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.table import Table

from filterd.cli import words
from filterd.cli.change_request import change, made_of, print_change
from filterd.cli.context import Context, JsonOption, Options
from filterd.cli.descriptions import Plain, Teller
from filterd.cli.effective_state import policy_clock
from filterd.cli.history import with_states
from filterd.cli.render import grid, titled
from filterd.cli.target_options import (
    ChangeAudience,
    ReasonOption,
    Target,
    TargetsArgument,
    whom,
    written,
)
from filterd.cli.time_options import Term, school_clock, term
from filterd.i18n import say
from filterd.policy.temporary_rules import TargetKind


def allow(
    here: Context,
    targets: TargetsArgument,
    reason: ReasonOption,
    for_whom: Annotated[ChangeAudience, Options(whom)],
    how_long: Annotated[Term, Options(term)],
    json: JsonOption = False,
) -> None:
    """Open TARGET to somebody, for a time.

    It is in force at once and ends by itself. Without a grade, tier, room, client
    or network it is for everybody. What is locked stays closed; the entry of a
    list that names something by mistake is suspended by entry:NAME, for at most
    14 days. Exit code 0: done; 2: not.
    """
    _set(here, targets, for_whom, how_long, reason, allow=True, json=json)


def block(
    here: Context,
    targets: TargetsArgument,
    reason: ReasonOption,
    for_whom: Annotated[ChangeAudience, Options(whom)],
    how_long: Annotated[Term, Options(term)],
    json: JsonOption = False,
) -> None:
    """Close TARGET to somebody, for a time.

    It is in force at once and ends by itself. Without a grade, tier, room, client
    or network it is for everybody. Exit code 0: done; 2: not.
    """
    _set(here, targets, for_whom, how_long, reason, allow=False, json=json)


def list_(
    here: Context,
    everything: Annotated[bool, typer.Option("--all", help="Those that have ended, too.")] = False,
    json: JsonOption = False,
) -> None:
    """Show what `allow` and `block` have set: what, for whom, until when, who and why.

    Exit code 0: shown; 2: it cannot be read.
    """
    clock = policy_clock(here)
    shown = with_states(here, "exceptions", clock.now, everything=everything)
    if json:
        here.print_json(shown)
    elif not shown:
        here.console.print(here.texts("There are no exceptions."))
    else:
        table = _table(Teller(here.texts, clock), shown, with_state=everything)
        here.console.print(titled(here.texts("Exceptions"), table))


def revoke(
    here: Context,
    number: Annotated[
        int, typer.Argument(metavar="NUMBER", help="Its number in `filterd exceptions list`.")
    ],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why.")] = "",
    json: JsonOption = False,
) -> None:
    """End an exception before its time, or the setting of a grade or a room.

    Exit code 0: done; 2: not.
    """
    told = change(here, "revoke", reason, id=number)
    print_change(here, told, here.texts("number {number} is ended", number=number), json=json)


def _set(
    here: Context,
    texts: list[str],
    for_whom: ChangeAudience,
    how_long: Term,
    reason: str,
    *,
    allow: bool,
    json: bool,
) -> None:
    clock, targets = (
        school_clock(here),
        list(dict.fromkeys(Target.read(text, opens=allow) for text in texts)),
    )
    # Entries end after 14 days.
    may_be_open = all(target.kind is TargetKind.ENTRY for target in targets)
    how: dict[str, Any] = {
        "allow": allow,
        **for_whom.payload,
        **how_long.payload(clock, may_be_open=may_be_open),
    }
    if len(targets) == 1:
        kind, target = targets[0]
        told = change(here, "exception", reason, target_kind=str(kind), target=target, **how)
    else:
        told = change(here, "exceptions", reason, targets=[[str(k), t] for k, t in targets], **how)
    made = made_of(how, told)
    teller = Teller(here.texts, clock)
    what = (teller.thing("exceptions", {**made, **one._asdict()}) for one in targets)
    print_change(here, told, ", ".join(what), json=json)


def _table(teller: Teller, shown: list[Plain], *, with_state: bool) -> Table:
    texts = teller.texts
    keys = [say("No."), say("What"), say("For"), say("Term")]
    keys += [say("State")] * with_state + [say("By"), say("Reason")]
    table = grid([(texts(key), key == "No.") for key in keys], whole=True)
    for one in shown:
        sign = texts("allow" if one["allow"] else "block")
        what = f"{sign} {written(one['kind'], one['target'])}"
        until = teller.term(one) or texts("no end")
        state = [texts(words.STATE[one["state"]])] * with_state
        whom_told = teller.whom(one["audience"], one["whom"])
        table.add_row(str(one["id"]), what, whom_told, until, *state, one["author"], one["reason"])
    return table
