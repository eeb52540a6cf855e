# SPDX-License-Identifier: Apache-2.0
"""Define a line of the judgement of the protection, and the level that lines make.

A line is about one subject: how it stands, why, and what to do. A page offers the remedy as a
button where it can (``RemedyAct``).
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from filterd.texts import i18n
from filterd.texts.i18n import UNSAID, Sentence, say

if TYPE_CHECKING:
    from collections.abc import Iterable


class ProtectionLevel(StrEnum):
    """How far a gateway protects."""

    PROTECTED = "protected"
    PARTLY = "partly"
    NOT = "not"


class ProtectionSubject(StrEnum):
    """What a line of the judgement is about; the values are an interface."""

    TEST = "self-test"
    ANSWERS = "answers"
    LISTS = "lists"
    STARTER = "starter"
    FEED = "feed"
    LINKS = "links"
    BYPASS = "bypass"
    PAUSE = "pause"
    EXPECTATIONS = "expectations"
    UPSTREAMS = "upstreams"
    CLOCK = "clock"
    DISK = "disk"
    STATE = "state"
    HISTORY = "history"
    BACKUP = "backup"
    PROGRAM = "program"


class LineState(StrEnum):
    """How it stands with one subject.

    UNSEEN: it is not known, or not for this machine to see.
    """

    GOOD = "good"
    UNSEEN = "unseen"
    PARTLY = "partly"
    NOT = "not"


class RemedyAct(StrEnum):
    """What a page offers as a button beside a line."""

    NONE = ""
    FOLLOW = "follow"
    FETCH = "fetch"
    DECIDE = "decide"
    TEST = "test"
    EXAMINE = "examine"
    OPENED = "opened"
    NETWORK = "network"
    CLOCK = "clock"
    BACKUP = "backup"
    UPDATE = "update"


class ProtectionLine(NamedTuple):
    """How it stands with one subject.

    Attributes:
        subject: of it.
        state: of it.
        sentence: with numbers only.
        remedy: what to do; nothing where it is good.
        act: the same, as a page offers it.
        items: ids of lists, categories or tiers, or names of links.
        alert: the id of the alert that tells of it (``monitor.alert_rules``).
    """

    subject: ProtectionSubject
    state: LineState
    sentence: Sentence
    remedy: Sentence = UNSAID
    act: RemedyAct = RemedyAct.NONE
    items: tuple[str, ...] = ()
    alert: str = ""

    @property
    def is_short(self) -> bool:
        """Whether it lowers the level."""
        return self.state in (LineState.PARTLY, LineState.NOT)

    def to_plain(self) -> dict[str, Any]:
        """Return the line as plain data: texts in English, and as sentences."""
        return {
            "subject": self.subject.value,
            "state": self.state.value,
            "text": str(self.sentence),
            "remedy": str(self.remedy),
            "sentences": [i18n.to_plain(self.sentence), i18n.to_plain(self.remedy)],
            "act": self.act.value,
            "items": list(self.items),
            "alert": self.alert,
        }


HEADINGS: Final = {
    ProtectionLevel.PROTECTED: say("Protected"),
    ProtectionLevel.PARTLY: say("Partly protected"),
    ProtectionLevel.NOT: say("Not protected"),
}
SUBJECTS: Final = {
    ProtectionSubject.TEST: say("Self-test"),
    ProtectionSubject.ANSWERS: say("Answers"),
    ProtectionSubject.LISTS: say("Lists"),
    ProtectionSubject.STARTER: say("Categories"),
    ProtectionSubject.FEED: say("Feed"),
    ProtectionSubject.LINKS: say("Firewall"),
    ProtectionSubject.BYPASS: say("Ways past filterd"),
    ProtectionSubject.PAUSE: say("Paused"),
    ProtectionSubject.EXPECTATIONS: say("Expectations"),
    ProtectionSubject.UPSTREAMS: say("Upstreams"),
    ProtectionSubject.CLOCK: say("Clock"),
    ProtectionSubject.DISK: say("Disk"),
    ProtectionSubject.STATE: say("Files of the state"),
    ProtectionSubject.HISTORY: say("History"),
    ProtectionSubject.BACKUP: say("Backup"),
    ProtectionSubject.PROGRAM: say("Release of filterd"),
}


def told(level: ProtectionLevel, lines: Iterable[ProtectionLine]) -> Sentence:
    """Return a level and the lines that lower it as one sentence."""
    why = UNSAID
    for line in lines:
        why = say("{first}; {second}", first=why, second=line.sentence) if why else line.sentence
    if not why:
        return HEADINGS[level]
    if level is ProtectionLevel.NOT:
        return say("Not protected: {why}", why=why)
    return say("Partly protected: {why}", why=why)


class JudgedProtection(NamedTuple):
    """How far a gateway protects, and a line for each subject."""

    lines: tuple[ProtectionLine, ...]

    @property
    def level(self) -> ProtectionLevel:
        """The worst of the lines."""
        states = {line.state for line in self.lines}
        if LineState.NOT in states:
            return ProtectionLevel.NOT
        return ProtectionLevel.PARTLY if LineState.PARTLY in states else ProtectionLevel.PROTECTED

    @property
    def is_whole(self) -> bool:
        """Whether nothing is known to be short."""
        return self.level is ProtectionLevel.PROTECTED

    @property
    def short(self) -> tuple[ProtectionLine, ...]:
        """The lines that lower the level, the worst first."""
        found = (line for line in self.lines if line.is_short)
        return tuple(sorted(found, key=lambda one: one.state is not LineState.NOT))

    @property
    def sentence(self) -> Sentence:
        """The judgement in a line."""
        return told(self.level, self.short)

    def of(self, *subjects: ProtectionSubject) -> JudgedProtection:
        """Return the judgement of some subjects alone."""
        return JudgedProtection(tuple(line for line in self.lines if line.subject in subjects))

    def to_plain(self) -> dict[str, Any]:
        """Return the level and the lines as plain data."""
        return {"level": self.level.value, "lines": [line.to_plain() for line in self.lines]}


SILENT = JudgedProtection(
    (
        ProtectionLine(
            ProtectionSubject.ANSWERS,
            LineState.NOT,
            say("filterd does not answer"),
            say("on the gateway: systemctl status filterd, journalctl -u filterd"),
            alert="daemon-silent",
        ),
    )
)
"""The judgement of a daemon that gives no status."""
