# SPDX-License-Identifier: Apache-2.0
"""Ask the manager for a change: parameters of a term, targets, an audience."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.errors import ConfigError
from filterd.i18n import Sentence, quoted, say
from filterd.overrides.change_fields import MAX_REASON, MAX_TARGETS
from filterd.overrides.descriptions import Describer, warning_sentence
from filterd.overrides.target_text import Target, whom_from
from filterd.policy.model import Audience
from filterd.web.answers import ANY, AT, NUMBER, OBJECT, TEXT, WHOLE, each, maybe, record, rows
from filterd.web.parameters import Flag, Several, Text, Time, Whole

if TYPE_CHECKING:
    from filterd.web.operation import Run
    from filterd.web.parameters import Parameter
    from filterd.web.visitor import Visitor

REASON = Text(MAX_REASON, about="Why, for the history")
NUMBER_OF_CHANGE = Whole(1, about="The number of a change")
TERM: dict[str, Parameter] = {
    "starts_at": Time("The start; now if left out"),
    "ends_at": Time("The end"),
    "for_s": Whole(1, 366 * 86_400, "The length in seconds, instead of an end"),
    "lesson": Flag("Until the present lesson ends, instead of an end"),
    "permanent": Flag("Without an end, until it is revoked"),
    "term": Text(
        10,
        r"lesson|permanent|[0-9]{1,8}",
        about="For a form, where `ends_at` is empty: lesson, permanent, or seconds",
    ),
}
TARGETS = Several(
    Text(300, least=1),
    MAX_TARGETS,
    1,
    "Each a name, service:ID, category:ID, or entry:NAME for a mistake of a list",
)
FOR_WHOM = Text(
    80,
    r"everybody|(grade|class|tier|network|client):.{1,64}",
    about="The audience: class:6A, grade:7, tier:primary, network:lab-a, client:10.0.6.21",
)
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


def take_term(given: dict[str, Any], *, may_be_open: bool = False) -> dict[str, Any]:
    """Take the fields of ``TERM`` out, and return those of a change.

    Args:
        given: checked values; those of a term are removed.
        may_be_open: whether the length may be missing.

    Raises:
        ConfigError: the length is missing, or given twice.
    """
    written = given.pop("term", "")
    found = {key: value for key in TERM if (value := given.pop(key, None))}
    if written and "ends_at" not in found:  # the form has a length chosen from the start
        found |= {"for_s": int(written)} if written.isdecimal() else {written: True}
    starts = {"starts_at": found.pop("starts_at")} if "starts_at" in found else {}
    if len(found) > 1:
        first, second, *_ = found
        raise ConfigError(
            say("{first} and {second} exclude each other", first=first, second=second)
        )
    if not found and not may_be_open:
        raise ConfigError(
            say("the duration is missing"),
            hint=say("one of {known}", known="ends_at, for_s, lesson, permanent"),
        )
    found.pop("permanent", None)
    return starts | found


def take_targets(given: dict[str, Any], *, opens: bool) -> list[Target]:
    """Take the targets out, each once.

    Raises:
        ConfigError: one is none.
    """
    texts = given.pop("targets")
    return list(dict.fromkeys(Target.read(text, opens=opens) for text in texts))


def take_audience(given: dict[str, Any]) -> dict[str, Any]:
    """Take the audience out, and return the fields of a change.

    Raises:
        ConfigError: there is none of this kind.
    """
    kind, _, whom = given.pop("for_whom", "everybody").partition(":")
    audience = Audience(kind)
    return {
        "audience": audience.value,
        "whom": whom_from("for_whom", audience, whom) if whom else "",
    }
