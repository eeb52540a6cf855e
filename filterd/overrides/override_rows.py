# SPDX-License-Identifier: Apache-2.0
"""Rows of what was set by commands: exceptions, exams, changes, mistakes.

Also of what is set or scheduled over a cell of the policy's matrix.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any

from filterd.base.state_file import to_plain
from filterd.overrides.changes.effects import has_ended
from filterd.overrides.descriptions import Describer, state_of
from filterd.overrides.mistake_answers import MistakeOutcome
from filterd.policy.model import Client
from filterd.policy.temporary_rules import TargetKind, written
from filterd.texts import counted, words
from filterd.texts.i18n import say
from filterd.texts.rows import Column, Listing, when
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from filterd.overrides.descriptions import Plain
    from filterd.policy.model import GradePolicy, Policy
    from filterd.policy.temporary_rules import Overrides
    from filterd.texts.rows import Row, Wording


def with_states(
    overrides: Overrides,
    kind: str,
    now: float,
    past: Iterable[Plain] | None = None,
    not_before: float = inf,
) -> list[Plain]:
    """Return exceptions or exams, each with its ``state`` (``descriptions.state_of``).

    Args:
        overrides: what is set, ended things too.
        kind: ``exceptions`` or ``exams``.
        now: Unix time.
        past: the rows of the history, the newest first, for those that have ended, too: those
            that were stopped have the state ``stopped``, and those that were revoked or undone
            ``taken-back``. None for those that have not ended.
        not_before: the earliest time that it may be.
    """
    things: list[Plain] = to_plain(getattr(overrides, kind))
    rows = {
        _key_of(thing): {**thing, "state": state_of(thing, now, not_before)} for thing in things
    }
    if past is None:
        rows = {key: one for key, one in rows.items() if one["state"] != "ended"}
    ended_by: dict[tuple[int, str, str], str] = {}
    for row in past or ():
        for one in row["before"].get(kind, ()):
            ended_by.setdefault(_key_of(one), row["kind"])
        for one in row["after"].get(kind, ()):
            state = "stopped" if ended_by.get(_key_of(one)) == "exam-stop" else "taken-back"
            rows.setdefault(_key_of(one), {**one, "state": state})
    return [rows[key] for key in sorted(rows)]


def file_rows(policy: Policy, now: float, not_before: float = inf) -> list[Plain]:
    """Return the exceptions of files that have not ended, as those of commands."""
    rows = [
        {
            "kind": TargetKind.NAME.value,
            "target": names.to_text(rule.name),
            "allow": rule.allow,
            "audience": rule.audience.value,
            "whom": rule.whom,
            "starts_at": rule.starts_at,
            "ends_at": rule.ends_at,
            "author": rule.author,
            "reason": rule.reason,
        }
        for rule in policy.rules
        if not rule.exam
    ]
    with_state = ({**row, "state": state_of(row, now, not_before)} for row in rows)
    return [one for one in with_state if one["state"] != "ended"]


def set_for(
    grade: GradePolicy, overrides: Overrides, now: float
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what is set for a grade and has not ended, as kind and plain data.

    What is set for a room, a network or a device is not: a grade may be anywhere.
    """
    for setting in overrides.grades:
        if setting.grade == grade.grade:
            yield "grades", to_plain(setting)
    for exception in overrides.exceptions:
        if Client(grade).is_of(exception.audience, exception.whom) and not has_ended(
            exception, now
        ):
            yield "exceptions", to_plain(exception)


def _key_of(thing: Plain) -> tuple[int, str, str]:
    """Return a unique key: one change may make several exceptions."""
    return thing["id"], thing.get("kind", ""), thing.get("target", "")


_OPENS = {True: say("opens it"), False: say("closes it")}
_LAYER = {
    "schedule": say("schedule {source}"),
    "setting": say("setting {source}"),
    "exception": say("exception {source}"),
    "pause": say("pause {source}"),
}


def _by(row: Row, by: Wording) -> str:
    return by.texts(_LAYER[row["layer"]], source=row["source"])


def _term(row: Row, by: Wording) -> str:
    until = by.clock.text(row["until"])
    if row["holds"]:
        return by.texts("in force until {when}", when=until) if until else by.texts("in force")
    return by.texts("from {when}", when=until) if until else by.texts("not now")


def cell_change_sentence(row: Row, by: Wording) -> str:
    """Return a sentence on one change."""
    whom = Describer(*by).whom(row["audience"], row["whom"])
    what = by.texts(_OPENS[row["opens"]])
    return f"{_by(row, by)}: {what}, {whom}, {_term(row, by)}"


CELL_CHANGES = Listing(
    say("Set over it"),
    say("Nothing is set over it."),
    (
        Column(say("What"), worded=lambda row, by: by.texts(_OPENS[row["opens"]])),
        Column(say("Source"), worded=_by),
        Column(
            say("For"), worded=lambda row, by: Describer(*by).whom(row["audience"], row["whom"])
        ),
        Column(say("Term"), worded=_term),
        Column(say("By"), "author"),
        Column(say("Reason"), "reason"),
    ),
)


def _what(plain: Plain, wording: Wording) -> str:
    if plain["kind"] == TargetKind.PAUSE:
        return wording.texts("pause")
    sign = wording.texts("allow" if plain["allow"] else "block")
    return f"{sign} {written(plain['kind'], plain['target'])}"


def _needs(exam: Plain, wording: Wording) -> str:
    names = wording.texts(counted.names(len(exam["names"])))
    return ", ".join((*exam["services"], names))


def _listing(row: Plain, wording: Wording) -> str:
    """Return the state of a reported mistake: mended, or the lines that list the name.

    What the centre has answered is added.
    """
    texts, answer = wording.texts, row.get("answer")
    if row["mended"]:
        at = wording.clock.text(row["mended_at"])
        version = row["mended_in"]
        if answer and answer["outcome"] == MistakeOutcome.MENDED:
            version = answer["version"]
        return texts("corrected {when}, in version {version}", version=version, when=at)
    lines = [
        texts("{list}, line {line}", list=one["list"], line=one["line"])
        for one in row["listed"] or ()
    ]
    if answer and answer["outcome"] == MistakeOutcome.REFUSED:
        lines.append(texts("refused by the centre: {reason}", reason=answer["reason"]))
    return "\n".join(lines)


_NUMBER = Column(say("No."), "id", is_number=True)
_STATE = Column(say("State"), "state", words.STATE)
_AUTHOR, _REASON = Column(say("By"), "author"), Column(say("Reason"), "reason")
EXCEPTIONS = Listing(
    say("Exceptions"),
    say("There are no exceptions."),
    (
        _NUMBER,
        Column(say("What"), worded=_what),
        Column(
            say("For"), worded=lambda one, by: Describer(*by).whom(one["audience"], one["whom"])
        ),
        Column(say("Term"), worded=lambda one, by: Describer(*by).term(one) or by.texts("no end")),
        _STATE,
        _AUTHOR,
        _REASON,
    ),
)
FILE_EXCEPTIONS = EXCEPTIONS.without("id")._replace(
    title=say("Exceptions of site.yaml"), none=say("site.yaml has no exceptions.")
)
"""Of ``file_rows``."""
EXAMS = Listing(
    say("Exams"),
    say("There are no exams."),
    (
        _NUMBER,
        Column(say("Room"), "room"),
        _STATE,
        Column(say("From"), "starts_at", when),
        Column(say("Until"), "ends_at", when),
        Column(say("Open"), worded=_needs),
        _REASON,
    ),
)
CHANGES = Listing(
    say("Change history"),
    say("Nothing has been changed yet."),
    (
        _NUMBER._replace(key="number"),
        Column(say("When"), "at", when),
        _AUTHOR,
        Column(say("What"), worded=lambda row, by: Describer(*by).row(row)),
        _REASON,
    ),
)
MISTAKES = Listing(
    say("Reported mistakes of lists"),
    say("No mistake has been reported."),
    (
        _NUMBER._replace(key="number"),
        Column(say("When"), "at", when),
        Column(say("Name"), "name"),
        Column(say("State"), worded=_listing),
        _REASON,
    ),
)
POLICIES = Listing(
    say("Policies that were in force"),
    CHANGES.none,
    (Column(say("Version"), "digest"), Column(say("Since"), "activated_at", when)),
)
