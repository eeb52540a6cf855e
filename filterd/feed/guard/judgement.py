# SPDX-License-Identifier: Apache-2.0
"""Run the guard's child and hold its judgement: bounded, plain, and checked.

The child loads what a network has brought, so it may need too much memory, never end, or print
anything at all. Each of these is a refusal, and so is a judgement that leaves a check out. One
JSON request goes to the child's input, one judgement comes from its output
(``filterd.feed.guard.__main__``).
"""

from __future__ import annotations

import json
from dataclasses import field, replace
from enum import StrEnum
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filterd.base import bounded_child
from filterd.base.clock import SystemClock
from filterd.base.errors import GuardError, RefusedVersionError
from filterd.base.state_file import IDS, Decoders, to_octets
from filterd.base.value_class import frozen
from filterd.feed.followed.night_memory import night_octets
from filterd.lists.index_files import Blocklists
from filterd.texts import i18n
from filterd.texts.i18n import Sentence, refused, say

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from filterd.base.bounded_child import Ended
    from filterd.base.clock import Clock
    from filterd.feed.versions import Candidate


MAX_OCTETS = 1 << 17
"""Of a judgement, as the child prints it."""
MAX_FINDINGS = 100
MAX_NAMES = 10
"""Quoted with one finding; its numbers say how many there are."""

SCHOOL, EXPECTATIONS = "school", "expectations"
ASKED, ASKED_LITTLE = "asked", "asked-little"
"""Kinds of what the recorded days show: much would be closed; little, of all that was asked."""
OF_THE_SCHOOL = frozenset((SCHOOL, EXPECTATIONS))
"""Kinds that are about the school's own files or machine: mended, the same version may do."""

_MAX_NAME_CHARACTERS = 260
_MAX_SENTENCE_CHARACTERS = 4_000
_DIGEST_HEX = 64
_MOST_SUBJECT_CHARACTERS, _MOST_SUBJECTS_CHARACTERS = 8_000, 40_000
"""Of one finding, and of all together."""


class Severity(StrEnum):
    """The consequence of a finding for the version."""

    NOTE = "note"
    HELD = "held"
    """It waits until a person approves it."""
    REFUSED = "refused"
    """No person can approve it."""


@frozen
class Finding:
    """One finding.

    Attributes:
        kind: which check found it, a stable word for scripts.
        severity: its consequence.
        sentence: for people.
        numbers: what was counted, by stable words.
        names: the first names that it is about, as text.
        subjects: all that it is about, in words that say exactly what is new or gone; empty where
            that is impossible or too much (see ``feed.held_versions``).
    """

    kind: str
    severity: Severity
    sentence: Sentence
    numbers: Mapping[str, float] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()


@frozen
class Judgement:
    """All findings on one version.

    Attributes:
        version: its id.
        findings: in the order of the checks.
        index: the digest of the judged index, hex (``Index.digest``); empty where there is none.
            Only an index with this digest is activated.
        checks: those that were made. Without all of them a version is not judged.
        seconds: CPU time of the child.
        peak_octets: its peak of memory.
    """

    version: str = field(metadata={IDS: True})
    findings: tuple[Finding, ...]
    index: str = ""
    checks: tuple[str, ...] = ()
    seconds: float = 0.0
    peak_octets: int = 0

    @property
    def severity(self) -> Severity:
        """The worst of the findings."""
        return max(
            (finding.severity for finding in self.findings),
            key=tuple(Severity).index,
            default=Severity.NOTE,
        )

    def may_come_in_force(self, *, approved: bool = False) -> bool:
        """Return whether the version may be activated, perhaps ``approved`` by a person."""
        severity = self.severity
        return severity is Severity.NOTE or (approved and severity is Severity.HELD)

    @property
    def is_final(self) -> bool:
        """Whether the version is refused for good, independent of the school's files."""
        return any(
            finding.severity is Severity.REFUSED and finding.kind not in OF_THE_SCHOOL
            for finding in self.findings
        )

    def error(self) -> GuardError:
        """Return why the version is not activated: its first worst finding, in one line."""
        worst = [finding for finding in self.findings if finding.severity is self.severity]
        why = worst[0].sentence if worst else say("nothing was found")
        more = say(" (and {more} more)", more=len(worst) - 1) if len(worst) > 1 else Sentence("")
        if self.severity is Severity.HELD:
            return GuardError(
                say(
                    "version {version} of the feed is held: {why}{more}; the last "
                    "good version stays, `filterd feed approve {version}` puts it in "
                    "force anyway",
                    version=self.version,
                    why=why,
                    more=more,
                )
            )
        return RefusedVersionError(
            say(
                "version {version} of the feed is refused: {why}{more}; the last good version "
                "stays, tell the publisher",
                version=self.version,
                why=why,
                more=more,
            )
        )


def found(
    kind: str,
    severity: Severity,
    sentence: Sentence,
    names: Iterable[str] = (),
    subjects: Collection[str] = (),
    /,
    **numbers: float,
) -> Finding:
    """Return a finding whose names and subjects are bounded."""
    few = tuple(names)[:MAX_NAMES]
    all_subjects = tuple(subjects) if sum(map(len, subjects)) <= _MOST_SUBJECT_CHARACTERS else ()
    return Finding(kind, severity, i18n.one_line(sentence), numbers, few, all_subjects)


def dump(judgement: Judgement) -> bytes:
    """Return a judgement as the child prints it."""
    return to_octets(bounded(judgement))


def bounded(judgement: Judgement) -> Judgement:
    """Return a judgement of a bounded size; of very many findings only the worst."""
    worst = sorted(
        judgement.findings,
        key=lambda finding: tuple(Severity).index(finding.severity),
        reverse=True,
    )
    kept = set(map(id, worst[:MAX_FINDINGS]))
    lengths = accumulate(sum(map(len, one.subjects)) for one in worst)
    with_subjects = {
        id(one)
        for one, length in zip(worst, lengths, strict=True)
        if length <= _MOST_SUBJECTS_CHARACTERS
    }
    findings = tuple(
        replace(
            finding,
            names=tuple(name[:_MAX_NAME_CHARACTERS] for name in finding.names[:MAX_NAMES]),
            subjects=finding.subjects if id(finding) in with_subjects else (),
        )
        for finding in judgement.findings
        if id(finding) in kept
    )
    return replace(judgement, findings=findings)


def load(octets: bytes) -> Judgement:
    """Read the output of the child.

    Raises:
        ValueError: it is no judgement, or larger than one.
    """
    if len(octets) > MAX_OCTETS:
        raise ValueError("a judgement is shorter")
    try:
        judgement: Judgement = _DECODER(json.loads(octets))
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise ValueError("this is no judgement") from error
    if not (
        len(judgement.findings) <= MAX_FINDINGS
        and len(judgement.index) in (0, _DIGEST_HEX)
        and all(map(_is_bounded, judgement.findings))
    ):
        raise ValueError("this is no judgement")
    return judgement


def _is_bounded(finding: Finding) -> bool:
    return (
        len(finding.sentence) <= _MAX_SENTENCE_CHARACTERS
        and len(finding.names) <= MAX_NAMES
        and all(len(name) <= _MAX_NAME_CHARACTERS for name in finding.names)
    )


_DECODER = Decoders({}).of(Judgement)


TIME_LIMIT_S = 300
"""Of the child, by the clock; twenty times what a million names take, for small boards."""
CHECKS = (
    "files",
    "loading",
    "golden",
    "provenance",
    "essentials",
    "beneath",
    "suffixes",
    "rewrites",
    "popular",
    "asked",
    "growth",
    "tables",
    "canaries",
    "expectations",
)
"""The words of all checks; a judgement without one of them is none."""


@frozen
class ServedFiles:
    """The active index, which has the id of its version, and its policy."""

    index: Path
    policy: Path


@frozen
class JudgedSchool:
    """The school that a candidate is judged for.

    Attributes:
        config: the folder of ``site.yaml``.
        fresh_index: where the candidate's index is made; it may be activated from there.
        fresh_problems: where a line is written for everything not taken into it.
        fresh_policy: where the policy is written by which the candidate is judged.
        log: the folder of the day files of the query log; None for no school's.
        passed: the lookups that passed, by the counts of each of the last days (ISO 8601).
        blocklists: all that would be compiled, a part of which the candidate is; None for
            the candidate alone.
        orders_known: whether the version in force names the key that signs legal orders.
    """

    config: Path
    fresh_index: Path
    fresh_problems: Path
    fresh_policy: Path
    log: Path | None = None
    passed: Mapping[str, int] = field(default_factory=dict)
    blocklists: Blocklists | None = None
    orders_known: bool = True


def judge(
    candidate: Candidate,
    in_force: ServedFiles | None,
    school: JudgedSchool,
    *,
    clock: Clock | None = None,
    time_limit_s: float = TIME_LIMIT_S,
    memory_octets: int | None = None,
) -> Judgement:
    """Judge a version in a child process; the caller holds the lock of list builds.

    Nothing is raised, whatever the version or the child does.

    Args:
        candidate: whole and verified.
        in_force: what the school is served by now; None before the first lists.
        school: the school.
        clock: for the time limit, and the time that schedules go by.
        time_limit_s: for the child.
        memory_octets: for the child; None for what this machine and unit allow.

    Returns:
        The findings; see ``Judgement.may_come_in_force``.
    """
    clock = clock or SystemClock()
    plain = request_of(candidate, in_force, school, clock.wall())
    plain["memory_octets"] = night_octets() if memory_octets is None else memory_octets
    request = json.dumps(plain).encode("ascii")
    try:
        ended = bounded_child.run(
            _command(), limit_s=time_limit_s, most_octets=MAX_OCTETS, request=request, clock=clock
        )
    except TimeoutError:
        why = say("it took more than {limit_s} s", limit_s=round(time_limit_s))
        return _not_loaded(candidate.version, why)
    except OSError as error:
        sentence = say("it could not be judged: {why}", why=refused(error))
        return Judgement(candidate.version, (found(SCHOOL, Severity.REFUSED, sentence),))
    return _read(candidate.version, ended)


def request_of(
    candidate: Candidate, in_force: ServedFiles | None, school: JudgedSchool, now: float
) -> dict[str, Any]:
    """Return the request to the child, as plain data; ``now`` is Unix time."""
    return {
        "now": now,
        "version": candidate.version,
        "folder": str(candidate.folder),
        "blocklists": _plain(school.blocklists or Blocklists(candidate.folder, candidate.version)),
        "in_force": None
        if in_force is None
        else {"index": str(in_force.index), "policy": str(in_force.policy)},
        "config": str(school.config),
        "fresh_index": str(school.fresh_index),
        "fresh_problems": str(school.fresh_problems),
        "fresh_policy": str(school.fresh_policy),
        "log": None if school.log is None else str(school.log),
        "passed": dict(school.passed),
        "orders_known": school.orders_known,
    }


def _plain(blocklists: Blocklists) -> list[Any]:
    folder, version, beside = blocklists
    return [str(folder), version, None if beside is None else [*_plain(beside)]]


def blocklists_from(plain: list[Any]) -> Blocklists:
    """Return the folders of a request, of plain data."""
    folder, version, beside = plain
    return Blocklists(Path(folder), version, None if beside is None else blocklists_from(beside))


def _command() -> list[str]:
    return bounded_child.command("filterd.feed.guard")


def _read(version: str, ended: Ended) -> Judgement:
    """Return the judgement of a child that has ended; a refusal where there is none."""
    if ended.is_too_long:
        return _not_loaded(version, say("the guard's output is too long"))
    if ended.code != 0:
        return _not_loaded(version, ended.last_words)
    try:
        judgement = load(ended.output)
    except ValueError:
        return _not_loaded(version, say("the guard's output is not a judgement"))
    missing = set(CHECKS).difference(judgement.checks)
    if judgement.version != version or (
        judgement.severity is not Severity.REFUSED and (missing or not judgement.index)
    ):
        return _not_loaded(version, say("not every check has run"))
    return judgement


def _not_loaded(version: str, why: Sentence) -> Judgement:
    sentence = say("it could not be loaded: {why}", why=why)
    return Judgement(version, (found("loading", Severity.REFUSED, sentence),))
