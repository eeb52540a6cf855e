# SPDX-License-Identifier: Apache-2.0
"""``filterd history`` and ``undo``: list and verify changes, take them back."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any

import typer

from filterd.cli.change_request import print_change
from filterd.cli.context import Context, JsonOption
from filterd.cli.effective_state import offline, send_else, set_now
from filterd.cli.render import show
from filterd.cli.school_clock import school_clock
from filterd.operations.history import MOST_ROWS, ReadHistory, Undo, VerifyHistory
from filterd.overrides.descriptions import Describer, Plain
from filterd.overrides.history.quarantine import is_altered, remedy_for
from filterd.overrides.override_rows import CHANGES, with_states
from filterd.texts.i18n import from_plain, say, to_plain
from filterd.texts.i18n import translated as in_language

if TYPE_CHECKING:
    from filterd.operations.exams import ReadExams
    from filterd.operations.exceptions import ReadExceptions

_SOUND, _ALTERED = 0, 1


def undo(
    here: Context,
    asked: Undo,
    json: JsonOption = False,
) -> None:
    """Take back your own last change, or another one.

    Later changes of other people stay, unless you name their NUMBER. Settings of the change
    end, and settings that it ended return. An undo is a change too, and can itself be undone.
    Exit code 0: done; 2: an error.
    """
    answer = here.send(asked)
    print_change(here, answer, taken_back(here, answer), json=json)


def list_(
    here: Context,
    asked: ReadHistory,
    json: JsonOption = False,
) -> None:
    """Show the last changes: time, author, change and reason.

    With --views it also shows looks at the names and lookups of the query log. JSON output
    includes the settings before and after each change. Exit code 0: shown; 2: an error.
    """
    show(here, CHANGES, rows(here, asked), json=json)


def verify(
    here: Context,
    json: JsonOption = False,
) -> None:
    """Check the whole history for later alterations.

    The next start sets an altered history aside, and `status` reports it until the file is
    moved away. Exit code 0: unaltered; 1: a change was altered, removed or added (the first one
    is named), or the history before was; 2: an error.
    """
    answer = send_else(here, lambda: _verified(here), VerifyHistory())
    if json:
        here.print_json(answer)
    else:
        _print_verified(here, answer)
    raise typer.Exit(_SOUND if answer["ok"] else _ALTERED)


def _verified(here: Context) -> dict[str, Any]:
    found = offline().store(here).verify()
    return {
        "ok": found.is_sound,
        "number": found.number,
        "first_bad": found.first_bad,
        "problem": found.problem,
        "sentence": to_plain(found.problem),
        "set_aside": list(found.set_aside),
        "altered": list(found.altered),
    }


def taken_back(here: Context, answer: Plain) -> str:
    """Return a sentence on the change that an undo has taken back."""
    row = answer["taken_back"]
    what = Describer(here.texts, school_clock(here)).row(row)
    return here.texts(
        "change {number} of {author} is undone: {what}",
        number=row["number"],
        author=row["author"],
        what=what,
    )


def rows(here: Context, asked: ReadHistory) -> list[Plain]:
    """Return the last changes as plain data, the newest first.

    Raises:
        FilterdError: they cannot be read.
    """

    def on_disk() -> list[Plain]:
        return [
            row.to_plain() for row in offline().store(here).rows(asked.limit, views=asked.views)
        ]

    found: list[Plain] = send_else(here, on_disk, asked)
    return found


def set_with_states(here: Context, request: ReadExceptions | ReadExams, now: float) -> list[Plain]:
    """Return the exceptions or exams that a request reads; without a daemon those of the files.

    Raises:
        FilterdError: they cannot be read.
    """

    def on_disk() -> list[Plain]:
        past = rows(here, ReadHistory(limit=MOST_ROWS)) if request.all_ else None
        return with_states(set_now(here), request.command, now, past, inf)

    return send_else(here, on_disk, request)


def _print_verified(here: Context, answer: dict[str, Any]) -> None:
    texts = here.texts
    if answer["first_bad"] is not None:
        here.print(
            say(
                "The history was altered from change {number} on: {problem}",
                number=answer["first_bad"],
                problem=in_language(from_plain(answer["sentence"]), texts.language),
            ),
            "red",
            whole=True,
        )
    elif answer["ok"]:
        here.print(say("The history is intact: nothing in it was altered."), "green")
    else:
        here.print(say("The present history is intact; the one before is not:"))
    for name in answer["set_aside"]:
        kept = here.state.overrides.with_name(name)
        line, style = remedy_for(kept), "red" if is_altered(kept) else "yellow"
        here.console.print(in_language(line, texts.language), style=style, soft_wrap=True)
