# SPDX-License-Identifier: Apache-2.0
"""Choose exceptions and exams to show, each with its state. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.overrides.descriptions import not_ended, state_of
from filterd.overrides.effects import has_ended
from filterd.policy.model import Client
from filterd.state_file import to_plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from filterd.overrides.descriptions import Plain
    from filterd.policy.model import GradePolicy
    from filterd.policy.temporary_rules import Overrides


def with_states(
    overrides: Overrides, kind: str, now: float, past: Iterable[Plain] | None = None
) -> list[Plain]:
    """Return exceptions or exams, each with its ``state`` (``descriptions.state_of``).

    Args:
        overrides: what is set, ended things too.
        kind: ``exceptions`` or ``exams``.
        now: Unix time.
        past: the rows of the history, the newest first, for those that have ended, too: those
            that were stopped have the state ``stopped``, and those that were revoked or undone
            ``taken-back``. None for those that have not ended.
    """
    things: list[Plain] = to_plain(getattr(overrides, kind))
    shown = not_ended(things, now) if past is None else things
    told = {_key_of(one): {**one, "state": state_of(one, now)} for one in shown}
    ended_by: dict[tuple[int, str, str], str] = {}
    for row in past or ():
        for one in row["before"].get(kind, ()):
            ended_by.setdefault(_key_of(one), row["kind"])
        for one in row["after"].get(kind, ()):
            state = "stopped" if ended_by.get(_key_of(one)) == "exam-stop" else "taken-back"
            told.setdefault(_key_of(one), {**one, "state": state})
    return [told[key] for key in sorted(told)]


def set_for(
    grade: GradePolicy, overrides: Overrides, now: float
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what is set for a grade and has not ended, as kind and plain data.

    What is set for a room, a network or a device is not: a grade may be anywhere.
    """
    for setting in overrides.grades:
        if setting.grade == grade.grade:
            yield "grades", to_plain(setting)
    for one in overrides.exceptions:
        if Client(grade).is_of(one.audience, one.whom) and not has_ended(one, now):
            yield "exceptions", to_plain(one)


def _key_of(thing: Plain) -> tuple[int, str, str]:
    """Return a unique key: one change may make several exceptions."""
    return thing["id"], thing.get("kind", ""), thing.get("target", "")
