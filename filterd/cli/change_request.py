# SPDX-License-Identifier: Apache-2.0
"""Ask the daemon for a change, and print its result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from filterd import control, words
from filterd.cli.context import Context
from filterd.cli.time_options import school_clock
from filterd.i18n import Sentence, say

_IN_PLACE = say("The devices are in these rooms already; nothing is changed.")
_BACK = say("In force after {ms} ms. To take it back: filterd undo {number}")


def change(here: Context, kind: str, reason: str = "", **payload: Any) -> dict[str, Any]:
    """Send a change to the daemon, and return its answer once the change is in force.

    Args:
        here: the daemon to ask.
        kind: one of ``filterd.overrides.change_kinds.KINDS``.
        reason: why, as the operator wrote it.
        payload: the fields of the kind; None is left out.

    Raises:
        FilterdError: the daemon refuses it, or none runs.
    """
    given = {key: value for key, value in payload.items() if value is not None}
    told: dict[str, Any] = control.ask(
        here.state.control_socket, "change", kind=kind, reason=reason, **given
    )
    return told


def made_of(asked: Mapping[str, Any], told: Mapping[str, Any]) -> dict[str, Any]:
    """Return a requested thing with its end; with its length where the time is unknown."""
    until = told.get("until") or asked.get("ends_at")
    return {**asked, "ends_at": until, "for_s": None if until else asked.get("for_s")}


def print_change(
    here: Context, told: Mapping[str, Any], what: str, *, json: bool, back: Sentence = _BACK
) -> None:
    """Print a change, the delay until it was in force, and how to undo it (``back``)."""
    if json:
        here.print_json(told)
        return
    texts, number = here.texts, told["number"]
    line = texts("Change {number}: {what}", number=number, what=what)
    here.console.print(line, soft_wrap=not here.console.is_terminal)
    line = texts(back, ms=round(told.get("in_force_ms") or 0), number=number)
    here.console.print(line, style="dim", soft_wrap=True)
    for warning in told.get("warnings") or ():
        line = texts("warning: {what}", what=_warning(here, warning))
        here.errors.print(line, style="yellow", soft_wrap=not here.errors.is_terminal)


def _warning(here: Context, warning: Any) -> str:
    """Return the sentence of a warning; an unknown warning is shown as it came."""
    if not isinstance(warning, Mapping):
        return str(warning)
    kind = str(warning.get("warning", ""))
    clock = school_clock(here)
    values = {
        key: clock.told(value) if key.endswith("_at") else value for key, value in warning.items()
    }
    if "why" in values:
        values["why"] = here.texts.word(words.IDLE, str(values["why"]))
    try:
        words.WARNING[kind].template.format_map(values)  # none of its values is missing
        return here.texts(words.WARNING[kind], **values)
    except KeyError:
        return ", ".join(f"{key} {value}" for key, value in values.items())


def print_nothing_moved(here: Context, told: Sentence = _IN_PLACE, *, json: bool) -> None:
    """Print that all devices are where they should be."""
    if json:
        here.print_json({"number": None, "warnings": []})
    else:
        here.console.print(here.texts(told))
