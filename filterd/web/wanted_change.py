# SPDX-License-Identifier: Apache-2.0
"""Ask the manager for a change, and word what was done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.i18n import Sentence, quoted, say
from filterd.operations.parameters.scalar import Text, Whole
from filterd.overrides.change_fields import MAX_REASON
from filterd.overrides.descriptions import Describer, warning_sentence
from filterd.web.answers import ANY, AT, NUMBER, OBJECT, TEXT, WHOLE, each, maybe, record, rows

if TYPE_CHECKING:
    from filterd.web.operation import Run
    from filterd.web.visitor import Visitor

REASON = Text(MAX_REASON, about="Why, for the history")
NUMBER_OF_CHANGE = Whole(1, about="The number of a change")
HISTORY_ROW = record(
    {
        "number": WHOLE,
        "at": AT,
        **each(TEXT, "author", "kind", "reason", "hash"),
        **each(OBJECT, "payload", "before", "after"),
    }
)
CHANGE = record(
    {
        "number": maybe({**WHOLE, "description": "Of the change; null where nothing was changed"}),
        "until": maybe(AT),
        "undone": maybe(WHOLE),
        "taken_back": maybe(HISTORY_ROW),
        "in_force_ms": NUMBER,
        "warnings": rows(ANY),
        "row": HISTORY_ROW,
        "room": TEXT,
    },
    ("until", "undone", "taken_back", "in_force_ms", "row", "room"),
)
NOTHING_CHANGED: dict[str, Any] = {"number": None, "warnings": []}


async def change(visitor: Visitor, kind: str, given: dict[str, Any], /, **more: Any) -> Any:
    """Send a change to the manager, and return its answer once the change is in force.

    Args:
        visitor: the person.
        kind: one of ``overrides.change_kinds.KINDS``.
        given: ``reason`` and fields of the kind.
        more: further fields.

    Raises:
        FilterdError: as ``control.ask``.
    """
    return await visitor.ask("change", kind=kind, **{"reason": "", **given, **more})


def changes(kind: str) -> Run:
    """Return what sends a change whose fields are the checked values."""

    async def run(visitor: Visitor, given: dict[str, Any]) -> Any:
        return await change(visitor, kind, given)

    return run


def done(answer: Any, visitor: Visitor) -> Sentence:
    """Return the sentence on a change that was made, with its warnings."""
    if answer["number"] is None:
        return say("This is already so; nothing is changed.")
    sentence = visitor.texts(
        say("Change {number}: {what}"),
        number=answer["number"],
        what=Describer(*visitor.wording).row(answer["taken_back"] or answer["row"]),
    )
    if answer["undone"] is not None:
        sentence = visitor.texts(say("Taken back: {what}"), what=sentence)
    warnings = (
        visitor.texts(say("warning: {what}"), what=warning_sentence(one, visitor.wording))
        for one in answer["warnings"]
    )
    return quoted(". ".join((sentence, *warnings)))
