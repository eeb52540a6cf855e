# SPDX-License-Identifier: Apache-2.0
"""Say why a name is closed in words for each age. Pure.

They are short and kind for the young. What hurts comes first: for self-harm help stands before
anything else, and no word of the filter. What is kept stands there as it
is, by the log level of the tier.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from filterd.policy.log_levels import KEPT
from filterd.texts import words
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from filterd.texts.i18n import Sentence
    from filterd.texts.rows import Wording


class Readers(StrEnum):
    """The ages that have words of their own."""

    YOUNG = "young"
    MIDDLE = "middle"
    OLDER = "older"
    GUEST = "guest"
    STAFF = "staff"


_READERS = {
    "preschool": Readers.YOUNG,
    "primary": Readers.YOUNG,
    "lower-secondary": Readers.MIDDLE,
    "guest": Readers.GUEST,
    "upper-secondary": Readers.OLDER,
    "continuing": Readers.OLDER,
    "staff": Readers.STAFF,
}
_ABUSE = "abuse"
"""Stands for ``law`` where the category is not to be named."""
HIDDEN = frozenset(("help", _ABUSE))
"""Reasons for which the page does not repeat the name."""


class PupilWords(NamedTuple):
    """A page in words.

    Attributes:
        title: its heading.
        sentences: on why, and until when.
        steps: what to do.
        kept: what is written down of it.
        may_ask: whether the form for a review follows.
        is_help: whether the help line stands at the top.
    """

    title: str
    sentences: tuple[str, ...]
    steps: tuple[str, ...]
    kept: str
    may_ask: bool = False
    is_help: bool = False


_CLOSED = say("This page is closed here")
_YOUNG_TITLE = {
    "help": say("You are not alone"),
    "danger": say("This page is dangerous"),
    "open": say("This page is open"),
    "home": say("This page is not on the Internet"),
    "exam": say("There is an exam now"),
    "hours": say("Not now"),
}
_TITLE = {
    "help": say("You are not alone"),
    "danger": say("{name} is dangerous"),
    "law": say("{name} is closed by law"),
    _ABUSE: say("This page is closed by law"),
    "locked": say("{name} is closed at school"),
    "age": say("{name} is not open to {seat} yet"),
    "school": say("The school has closed {name} to {seat}"),
    "hours": say("{name} is closed at this time"),
    "exam": say("There is an exam: {name} is closed"),
    "open": say("{name} is open to {seat}"),
    "home": say("{name} is not a name of the Internet"),
}
_YOUNG_SENTENCE = {
    "help": say("Are you sad, afraid or hurt? Please tell a grown-up you trust."),
    "danger": say("It could trick you or damage the computer. Good that it is closed."),
    "open": say("If it does not come, try again in a minute."),
    "home": say("Check that you have typed it correctly."),
    "exam": say("Other pages open again after the exam."),
    "hours": say("It is closed now. Later it opens again."),
}
_SENTENCE = {
    "help": say("Hard days and dark thoughts can pass, and there are people who will listen."),
    "danger": say("It is known for {category}. It is good that it did not open."),
    "law": say("An authority has ordered it. No school can open it."),
    _ABUSE: say("It is closed to everybody. No school can open it."),
    "locked": say("It belongs to {category}, which is closed to everybody at school."),
    "age": say("It belongs to {category}, which opens from the age of {age} on."),
    "school": say("It belongs to {category}."),
    "hours": say("It is closed at this hour by the rules of the school."),
    "exam": say("In this room only what the exam needs is open."),
    "open": say(
        "If it does not load, try again in a minute. If it still does not, the "
        "filter is not the cause."
    ),
    "home": say("It may be misspelled, or it is a name inside the school."),
}
_REPORT = say("Have you seen someone hurt a child? Call 111: free, by day and by night.")
_OF_READERS: dict[Readers, dict[str, tuple[Sentence, Sentence]]] = {
    Readers.OLDER: {
        "help": (
            _TITLE["help"],
            say("Many of your age have had such thoughts, and have come through with help."),
        ),
        "danger": (
            _TITLE["danger"],
            say("It is known for {category}: it is after passwords, money or your device."),
        ),
    },
    Readers.STAFF: {
        "help": (
            say("Are you worried about someone?"),
            say("This page is closed: it can hurt people who are not well."),
        ),
    },
}
"""Title and sentence, where they are not those of ``MIDDLE``."""
_STEPS: dict[Readers, dict[str, tuple[Sentence, ...]]] = {
    Readers.YOUNG: {
        "help": (say("Or call 111. You may call at any time, and it costs nothing."),),
        "danger": (say("Have you typed a password there? Tell your teacher or your parents now."),),
        "": (say("You have done nothing wrong. If you need it for a lesson, ask your teacher."),),
    },
    Readers.MIDDLE: {
        "help": (
            say("Call 111, the line for children: free, by day and by night."),
            say("Talk to someone today: your parents, a teacher, a friend."),
            say("Is a life in danger now? Call 115."),
        ),
        "danger": (
            say("Have you typed a password there before? Change it, and tell an adult."),
            say("Have you sent money or a code? Tell your parents and the bank at once."),
        ),
        "law": (),
        _ABUSE: (_REPORT,),
        "locked": (say("Does it look like a mistake? Tell your teacher."),),
        "": (say("Do you need it for a lesson? A teacher can open it for your class."),),
    },
    Readers.STAFF: {
        "help": (
            say("Call 111, the line for children, if you are worried about a pupil."),
            say("Is a life in danger now? Call 115."),
        ),
        "danger": (
            say("Have you typed a password there before? Change it, and tell the administrator."),
            say("If the list is mistaken, the administrator can report it."),
        ),
        "law": (),
        _ABUSE: (_REPORT,),
        "locked": (say("If the list is mistaken, the administrator can report it."),),
        "": (say("The administrator, or you in the dashboard, can open it for a time."),),
    },
}
_STEPS[Readers.OLDER] = _STEPS[Readers.MIDDLE] | {
    "help": (
        _STEPS[Readers.MIDDLE]["help"][0],
        say("Talk to someone today: a friend, your parents, a teacher, a doctor."),
        _STEPS[Readers.MIDDLE]["help"][-1],
    ),
    "danger": (
        say("Have you typed a password there before? Change it, also where else you use it."),
        say("Have you sent money or a code? Call your bank at once, and tell your parents."),
    ),
    "": (say("Do you need it for a lesson? Ask your teacher, who can open it for a time."),),
}
_STEPS[Readers.GUEST] = _STEPS[Readers.MIDDLE] | {"": (say("Ask at the office of the school."),)}
_UNKNOWN = say(
    "The filter does not know this device, so it has what the youngest have. The administrator can"
    " put it into a class, or among the staff."
)
_NO_STEPS = frozenset(("open", "home", "exam", "hours"))

_KEPT_HIDDEN = say("This address is not recorded anywhere.")


def readers_of(facts: Mapping[str, Any]) -> Readers:
    """Return the age that a page is written for; for an unknown device the youngest's."""
    return _READERS.get(facts["tier"], Readers.YOUNG)


def reason_of(facts: Mapping[str, Any]) -> str:
    """Return the reason by which words are chosen."""
    reason = str(facts["reason"])
    if reason == "law" and facts["category"] is None:
        return _ABUSE
    return "open" if reason == "check" else reason


def words_of(facts: Mapping[str, Any], by: Wording) -> PupilWords:
    """Return a page in words.

    Args:
        facts: the answer of ``page-why``.
        by: the language, and the school's clock.
    """
    reason, readers, texts = reason_of(facts), readers_of(facts), by.texts
    is_young = readers is Readers.YOUNG
    category = facts["category"] and facts["category"][texts.language]
    values = {
        "name": facts["name"],
        "seat": _seat(facts["seat"], by),
        "category": category or texts("no category"),
        "age": facts["min_age"] or 0,
    }
    title = _YOUNG_TITLE.get(reason, _CLOSED) if is_young else _TITLE[reason]
    sentence = _YOUNG_SENTENCE.get(reason) if is_young else _SENTENCE[reason]
    title, sentence = _OF_READERS.get(readers, {}).get(reason, (title, sentence))
    sentences = (
        [] if sentence is None or _lacks(sentence, category) else [texts(sentence, **values)]
    )
    if facts["until"] is not None and reason not in HIDDEN | {"open"}:
        until = by.clock.text(facts["until"])
        sentences.append(texts("It may open again at {until}.", until=until))
    if not facts["is_known"] and reason not in HIDDEN | {"open", "home"}:
        sentences.append(texts(_UNKNOWN))
    steps = () if reason in _NO_STEPS else _STEPS[readers].get(reason, _STEPS[readers][""])
    kept = _KEPT_HIDDEN if reason in HIDDEN and facts["level"] != "off" else KEPT[facts["level"]]
    return PupilWords(
        texts(title, **values),
        tuple(sentences),
        tuple(map(texts, steps)),
        texts(kept, days=facts["keep_days"]),
        facts["may_ask"],
        reason == "help",
    )


def _lacks(sentence: Sentence, category: str | None) -> bool:
    """Return whether a sentence needs a category, and there is none to name."""
    return "{category}" in sentence.template and not category


def _seat(seat: str, by: Wording) -> str:
    if seat in words.TIER:
        return by.texts.word(words.TIER, seat)
    if seat.isdecimal():
        return by.texts("grade {grade}", grade=seat)
    return by.texts("class {class_id}", class_id=seat)
