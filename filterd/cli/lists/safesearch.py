# SPDX-License-Identifier: Apache-2.0
"""``filterd safesearch verify``: do the hosts of safe modes still exist?"""

from __future__ import annotations

import typer

from filterd.cli.context import Context, JsonOption
from filterd.cli.effective_state import policy_of_files
from filterd.cli.render import show
from filterd.resolve.rewrite_targets import verified
from filterd.texts import i18n
from filterd.texts.i18n import Sentence, say
from filterd.texts.rows import Column, Listing, Row, Wording

_VERIFIED, _NOT_VERIFIED = 0, 1


def verify(here: Context, json: JsonOption = False) -> None:
    """Ask the school's upstreams for the hosts of all safe modes.

    A search engine or YouTube whose safe host is gone has no answer for grades with safe
    search. Exit code 0: all were found; 1: some were not; 2: an error.
    """
    found = verified(policy_of_files(here), here.state.safe_search, here.clock)
    show(here, TARGETS, [one.to_plain() for one in found], json=json)
    raise typer.Exit(_NOT_VERIFIED if any(one.problem for one in found) else _VERIFIED)


def verified_nightly(here: Context) -> Sentence:
    """Verify, and return the outcome for the log: the same in nights that go alike.

    Raises:
        FilterdError: the site's files cannot be read.
    """
    found = verified(policy_of_files(here), here.state.safe_search, here.clock)
    missing = [one for one in found if one.problem]
    if not missing:
        return say("safe search: all {count} hosts were found", count=len(found))
    return say(
        "safe search: {missing} of {count} hosts were not found; {host}: {why}",
        missing=len(missing),
        count=len(found),
        host=missing[0].target,
        why=missing[0].problem,
    )


def _state(row: Row, by: Wording) -> str:
    if row["verified"]:
        return by.texts("found")
    problem = i18n.from_plain(row["sentence"])
    if row["verified_at"] is None:
        return by.texts("never verified: {problem}", problem=problem)
    when = by.clock.text(row["verified_at"])
    return by.texts("not verified since {when}: {problem}", when=when, problem=problem)


TARGETS = Listing(
    say("Hosts of safe modes"),
    say("There are no safe modes."),
    (
        Column(say("Host"), "target"),
        Column(say("Setting"), "levels", lambda levels, _: ", ".join(levels)),
        Column(say("Names"), "names", is_number=True),
        Column(
            say("State"),
            worded=_state,
            style=lambda row: "" if row["verified"] else "red",
        ),
    ),
)
