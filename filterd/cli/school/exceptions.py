# SPDX-License-Identifier: Apache-2.0
"""``filterd allow``, ``block``, ``pause``, ``exceptions``, ``requests``: open for a time."""

from __future__ import annotations

from typing import Annotated

from filterd.cli.change_request import made_of, print_change
from filterd.cli.context import Context, JsonOption, Options, ReasonOption, argument, option
from filterd.cli.effective_state import policy_clock, policy_in_force
from filterd.cli.render import show
from filterd.cli.school.history import set_with_states
from filterd.cli.school_clock import school_clock
from filterd.cli.target_options import BlockedArgument, TargetsArgument, term, whom
from filterd.operations.exceptions import Allow, Block, Pause, ReadExceptions, Revoke
from filterd.operations.parameters.audience import ChangeAudience
from filterd.operations.parameters.target import are_entries, read_targets
from filterd.operations.parameters.term import TermWords
from filterd.operations.parameters.time import duration_s
from filterd.operations.review_requests import ApproveRequest
from filterd.overrides.descriptions import Describer
from filterd.overrides.override_rows import EXCEPTIONS, FILE_EXCEPTIONS, file_rows
from filterd.policy.temporary_rules import TargetKind


def allow(
    here: Context,
    targets: TargetsArgument,
    reason: ReasonOption,
    for_whom: Annotated[ChangeAudience, Options(whom)],
    how_long: Annotated[TermWords, Options(term)],
    json: JsonOption = False,
) -> None:
    """Allow TARGET for a time.

    It is in force at once and ends by itself. Without a grade, tier, room, client or network it
    is for everybody. What is locked stays closed; the entry of a list that names something by
    mistake is suspended by entry:NAME, for at most 14 days. Exit code 0: done; 2: an error.
    """
    _set(here, Allow, targets, for_whom, how_long, reason, json=json)


def block(
    here: Context,
    targets: BlockedArgument,
    reason: ReasonOption,
    for_whom: Annotated[ChangeAudience, Options(whom)],
    how_long: Annotated[TermWords, Options(term)],
    json: JsonOption = False,
) -> None:
    """Block TARGET for a time.

    It is in force at once and ends by itself. Without a grade, tier, room, client or network it
    is for everybody. Exit code 0: done; 2: an error.
    """
    _set(here, Block, targets, for_whom, how_long, reason, json=json)


def pause(
    here: Context,
    reason: ReasonOption,
    for_whom: Annotated[ChangeAudience, Options(whom)],
    for_: Annotated[str, option("--for", "Length: 5m, 20m; at most 60m.", "TIME")] = "5m",
    json: JsonOption = False,
) -> None:
    """Open everything that is not locked, for some minutes.

    To find out whether the filter is what disturbs. It is in force at once and ends by itself.
    Without a grade, tier, room, client or network it is for everybody. Locked and ordered
    categories, what the school keeps closed, ways around the filter and exams stay closed; safe
    search stays on. `filterd exceptions revoke` ends it early. Exit code 0: done; 2: an error.
    """
    clock = school_clock(here)
    asked = Pause(audience=for_whom, for_s=duration_s(for_), reason=reason)
    answer = here.send(asked)
    made = made_of({**asked.change[1], "kind": str(TargetKind.PAUSE), "target": ""}, answer)
    what = Describer(here.texts, clock).thing("exceptions", made)
    print_change(here, answer, what, json=json)


def list_(
    here: Context,
    asked: ReadExceptions,
    json: JsonOption = False,
) -> None:
    """Show what `allow`, `block` and `pause` have set: target, audience, end, author and reason.

    Exit code 0: shown; 2: an error.
    """
    clock = policy_clock(here)
    shown = set_with_states(here, asked, clock.now)
    listing = EXCEPTIONS if asked.all_ else EXCEPTIONS.without("state")
    show(here, listing, shown, json=json, clock=clock)
    if not json and (of_files := file_rows(policy_in_force(here), clock.now)):
        show(here, FILE_EXCEPTIONS, of_files, json=False, clock=clock)


def revoke(
    here: Context,
    asked: Revoke,
    json: JsonOption = False,
) -> None:
    """End an exception before its time, or the setting of a grade or a room.

    Exit code 0: done; 2: an error.
    """
    answer = here.send(asked)
    what = here.texts("exception {number} has ended", number=asked.id)
    print_change(here, answer, what, json=json)


def _set(
    here: Context,
    kind: type[Allow | Block],
    texts: list[str],
    for_whom: ChangeAudience,
    how_long: TermWords,
    reason: str,
    *,
    json: bool,
) -> None:
    clock, targets = school_clock(here), tuple(read_targets(texts, opens=kind.opens))
    term = how_long.read(clock, may_be_open=are_entries(targets))
    asked = kind(targets=targets, audience=for_whom, term=term, reason=reason)
    answer = here.send(asked)
    made = made_of(asked.change[1], answer)
    describer = Describer(here.texts, clock)
    what = (describer.thing("exceptions", {**made, **target._asdict()}) for target in targets)
    print_change(here, answer, ", ".join(what), json=json)


NumberArgument = Annotated[int, argument("NUMBER", "Number from `filterd requests list`.")]


def approve(
    here: Context,
    number: NumberArgument,
    reason: ReasonOption,
    how_long: Annotated[TermWords, Options(term)],
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
    term = how_long.read(clock)
    answer = here.send(ApproveRequest(id=number, for_tier=for_tier, term=term, reason=reason))
    asked = {"kind": str(TargetKind.NAME), "target": answer["request"]["name"], "allow": True}
    whom = {"audience": answer["audience"], "whom": answer["whom"]}
    made = made_of({**term.payload, **asked, **whom}, answer)
    print_change(here, answer, Describer(here.texts, clock).thing("exceptions", made), json=json)
