# SPDX-License-Identifier: Apache-2.0
"""Changes and their authors: list and verify them, take them back; settings of grades.

``filterd history``, ``undo``, ``policy set``, ``policy history``, ``policy undo``.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Annotated, Any

import typer

from filterd.base.errors import ConfigError
from filterd.cli.change_request import change, print_change
from filterd.cli.context import Context, JsonOption, Options, ReasonOption, argument, option
from filterd.cli.effective_state import ask_else, offline, send_else, set_now
from filterd.cli.render import show
from filterd.cli.school_clock import school_clock
from filterd.overrides.descriptions import Describer, Plain
from filterd.overrides.history.history_chain import UNDO
from filterd.overrides.history.quarantine import is_altered, remedy_for
from filterd.overrides.override_rows import CHANGES, POLICIES, with_states
from filterd.overrides.target_text import grade_from
from filterd.policy.temporary_rules import TargetKind
from filterd.texts.i18n import from_plain, say, to_plain
from filterd.texts.i18n import translated as in_language

if TYPE_CHECKING:
    from filterd.operations.exams import ReadExams
    from filterd.operations.exceptions import ReadExceptions

_SOUND, _ALTERED = 0, 1
MOST = 100_000


def undo(
    here: Context,
    number: Annotated[
        int | None, argument("NUMBER", "Number of the change (default: your own last one).", min=1)
    ] = None,
    reason: ReasonOption = "",
    json: JsonOption = False,
) -> None:
    """Take back your own last change, or another one.

    Later changes of other people stay, unless you name their NUMBER. Settings of the change
    end, and settings that it ended return. An undo is a change too, and can itself be undone.
    Exit code 0: done; 2: an error.
    """
    answer = change(here, "undo", reason, number=number)
    print_change(here, answer, taken_back(here, answer), json=json)


def list_(
    here: Context,
    limit: Annotated[int, option("--limit", "Number of changes.", "N", min=1, max=MOST)] = 20,
    views: Annotated[bool, option("--views", "Include looks at the query log.")] = False,
    json: JsonOption = False,
) -> None:
    """Show the last changes: time, author, change and reason.

    With --views it also shows looks at the names and lookups of the query log. JSON output
    includes the settings before and after each change. Exit code 0: shown; 2: an error.
    """
    show(here, CHANGES, rows(here, limit, views=views), json=json)


def verify(
    here: Context,
    json: JsonOption = False,
) -> None:
    """Check the whole history for later alterations.

    The next start sets an altered history aside, and `status` reports it until the file is
    moved away. Exit code 0: unaltered; 1: a change was altered, removed or added (the first one
    is named), or the history before was; 2: an error.
    """
    answer = ask_else(here, lambda: _verified(here), "history-verify")
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
    row = answer.get("taken_back")
    if row is None:  # an older daemon does not send it
        return here.texts("change {number} is undone", number=answer["undone"])
    what = Describer(here.texts, school_clock(here)).row(row)
    return here.texts(
        "change {number} of {author} is undone: {what}",
        number=row["number"],
        author=row["author"],
        what=what,
    )


def rows(here: Context, limit: int, *, views: bool = False) -> list[Plain]:
    """Return the last changes as plain data, the newest first.

    Raises:
        FilterdError: they cannot be read.
    """

    def on_disk() -> list[Plain]:
        return [row.to_plain() for row in offline().store(here).rows(limit, views=views)]

    found: list[Plain] = ask_else(here, on_disk, "history", limit=limit, views=views)
    return found


def set_with_states(here: Context, request: ReadExceptions | ReadExams, now: float) -> list[Plain]:
    """Return the exceptions or exams that a request reads; without a daemon those of the files.

    Raises:
        FilterdError: they cannot be read.
    """

    def on_disk() -> list[Plain]:
        past = rows(here, MOST) if request.all_ else None
        return with_states(set_now(here), request.command, now, past, inf)

    return send_else(here, on_disk, request)


def _problem(here: Context, answer: dict[str, Any]) -> str:
    """Return the problem; an older daemon sends it in English only."""
    return in_language(from_plain(answer.get("sentence", answer["problem"])), here.texts.language)


def _print_verified(here: Context, answer: dict[str, Any]) -> None:
    texts = here.texts
    if answer["first_bad"] is not None:
        here.print(
            say(
                "The history was altered from change {number} on: {problem}",
                number=answer["first_bad"],
                problem=_problem(here, answer),
            ),
            "red",
            whole=True,
        )
    elif answer["ok"]:
        here.print(say("The history is intact: nothing in it was altered."), "green")
    else:
        here.print(say("The present history is intact; the one before is not:"))
    for name in answer.get("set_aside") or ():
        kept = here.state.overrides.with_name(name)
        line, style = remedy_for(kept), "red" if is_altered(kept) else "yellow"
        here.console.print(in_language(line, texts.language), style=style, soft_wrap=True)


KIND = "grade"


def _setting(
    allow_category: Annotated[
        str | None, option("--allow-category", "Allow this category.", "ID")
    ] = None,
    block_category: Annotated[
        str | None, option("--block-category", "Block this category.", "ID")
    ] = None,
    allow_service: Annotated[
        str | None, option("--allow-service", "Allow this service.", "ID")
    ] = None,
    block_service: Annotated[
        str | None, option("--block-service", "Block this service.", "ID")
    ] = None,
) -> dict[str, Any]:
    """Return the category or service that one of the options opens or closes."""
    given = [
        (kind, opens, target)
        for kind, opens, target in (
            (TargetKind.CATEGORY, True, allow_category),
            (TargetKind.CATEGORY, False, block_category),
            (TargetKind.SERVICE, True, allow_service),
            (TargetKind.SERVICE, False, block_service),
        )
        if target is not None
    ]
    if len(given) != 1:
        hint = say("one of --allow-category, --block-category, --allow-service, --block-service")
        wrong = say("there is nothing to set") if not given else say("only one setting at a time")
        raise ConfigError(wrong, hint=hint)
    kind, opens, target = given[0]
    return {"target_kind": str(kind), "target": target, "opens": opens}


def set_(
    here: Context,
    grade: Annotated[str, option("--grade", "1-12, staff, guest, ...", "GRADE")],
    what: Annotated[dict[str, Any], Options(_setting)],
    reason: ReasonOption = "",
    json: JsonOption = False,
) -> None:
    """Open or close a category or service for a grade.

    It is in force at once, until another setting replaces it; the site's files do not change.
    What the centre or the school has locked cannot be opened. Exit code 0: done; 2: an error.
    """
    asked = {"grade": grade_from(grade), **what}
    answer = change(here, KIND, reason, **asked)
    describer = Describer(here.texts, school_clock(here))
    thing = {**asked, "kind": asked["target_kind"]}
    print_change(here, answer, describer.thing("grades", thing), json=json)


def policy_history(
    here: Context,
    limit: Annotated[
        int, option("--limit", "Number of entries of each.", "N", min=1, max=MOST)
    ] = 20,
    json: JsonOption = False,
) -> None:
    """Show the policies that were in force, and the settings made.

    Each version has a digest, which `policy diff --versions` accepts. Exit code 0: shown; 2: an
    error.
    """
    found, kept = settings_in(rows(here, MOST))[:limit], versions(here)[:limit]
    if json:
        here.print_json({"versions": kept, "settings": found})
        return
    if kept:
        show(here, POLICIES, kept)
    if found or not kept:
        show(here, CHANGES._replace(title=say("Set by command")), found)


def policy_undo(
    here: Context,
    reason: ReasonOption = "",
    json: JsonOption = False,
) -> None:
    """Undo the last `policy set` still in force, your own or another's.

    `filterd undo NUMBER` undoes any change. Exit code 0: done; 2: an error.
    """
    gone = set()
    number = 0
    for row in rows(here, MOST):
        if row["number"] in gone:
            continue
        if row["kind"] == UNDO:
            gone.add(row["payload"]["number"])
        elif row["kind"] == KIND:
            number = row["number"]
            break
    if not number:
        raise ConfigError(
            say("no setting of a grade is left to undo"),
            hint=say("see `filterd policy history`"),
        )
    answer = change(here, UNDO, reason, number=number)
    print_change(here, answer, taken_back(here, answer), json=json)


def versions(here: Context) -> list[Plain]:
    """Return the policies that were in force last as plain data, the newest first."""

    def on_disk() -> list[Plain]:
        kept = offline().versions(here).all()
        return [{"digest": one.digest, "activated_at": one.activated_at} for one in kept]

    found: list[Plain] = ask_else(here, on_disk, "policies")
    return found


def settings_in(found: list[Plain]) -> list[Plain]:
    """Return the changes of settings of grades, and their undoing."""
    numbers = {row["number"] for row in found if row["kind"] == KIND}
    return [
        row
        for row in found
        if row["number"] in numbers
        or (row["kind"] == UNDO and row["payload"].get("number") in numbers)
    ]
