# SPDX-License-Identifier: Apache-2.0
"""Hold the guard's findings, as its child prints them: bounded and plain."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import accumulate
from typing import TYPE_CHECKING

from filterd import i18n
from filterd.errors import GuardError, RefusedVersionError
from filterd.i18n import Sentence, say
from filterd.state_file import IDS, Decoders, to_octets

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

MAX_OCTETS = 1 << 17
"""Of a judgement, as the child prints it."""
MAX_FINDINGS = 100
MAX_NAMES = 10
"""Quoted with one finding; its numbers say how many there are."""

SCHOOL, EXPECTATIONS = "school", "expectations"
ASKED, ASKED_LITTLE = "asked", "asked-little"
"""Kinds of what the recorded days say: much would be closed; little, of all that was asked."""
OF_THE_SCHOOL = frozenset((SCHOOL, EXPECTATIONS))
"""Kinds that tell of the school's own files or machine: mended, the same version may do."""

_MAX_NAME_CHARACTERS = 260
_MAX_SENTENCE_CHARACTERS = 4_000
_DIGEST_HEX = 64
_MOST_SUBJECT_CHARACTERS, _MOST_SUBJECTS_CHARACTERS = 8_000, 40_000
"""Of one finding, and of all together."""


class Severity(StrEnum):
    """The consequence of a finding for the version."""

    NOTE = "note"
    HELD = "held"
    """It waits for a person, who may approve it."""
    REFUSED = "refused"
    """No person can approve it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding.

    Attributes:
        kind: which check found it, a stable word for scripts.
        severity: its consequence.
        sentence: for people.
        numbers: what was counted, by stable words.
        names: the first names that it is about, as text.
        subjects: all that it is about, in words that say exactly what is new or gone; empty where
            that is impossible or too much (see ``feed.released_holds``).
    """

    kind: str
    severity: Severity
    sentence: Sentence
    numbers: Mapping[str, float] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
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
            (one.severity for one in self.findings),
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
            one.severity is Severity.REFUSED and one.kind not in OF_THE_SCHOOL
            for one in self.findings
        )

    def error(self) -> GuardError:
        """Return why the version is not activated: its first worst finding, in one line."""
        worst = [one for one in self.findings if one.severity is self.severity]
        why = worst[0].sentence if worst else say("nothing was found")
        more = say(" (and {more} more)", more=len(worst) - 1) if len(worst) > 1 else Sentence("")
        if self.severity is Severity.HELD:
            return GuardError(
                say(
                    "version {version} of the feed is held: {why}{more}; the last good version "
                    "stays, `filterd feed approve {version}` puts it in force all the same",
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
    told = tuple(subjects) if sum(map(len, subjects)) <= _MOST_SUBJECT_CHARACTERS else ()
    return Finding(kind, severity, i18n.one_line(sentence), numbers, few, told)


def dump(judgement: Judgement) -> bytes:
    """Return a judgement as the child prints it."""
    return to_octets(bounded(judgement))


def bounded(judgement: Judgement) -> Judgement:
    """Return a judgement of a bounded size; of very many findings only the worst."""
    worst = sorted(
        judgement.findings, key=lambda one: tuple(Severity).index(one.severity), reverse=True
    )
    kept = set(map(id, worst[:MAX_FINDINGS]))
    lengths = accumulate(sum(map(len, one.subjects)) for one in worst)
    told = {
        id(one)
        for one, length in zip(worst, lengths, strict=True)
        if length <= _MOST_SUBJECTS_CHARACTERS
    }
    findings = tuple(
        replace(
            one,
            names=tuple(name[:_MAX_NAME_CHARACTERS] for name in one.names[:MAX_NAMES]),
            subjects=one.subjects if id(one) in told else (),
        )
        for one in judgement.findings
        if id(one) in kept
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
