# SPDX-License-Identifier: Apache-2.0
"""Options for targets, grades and audiences."""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

from filterd.cli.context import argument, excluding, option
from filterd.errors import ConfigError
from filterd.i18n import say
from filterd.overrides.target_text import class_from, grade_from, looks_like_a_class, whom_from
from filterd.policy.model import Audience

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


class ChangeAudience(NamedTuple):
    """The audience of an exception, as a change takes it."""

    audience: Audience = Audience.EVERYBODY
    whom: str = ""

    @property
    def payload(self) -> dict[str, Any]:
        """The same as plain data."""
        return {"audience": str(self.audience), "whom": self.whom}


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
    if grade is not None and class_ is None and looks_like_a_class(grade):
        grade, class_ = None, grade
    given = [
        (f"--{name}", audience, value)
        for name, audience, value in (
            ("grade", Audience.GRADE, grade),
            ("class", Audience.CLASS, class_),
            ("tier", Audience.TIER, tier),
            ("room", Audience.NETWORK, room),
            ("client", Audience.CLIENT, client),
            ("network", Audience.NETWORK, network),
        )
        if value is not None
    ]
    if len(given) > 1:
        raise excluding(given[0][0], given[1][0], say("make one exception for each"))
    for name, audience, value in given:
        return ChangeAudience(audience, whom_from(name, audience, value))
    return ChangeAudience()


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
