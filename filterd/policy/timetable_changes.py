# SPDX-License-Identifier: Apache-2.0
"""Networks that an imported timetable changes: classes, youngest before and after."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.texts.i18n import say
from filterd.texts.rows import Column, Listing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from filterd.policy.model import Network, Policy
    from filterd.texts.rows import Row, Wording


def seats_of(network: Network) -> tuple[str, ...]:
    """Return the classes and grades that a network has by the files, each once."""
    booked = tuple(dict.fromkeys(one.grade for one in network.timetable))
    return booked or (network.grade,)


def change_row(policy: Policy, network: str, before: Iterable[str], after: Iterable[str]) -> Row:
    """Return what a network has now, and what it will have.

    Args:
        policy: with the grades and classes.
        network: its id.
        before: the classes and grades that it has in its lessons, or at all times.
        after: those that it will have.
    """
    then = tuple(after)
    (grade_before, age_before), (grade, age) = (
        _youngest(policy, seats) for seats in (tuple(before), then)
    )
    return {
        "network": network,
        "classes": list(then),
        "youngest_before": grade_before,
        "age_before": age_before,
        "youngest_after": grade,
        "age_after": age,
        "is_older": age_before is not None and age is not None and age > age_before,
    }


def _youngest(policy: Policy, seats: tuple[str, ...]) -> tuple[str, int | None]:
    known = [policy.grades[seat] for seat in seats if seat in policy.grades]
    if not known:
        return "", None
    found = min(known, key=lambda one: one.age)
    return found.grade, found.age


def _at_an_age(grade: str, age: int | None, by: Wording) -> str:
    return "" if age is None else by.texts("{grade} (age {age})", grade=grade, age=age)


CHANGES = Listing(
    say("What each network will have"),
    say("No network changes."),
    (
        Column(say("Network"), "network"),
        Column(say("Classes"), "classes", lambda classes, _: ", ".join(classes)),
        Column(
            say("Youngest now"),
            worded=lambda row, by: _at_an_age(row["youngest_before"], row["age_before"], by),
        ),
        Column(
            say("Youngest then"),
            worded=lambda row, by: _at_an_age(row["youngest_after"], row["age_after"], by),
        ),
        Column(
            say("Note"),
            "is_older",
            lambda is_older, by: by.texts("opens for older pupils") if is_older else "",
            style=lambda is_older: "bold red" if is_older else "",
        ),
    ),
)
