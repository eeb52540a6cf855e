# SPDX-License-Identifier: Apache-2.0
"""Word what a change has done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.overrides.descriptions import Describer, warning_sentence
from filterd.texts.i18n import Sentence, quoted, say

if TYPE_CHECKING:
    from filterd.web.visitor import Visitor


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
