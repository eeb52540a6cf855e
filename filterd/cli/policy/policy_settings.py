# SPDX-License-Identifier: Apache-2.0
"""``filterd policy set``, ``policy history``, ``policy undo``: settings of grades."""

from __future__ import annotations

from typing import Annotated, Any

from filterd.base.errors import ConfigError
from filterd.cli.change_request import print_change
from filterd.cli.context import Context, JsonOption, Options, ReasonOption, option
from filterd.cli.effective_state import offline, send_else
from filterd.cli.render import show
from filterd.cli.school.history import rows, taken_back
from filterd.cli.school_clock import school_clock
from filterd.operations.history import MOST_ROWS, ReadHistory, UndoSetting
from filterd.operations.policy import ReadVersions, SetGrade
from filterd.overrides.descriptions import Describer, Plain
from filterd.overrides.history.history_chain import UNDO
from filterd.overrides.override_rows import CHANGES, POLICIES
from filterd.overrides.target_text import grade_from
from filterd.policy.temporary_rules import TargetKind
from filterd.texts.i18n import say


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
) -> tuple[str, bool]:
    """Return the category or service that one of the options names, and whether it opens it."""
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
    return f"{kind}:{target}", opens


def set_(
    here: Context,
    grade: Annotated[str, option("--grade", "1-12, staff, guest, ...", "GRADE")],
    what: Annotated[tuple[str, bool], Options(_setting)],
    reason: ReasonOption = "",
    json: JsonOption = False,
) -> None:
    """Open or close a category or service for a grade.

    It is in force at once, until another setting replaces it; the site's files do not change.
    What the centre or the school has locked cannot be opened. Exit code 0: done; 2: an error.
    """
    target, opens = what
    asked = SetGrade(grade=grade_from(grade), target=target, opens=opens, reason=reason)
    answer = here.send(asked)
    describer, (_, made) = Describer(here.texts, school_clock(here)), asked.change
    thing = {**made, "kind": made["target_kind"]}
    print_change(here, answer, describer.thing("grades", thing), json=json)


def history(
    here: Context,
    limit: Annotated[
        int, option("--limit", "Number of entries of each.", "N", min=1, max=MOST_ROWS)
    ] = 20,
    json: JsonOption = False,
) -> None:
    """Show the policies that were in force, and the settings made.

    Each version has a digest, which `policy diff --versions` accepts. Exit code 0: shown; 2: an
    error.
    """
    found = settings_in(rows(here, ReadHistory(limit=MOST_ROWS)))[:limit]
    kept = versions(here)[:limit]
    if json:
        here.print_json({"versions": kept, "settings": found})
        return
    if kept:
        show(here, POLICIES, kept)
    if found or not kept:
        show(here, CHANGES._replace(title=say("Set by command")), found)


def undo(
    here: Context,
    asked: UndoSetting,
    json: JsonOption = False,
) -> None:
    """Undo the last `policy set` still in force, your own or another's.

    `filterd undo NUMBER` undoes any change. Exit code 0: done; 2: an error.
    """
    answer = here.send(asked)
    print_change(here, answer, taken_back(here, answer), json=json)


def versions(here: Context) -> list[dict[str, Any]]:
    """Return the policies that were in force last as plain data, the newest first."""

    def on_disk() -> list[dict[str, Any]]:
        kept = offline().versions(here).all()
        return [{"digest": one.digest, "activated_at": one.activated_at} for one in kept]

    return send_else(here, on_disk, ReadVersions())


def settings_in(found: list[Plain]) -> list[Plain]:
    """Return the changes of settings of grades, and their undoing."""
    numbers = {row["number"] for row in found if row["kind"] == SetGrade.kind}
    return [
        row
        for row in found
        if row["number"] in numbers
        or (row["kind"] == UNDO and row["payload"].get("number") in numbers)
    ]
