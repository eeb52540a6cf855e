# SPDX-License-Identifier: Apache-2.0
"""Ask the manager for a change, and word what was done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.overrides.descriptions import Describer, warning_sentence
from filterd.texts.i18n import Sentence, quoted, say

if TYPE_CHECKING:
    from filterd.web.endpoint import Run
    from filterd.web.visitor import Visitor


async def change(visitor: Visitor, kind: str, given: dict[str, Any], /, **more: Any) -> Any:
    """Send a change to the manager, and return its answer once the change is in force.

    Args:
        visitor: the person.
        kind: one of ``overrides.changes.change_kinds.KINDS``.
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
