# SPDX-License-Identifier: Apache-2.0
"""Ask two servers the same questions, and sort the differences by their reason."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

from tests.support.comparing import Said, differing, said

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tests.support.asking import Asker
    from tests.support.lab_questions import LabQuestion

_TC = 0x02


@dataclass(frozen=True, slots=True)
class Case:
    """One question and both answers, whole: what came truncated was fetched by TCP."""

    question: LabQuestion
    direct: Said
    through: Said
    was_truncated: tuple[bool, bool]
    """By UDP, of the direct answer and of the other."""
    took_s: float = 0.0
    """The longest that it has taken to ask both: TTLs went down in it, and what one of them cached
    then is as much younger there."""


Holds: TypeAlias = Callable[[Case], bool]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why some fields may differ, and where."""

    text: str
    fields: frozenset[str]
    holds: Holds


@dataclass(slots=True)
class Findings:
    """How many questions each reason explained, and what nothing explains."""

    asked: int = 0
    explained: Counter[str] = field(default_factory=Counter)
    unexplained: dict[str, list[Case]] = field(default_factory=lambda: defaultdict(list))

    def __str__(self) -> str:
        rows = [f"{self.asked:>7} questions"]
        rows += [f"{count:>7} {text}" for text, count in self.explained.most_common()]
        rows += [
            f"{len(cases):>7} UNEXPLAINED {name}: {'; '.join(_shown(c) for c in cases[:3])}"
            for name, cases in self.unexplained.items()
        ]
        return "\n".join(rows)


def _shown(case: Case) -> str:
    took = f"  both took {case.took_s:.3f} s"
    return f"{case.question}\n  direct {case.direct}\n  through {case.through}\n{took}"


def compare(
    questions: Iterable[LabQuestion],
    servers: tuple[Asker, Asker],
    reasons: Sequence[Reason],
    fields_beside: Callable[[Case], list[str]],
) -> Findings:
    """Ask both servers all questions, one at a time.

    Args:
        questions: what to ask.
        servers: asked directly, and the one that is compared.
        reasons: tried in order; the first that holds explains a difference.
        fields_beside: further fields that differ in a case, such as TTLs.
    """
    return sort(_cases(questions, servers), reasons, fields_beside)


def _cases(questions: Iterable[LabQuestion], servers: tuple[Asker, Asker]) -> Iterator[Case]:
    longest_s = 0.0
    for question in questions:
        case = ask(question, servers)
        longest_s = max(longest_s, case.took_s)
        yield replace(case, took_s=longest_s)


def sort(
    cases: Iterable[Case], reasons: Sequence[Reason], fields_beside: Callable[[Case], list[str]]
) -> Findings:
    """Sort what differs in each case by its reason."""
    findings = Findings()
    for case in cases:
        findings.asked += 1
        for name in [*differing(case.direct, case.through), *fields_beside(case)]:
            reason = next((r for r in reasons if name in r.fields and r.holds(case)), None)
            if reason is None:
                findings.unexplained[name].append(case)
            else:
                findings.explained[f"{name}: {reason.text}"] += 1
    return findings


def ask(question: LabQuestion, servers: tuple[Asker, Asker]) -> Case:
    """Ask both; where either truncates, both are asked again by TCP."""
    wire = question.wire
    first, second = servers
    began, truncated = time.perf_counter(), (False, False)
    if not question.by_tcp:
        direct, through = first.by_udp(wire), second.by_udp(wire)
        truncated = (bool(direct[2] & _TC), bool(through[2] & _TC))
    if question.by_tcp or any(truncated):
        direct, through = first.by_tcp(wire), second.by_tcp(wire)
    took_s = time.perf_counter() - began
    return Case(question, said(direct), said(through), truncated, took_s)
