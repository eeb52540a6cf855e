# SPDX-License-Identifier: Apache-2.0
"""Options for targets, grades, audiences and terms."""

from __future__ import annotations

from typing import Annotated

from filterd.base.errors import ConfigError, excluding
from filterd.cli.context import argument, option
from filterd.operations.parameters.audience import ChangeAudience
from filterd.operations.parameters.term import TermWords
from filterd.overrides.target_text import class_from, grade_from, looks_like_a_class
from filterd.texts.i18n import say

TargetsArgument = Annotated[
    list[str],
    argument(
        "TARGET",
        "A name such as www.youtube.com, service:youtube, category:games, or entry:NAME for a"
        " list entry that is a mistake.",
    ),
]
BlockedArgument = Annotated[
    list[str],
    argument("TARGET", "A name such as www.youtube.com, service:youtube or category:games."),
]


def whom(
    grade: Annotated[
        str | None, option("--grade", "For this grade: 1-12, staff, ...", "GRADE")
    ] = None,
    class_: Annotated[str | None, option("--class", "For this class: 6A, ...", "CLASS")] = None,
    tier: Annotated[str | None, option("--tier", "For this tier: primary, ...", "TIER")] = None,
    room: Annotated[
        str | None, option("--room", "For the grade that is in this room now.", "ID")
    ] = None,
    client: Annotated[
        str | None, option("--client", "For the device at this address.", "IP")
    ] = None,
    network: Annotated[str | None, option("--network", "For this network.", "ID")] = None,
) -> ChangeAudience:
    """Return the audience that the options name; everybody where there is none."""
    words = {"grade": grade, "class": class_, "tier": tier, "room": room}
    return ChangeAudience.read_words(**words, client=client, network=network)


def term(
    for_: Annotated[str | None, option("--for", "Length: 45m, 1h30, 2 days.", "TIME")] = None,
    until: Annotated[
        str | None,
        option("--until", "Until 17h, thu 07:30, or the end of 20/12/2026.", "TIME"),
    ] = None,
    lesson: Annotated[bool, option("--lesson", "Until the present lesson ends.")] = False,
    permanent: Annotated[
        bool, option("--permanent", "Without an end, until it is revoked.")
    ] = False,
    from_: Annotated[str | None, option("--from", "Start (default: now).", "TIME")] = None,
) -> TermWords:
    """Return the term that the options name."""
    return TermWords(from_, for_, until, lesson, permanent)


def seat(
    grade: Annotated[
        str | None, option("--grade", "The grade: 1-12, preschool, staff, guest, ...", "GRADE")
    ] = None,
    class_: Annotated[str | None, option("--class", "The class: 6A, ...", "CLASS")] = None,
) -> str | None:
    """Return the grade or class that the options name; None where neither is given.

    Raises:
        ConfigError: both are given, or no grade or class is written so.
    """
    if class_ is not None and grade is not None:
        raise excluding("--grade", "--class")
    if class_ is None and (grade is None or not looks_like_a_class(grade)):
        return None if grade is None else grade_from(grade)
    return class_from(class_ or grade or "")


def needed(wanted: str | None) -> str:
    """Return the grade or class of ``seat``.

    Raises:
        ConfigError: neither is given.
    """
    if wanted is None:
        raise ConfigError(say("--grade or --class is missing"), hint=say("such as --class 6A"))
    return wanted
