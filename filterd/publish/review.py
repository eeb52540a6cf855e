# SPDX-License-Identifier: Apache-2.0
"""Keep what waits for the publisher's decision: look-alikes and reported mistakes.

A build writes the families of look-alikes that wait for approval into the publisher's folder,
``lookalikes-queue.yaml``, and beside them how often the rules in force close names unseen
(``feed.families.lookalike_errors``). The names that schools report, ``mistakes-queue.yaml``, are
made of the inbox by ``feed mistakes``, and each build notes there which lists still name a name.
The decisions stand beside them in ``lookalikes-decisions.yaml`` and ``mistakes-decisions.yaml``.
They have authors, so they are never published; every build applies them again.

The answers to mistakes that are published follow from the decisions and from what the build
found, so nothing counts as mended that a list still closes. A vote is a school that a province
has enrolled; all other senders together are one, because anyone can make any number of them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from itertools import chain, islice
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from pydantic import Field

from filterd.base.paths import write_atomically
from filterd.documents import MAX_SIZE_OCTETS, DocumentModel, ModelT, dump, load, validate
from filterd.feed.families.lookalike_errors import KindErrors, RuleKind
from filterd.feed.families.lookalike_families import Decision, Waiting, registered
from filterd.lists.catalogs.catalog_schema import IsoDate
from filterd.lists.catalogs.optional_lists import LookalikeFamily
from filterd.lists.hostname import HostnameError, key_from_text
from filterd.lists.list_merge import NamedBy, ReportedKeys
from filterd.overrides.mistake_answers import (
    KEPT_DAYS,
    MOST_ANSWERS,
    MistakeAnswer,
    MistakeOutcome,
)
from filterd.publish.mistake_inbox import SchoolReports
from filterd.publish.signed_orders import day_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from filterd.overrides.mistake_reports import Report


DECISIONS, QUEUE = "lookalikes-decisions.yaml", "lookalikes-queue.yaml"
MISTAKE_DECISIONS, MISTAKE_QUEUE = "mistakes-decisions.yaml", "mistakes-queue.yaml"
REFUSED = "refuse"
MOST_WAITING = 500
"""In the queue, the largest families: what is behind them comes up when these are decided."""


_Text = Annotated[str, Field(min_length=1)]
_Count = Annotated[int, Field(ge=0)]


class _WaitingEntry(LookalikeFamily):
    members: Annotated[int, Field(ge=1)]
    examples: tuple[str, ...]
    closes: tuple[str, ...]


class _ErrorsEntry(DocumentModel):
    category: str
    kind: RuleKind
    rules: _Count
    needed: _Count
    certain: _Count
    of_certain: _Count
    ranked: _Count
    of_ranked: _Count
    names: tuple[str, ...]


class _Queue(DocumentModel):
    waiting: tuple[_WaitingEntry, ...]
    errors: tuple[_ErrorsEntry, ...] = ()


class _Entry(LookalikeFamily):
    decision: Literal["accept", "refuse"]
    who: _Text
    why: _Text
    on: IsoDate


class _Decisions(DocumentModel):
    decisions: tuple[_Entry, ...]


def read_decisions(folder: Path) -> tuple[Decision, ...]:
    """Read the decisions of a publisher; none without a file.

    Raises:
        ConfigErrors: the content of the file is wrong.
        ConfigError: it cannot be read.
    """
    file = _file(folder / DECISIONS, _Decisions)
    return tuple(
        Decision(one.shape, one.category, one.digits, one.decision, one.who, one.why, one.on)
        for one in (file.decisions if file else ())
    )


def decide(folder: Path, *decisions: Decision) -> None:
    """Add decisions; one on the same family takes the place of the one before.

    Raises:
        ConfigErrors: what is there is wrong; nothing was written.
        StoreError: the disk refused.
    """
    same = {(decision.category, decision.shape) for decision in decisions}
    others = [
        decision
        for decision in read_decisions(folder)
        if (decision.category, decision.shape) not in same
    ]
    write_atomically(folder / DECISIONS, _written((*others, *decisions)), mode=0o644)


def read_queue(folder: Path) -> tuple[Waiting, ...]:
    """Return the families of the last build that still wait for a decision.

    Raises:
        ConfigErrors: the content of a file is wrong.
        ConfigError: one cannot be read.
    """
    file = _file(folder / QUEUE, _Queue)
    decided = {(decision.category, decision.shape) for decision in read_decisions(folder)}
    return tuple(
        Waiting(one.shape, one.category, one.digits, one.members, one.examples, one.closes)
        for one in (file.waiting if file else ())
        if (one.category, one.shape) not in decided
    )


def read_errors(folder: Path) -> tuple[KindErrors, ...]:
    """Return the errors of the rules of the last build.

    Raises:
        ConfigErrors: the content of the file is wrong.
        ConfigError: it cannot be read.
    """
    file = _file(folder / QUEUE, _Queue)
    return tuple(KindErrors(**dict(one)) for one in (file.errors if file else ()))


def write_queue(
    folder: Path, waiting: Iterable[Waiting], errors: Iterable[KindErrors] = ()
) -> None:
    """Replace the queue; without rules, now and before, there is none.

    Args:
        folder: of the publisher.
        waiting: families, the largest first.
        errors: of the rules that hold.

    Raises:
        StoreError: the disk refused.
    """
    entries = [
        one._asdict()
        | {"shape": one.shape.decode("ascii")}
        | {"examples": list(one.examples), "closes": list(one.closes)}
        for one in islice(waiting, MOST_WAITING)
    ]
    found = [
        error._asdict() | {"kind": error.kind.value, "names": list(error.names)} for error in errors
    ]
    if entries or found or (folder / QUEUE).exists():
        content = {"waiting": entries} | ({"errors": found} if found else {})
        write_atomically(folder / QUEUE, dump(content), mode=0o644)


def _file(path: Path, model: type[ModelT]) -> ModelT | None:
    """Return the content of a file; None where there is none."""
    return validate(load(path), model) if path.exists() else None


def _written(decisions: Iterable[Decision]) -> bytes:
    entries = [
        decision._asdict() | {"shape": decision.shape.decode("ascii")} for decision in decisions
    ]
    return dump({"decisions": entries})


MOST_OF_SCHOOL = 20
"""Names of one sender in the queue: the first that it reported."""
MOST_OF_OTHERS = 100
"""Names that no enrolled school reports."""
MOST_NAMES = 500
LEFT_OUT_DAYS = 180
"""An entry is left out for so long, as by ``lists exclude``; then its name waits again."""
_FEW, _TIMES = 5, 3


class MistakeDecision(StrEnum):
    """ACCEPT: the entries are left out of the next builds. REFUSE: they stay."""

    ACCEPT = "accept"
    REFUSE = "refuse"


class QueuedMistake(DocumentModel):
    """A reported name that waits.

    Attributes:
        name: that is listed.
        domain: the registered name above it, or itself.
        votes: distinct schools; all that are not enrolled are one.
        schools: how many senders there are, enrolled or not.
        enrolled: how many of them are schools that are enrolled.
        since: the day of the first report.
        entries: of lists, as schools have seen them: ``LIST ENTRY``.
        categories: of these.
        reasons: the first few.
        listed: which sources the last build found it in, as ``LIST:LINE``; None before a build.
    """

    name: str
    domain: str
    votes: int
    schools: int
    enrolled: int
    since: IsoDate
    entries: tuple[str, ...]
    categories: tuple[str, ...]
    reasons: tuple[str, ...]
    listed: tuple[str, ...] | None = None


class _MistakeQueue(DocumentModel):
    waiting: tuple[QueuedMistake, ...]


class DecidedMistake(DocumentModel):
    """A decision; ``why`` is also what schools read."""

    name: str
    decision: MistakeDecision
    who: _Text
    why: _Text
    on: IsoDate

    def is_left_out(self, today: str) -> bool:
        """Return whether entries of the name are left out on a day."""
        return self.decision is MistakeDecision.ACCEPT and _age(self.on, today) < LEFT_OUT_DAYS

    def holds(self, today: str) -> bool:
        """Return whether the name does not wait again yet."""
        return self.decision is MistakeDecision.REFUSE or self.is_left_out(today)


class _MistakeDecisions(DocumentModel):
    decisions: tuple[DecidedMistake, ...]


class BuiltMistakes(NamedTuple):
    """What a build did with reported names.

    ``left_out``: accepted names that no third-party list closes in the version; ``listed``:
    those that one still does, with its id; ``waiting``: how many names wait for a decision.
    """

    left_out: tuple[str, ...] = ()
    listed: tuple[tuple[str, str], ...] = ()
    waiting: int = 0


@dataclass(slots=True)
class _Group:
    """The reports of one name."""

    first: Report
    reports: int
    codes: set[str]
    others: int
    entries: Counter[str]
    categories: set[str]
    reasons: list[str]

    @property
    def votes(self) -> int:
        return len(self.codes) + bool(self.others)


def of_first_names(found: SchoolReports) -> SchoolReports:
    """Return a file with reports of at most as many names as count."""
    in_order = sorted(found.reports, key=lambda report: report.at)
    names = set(islice(dict.fromkeys(one.name for one in in_order), MOST_OF_SCHOOL))
    reports = [one for one in in_order if one.name in names][: _TIMES * MOST_OF_SCHOOL]
    return replace(found, reports=tuple(reports))


def grouped(files: Iterable[SchoolReports], now: float) -> tuple[QueuedMistake, ...]:
    """Return the reported names, those of the most schools first.

    Args:
        files: of all senders; of one sender the newest counts.
        now: Unix time; a report from a clock that is ahead counts as made now.
    """
    newest = dict[str, SchoolReports]()
    for file in sorted(files, key=lambda each: (each.is_enrolled, each.made_at)):
        newest[file.sender] = file
    groups = dict[str, _Group]()
    named = defaultdict[str, set[str]](set)
    for one in newest.values():
        key = one.code if one.is_enrolled else one.sender
        for report in sorted(one.reports, key=lambda each: each.at):
            if report.name in named[key] or len(named[key]) < MOST_OF_SCHOOL:
                is_new = report.name not in named[key]
                named[key].add(report.name)
                _add(groups, report, one, is_new=is_new)
    most_first = sorted(
        groups.items(), key=lambda item: (-item[1].votes, item[1].first.at, item[0])
    )
    known = [one for one in most_first if one[1].codes]
    others = [one for one in most_first if not one[1].codes][:MOST_OF_OTHERS]
    return tuple(_queued(name, group, now) for name, group in (*known, *others)[:MOST_NAMES])


def read_mistakes(folder: Path, today: str) -> tuple[QueuedMistake, ...]:
    """Return the names that wait for a decision.

    Raises:
        ConfigErrors: the content of a file is wrong.
        ConfigError: one cannot be read.
    """
    decided = {one.name for one in read_decided(folder) if one.holds(today)}
    return tuple(one for one in _read_queue(folder) if one.name not in decided)


def write_mistakes(folder: Path, waiting: Iterable[QueuedMistake]) -> None:
    """Replace the queue; what builds have found stays with its name.

    Raises:
        ConfigErrors: the queue before is wrong.
        StoreError: the disk refused.
    """
    listed = {one.name: one.listed for one in _read_queue(folder)}
    _write_queue(
        folder, [one.model_copy(update={"listed": listed.get(one.name)}) for one in waiting]
    )


def read_decided(folder: Path) -> tuple[DecidedMistake, ...]:
    """Read the decisions of a publisher; none without a file.

    Raises:
        ConfigErrors: the content of the file is wrong.
        ConfigError: it cannot be read.
    """
    file = _file(folder / MISTAKE_DECISIONS, _MistakeDecisions)
    return file.decisions if file else ()


def decide_mistakes(folder: Path, *decisions: DecidedMistake) -> None:
    """Add decisions; one on the same name takes the place of the one before.

    Raises:
        ConfigErrors: what is there is wrong; nothing was written.
        StoreError: the disk refused.
    """
    names = {decision.name for decision in decisions}
    others = (one for one in read_decided(folder) if one.name not in names)
    plain = [one.model_dump(mode="json") for one in chain(others, decisions)]
    write_atomically(folder / MISTAKE_DECISIONS, dump({"decisions": plain}), mode=0o644)


def reported_keys(folder: Path, today: str) -> ReportedKeys:
    """Return the keys of names that a build leaves out or looks for.

    Raises:
        ConfigErrors: the content of a file is wrong.
    """
    decided = read_decided(folder)
    left_out = _keys(one.name for one in decided if one.is_left_out(today))
    sought = _keys([*(one.name for one in decided), *(one.name for one in _read_queue(folder))])
    return ReportedKeys(left_out, left_out | sought)


def built(folder: Path, found: Mapping[str, list[NamedBy]], today: str) -> BuiltMistakes:
    """Note in the queue what a build has found, and return what it did.

    Args:
        folder: of the publisher.
        found: the third-party entries of the version that close exactly a sought name.
        today: ISO 8601.

    Raises:
        ConfigErrors: the content of a file is wrong.
        StoreError: the disk refused.
    """
    queue = [
        one.model_copy(update={"listed": tuple(map(_place, found.get(one.name, ())))[:_FEW]})
        for one in _read_queue(folder)
    ]
    if queue:
        _write_queue(folder, queue)
    accepted = [one.name for one in read_decided(folder) if one.is_left_out(today)]
    return BuiltMistakes(
        tuple(one for one in accepted if one not in found),
        tuple((one, found[one][0].list) for one in accepted if one in found),
        len(read_mistakes(folder, today)),
    )


def answers(
    folder: Path, found: Mapping[str, list[NamedBy]], today: str
) -> tuple[MistakeAnswer, ...]:
    """Return the answers of a version: refusals, and accepted names not listed in it.

    Raises:
        ConfigErrors: the content of the decisions is wrong.
    """
    outcomes = {
        MistakeDecision.ACCEPT: MistakeOutcome.MENDED,
        MistakeDecision.REFUSE: MistakeOutcome.REFUSED,
    }
    given = (
        MistakeAnswer(one.name, outcomes[one.decision], one.on, one.why)
        for one in reversed(read_decided(folder))
        if _age(one.on, today) < KEPT_DAYS
        and (one.decision is MistakeDecision.REFUSE or one.name not in found)
    )
    return tuple(islice(given, MOST_ANSWERS))


def _add(groups: dict[str, _Group], report: Report, of: SchoolReports, *, is_new: bool) -> None:
    group = groups.setdefault(
        report.name, _Group(report, 0, set(), 0, Counter(), set(), list[str]())
    )
    if report.at < group.first.at:
        group.first = report
    if of.is_enrolled:
        group.codes.add(of.code)
    elif is_new:
        group.others += 1
    if len(group.entries) < 4 * _FEW:
        group.entries.update({f"{entry.list} {entry.entry}" for entry in report.entries})
        group.categories.update(entry.category for entry in report.entries)
    if len(group.reasons) < _FEW and report.reason not in group.reasons:
        group.reasons.append(report.reason)


def _queued(name: str, group: _Group, now: float) -> QueuedMistake:
    above = registered(name)
    return QueuedMistake(
        name=name,
        domain=above.name if above else name,
        votes=group.votes,
        schools=len(group.codes) + group.others,
        enrolled=len(group.codes),
        since=day_of(min(group.first.at, now)),
        entries=tuple(one for one, _ in group.entries.most_common(_FEW)),
        categories=tuple(sorted(group.categories)[:_FEW]),
        reasons=tuple(group.reasons),
    )


def _read_queue(folder: Path) -> tuple[QueuedMistake, ...]:
    file = _file(folder / MISTAKE_QUEUE, _MistakeQueue)
    return file.waiting if file else ()


def _write_queue(folder: Path, waiting: Iterable[QueuedMistake]) -> None:
    plain: list[Any] = [one.model_dump(mode="json") for one in waiting]
    while len(octets := dump({"waiting": plain})) > MAX_SIZE_OCTETS:  # it could not be read
        plain = plain[: len(plain) * 3 // 4]
    if plain or (folder / MISTAKE_QUEUE).exists():
        write_atomically(folder / MISTAKE_QUEUE, octets, mode=0o644)


def _keys(names: Iterable[str]) -> frozenset[bytes]:
    return frozenset(_key_of(names))


def _key_of(names: Iterable[str]) -> Iterator[bytes]:
    for name in names:
        try:
            yield key_from_text(name)
        except HostnameError:  # the file was edited; it is then looked for nowhere
            continue


def _place(one: NamedBy) -> str:
    return f"{one.list}:{one.line}" if one.line else one.list


def _age(day: str, today: str) -> int:
    return (date.fromisoformat(today) - date.fromisoformat(day)) // timedelta(days=1)
