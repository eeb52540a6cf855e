# SPDX-License-Identifier: Apache-2.0
"""Ask the daemon for a change, and print its result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from filterd.cli.context import Context
from filterd.cli.school_clock import wording_of
from filterd.overrides.descriptions import warning_sentence
from filterd.texts.i18n import Sentence, say

_IN_PLACE = say("The devices are in these rooms already; nothing is changed.")
_BACK = say("In force after {ms} ms. To take it back: filterd undo {number}")


def change(here: Context, kind: str, reason: str = "", **payload: Any) -> dict[str, Any]:
    """Send a change to the daemon, and return its answer once the change is in force.

    Args:
        here: the daemon to ask.
        kind: one of ``filterd.overrides.changes.change_kinds.KINDS``.
        reason: why, as the operator wrote it.
        payload: the fields of the kind; None is left out.

    Raises:
        FilterdError: the daemon refuses it, or none runs.
    """
    given = {key: value for key, value in payload.items() if value is not None}
    answer: dict[str, Any] = here.ask("change", kind=kind, reason=reason, **given)
    return answer


def made_of(asked: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return a requested thing with its end; with its length where the time is unknown."""
    until = answer.get("until") or asked.get("ends_at")
    return {**asked, "ends_at": until, "for_s": None if until else asked.get("for_s")}


def print_change(
    here: Context, answer: Mapping[str, Any], what: str, *, json: bool, back: Sentence = _BACK
) -> None:
    """Print a change, the delay until it was in force, and how to undo it (``back``)."""
    if json:
        here.print_json(answer)
        return
    texts, number = here.texts, answer["number"]
    line = texts("Change {number}: {what}", number=number, what=what)
    here.console.print(line, soft_wrap=not here.console.is_terminal)
    line = texts(back, ms=round(answer.get("in_force_ms") or 0), number=number)
    here.console.print(line, style="dim", soft_wrap=True)
    wording = wording_of(here)
    for warning in answer.get("warnings") or ():
        here.warn(say("warning: {what}", what=warning_sentence(warning, wording)))


def print_nothing_moved(here: Context, answer: Sentence = _IN_PLACE, *, json: bool) -> None:
    """Print that all devices are where they should be."""
    if json:
        here.print_json({"number": None, "warnings": []})
    else:
        here.print(answer)
