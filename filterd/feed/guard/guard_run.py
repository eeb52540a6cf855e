# SPDX-License-Identifier: Apache-2.0
"""Run the guard's child: start it, bound it, and check what it prints.

The child loads what a network has brought, so it may need too much memory, never end, or print
anything at all. Each of these is a refusal, and so is a judgement that leaves a check out. One
JSON request goes to the child's input, one judgement comes from its output
(``filterd.feed.guard.__main__``).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filterd import bounded_child
from filterd.clock import SystemClock
from filterd.feed.guard.guard_report import MAX_OCTETS, SCHOOL, Judgement, Severity, found, load
from filterd.feed.night_memory import night_octets
from filterd.i18n import Sentence, refused, say
from filterd.lists.index_files import Blocklists

if TYPE_CHECKING:
    from collections.abc import Mapping

    from filterd.bounded_child import Ended
    from filterd.clock import Clock
    from filterd.feed.versions import Candidate

TIME_LIMIT_S = 300
"""Of the child, by the clock; twenty times what a million names take, for small boards."""
CHECKS = (
    "files",
    "loading",
    "golden",
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


@dataclass(frozen=True, slots=True)
class ServedFiles:
    """The active index, which has the id of its version, and its policy."""

    index: Path
    policy: Path


@dataclass(frozen=True, slots=True)
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
    """

    config: Path
    fresh_index: Path
    fresh_problems: Path
    fresh_policy: Path
    log: Path | None = None
    passed: Mapping[str, int] = field(default_factory=dict)
    blocklists: Blocklists | None = None


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
