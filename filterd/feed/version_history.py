# SPDX-License-Identifier: Apache-2.0
"""Keep the history of versions, for people: the last few hundred events."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from filterd import i18n, words
from filterd.errors import StoreError
from filterd.i18n import UNSAID, say
from filterd.paths import open_plain, write_atomically
from filterd.rows import Column, Listing, when
from filterd.state_file import plain_version

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.i18n import Sentence

MOST = 300
_MOST_OCTETS = 1 << 20


class Event(StrEnum):
    """An event in the history of a version."""

    ACTIVATED = "activated"
    HELD = "held"
    REFUSED = "refused"
    APPROVED = "approved"
    ROLLED_BACK = "rolled-back"
    PINNED = "pinned"
    RELEASED = "released"
    FAILED = "failed"
    SOURCES = "sources"
    """How public lists came, and which of them commands follow."""


@dataclass(frozen=True, slots=True)
class Line:
    """One event.

    Attributes:
        at: Unix time.
        event: what happened.
        version: to which version, ``SHIPPED`` where none is known.
        why: for people; may be empty.
    """

    at: float
    event: Event
    version: str
    why: Sentence = UNSAID

    def to_plain(self) -> dict[str, Any]:
        """Return it as plain data."""
        why = {"why": str(self.why), "sentence": i18n.to_plain(self.why)}
        return {
            "at": self.at,
            "event": self.event.value,
            "version": plain_version(self.version),
            **why,
        }


class History:
    """The events of one site, in the feed's state folder."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "history.jsonl"

    def lines(self) -> list[Line]:
        """Return the events, the oldest first, without unreadable ones."""
        try:
            with open_plain(self._path) as file:
                text = file.read(_MOST_OCTETS)
        except OSError:
            return []
        return [line for one in text.splitlines() if (line := _read(one)) is not None]

    def add(self, line: Line) -> None:
        """Note an event; a disk that refuses it stops nothing."""
        lines = self.lines()
        if lines and replace(lines[-1], at=line.at) == line:
            lines.pop()  # nights that fail alike are one line, with the last time
        text = "".join(json.dumps(one.to_plain()) + "\n" for one in (*lines[1 - MOST :], line))
        with contextlib.suppress(StoreError):
            write_atomically(self._path, text.encode("ascii"))


def _read(text: bytes) -> Line | None:
    try:
        data = json.loads(text)
        why = i18n.from_plain(data["sentence"])
        return Line(float(data["at"]), Event(data["event"]), str(data["version"]), why)
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


HISTORY = Listing(
    UNSAID,
    say("Nothing yet."),
    (
        Column(say("At"), "at", when),
        Column(say("Version"), "version", lambda version, _: version or "", is_number=True),
        Column(say("What"), "event", words.FEED_EVENT),
        Column(say("Why"), "sentence", lambda sentence, _: i18n.from_plain(sentence)),
    ),
)
