# SPDX-License-Identifier: Apache-2.0
"""State the result of a probe: what it found, and one remedy.

A probe that cannot look does not report that all is well: ``UNSEEN`` has the reason.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from filterd import i18n
from filterd.errors import TellableError

if TYPE_CHECKING:
    from filterd.i18n import Sentence


class ProbeOutcome(StrEnum):
    """The result of a probe."""

    FOUND = "found"
    CLEAN = "clean"
    UNSEEN = "unseen"


class UnseenError(TellableError):
    """The administrator must act: a probe cannot look, because..."""

    code = "unseen"


class ProbeFinding(NamedTuple):
    """One finding of a probe.

    ``probe`` is the id of the probe, which the list of probes fills in.
    """

    probe: str
    outcome: ProbeOutcome
    text: Sentence
    remedy: Sentence | None = None

    def to_plain(self) -> dict[str, Any]:
        """Return plain data: the texts in English, and as data that can be translated."""
        return {
            "probe": self.probe,
            "outcome": self.outcome.value,
            "text": str(self.text),
            "remedy": None if self.remedy is None else str(self.remedy),
            "sentence": i18n.to_plain(self.text),
            "remedy_sentence": None if self.remedy is None else i18n.to_plain(self.remedy),
        }


def found(text: Sentence, remedy: Sentence) -> ProbeFinding:
    """Return that something is wrong, and what to do."""
    return ProbeFinding("", ProbeOutcome.FOUND, text, remedy)


def clean(text: Sentence) -> ProbeFinding:
    """Return that all is well, and what was seen."""
    return ProbeFinding("", ProbeOutcome.CLEAN, text)


def unseen(reason: Sentence, remedy: Sentence | None = None) -> ProbeFinding:
    """Return why the probe could not look; ``remedy`` where it can be made to."""
    return ProbeFinding("", ProbeOutcome.UNSEEN, reason, remedy)
