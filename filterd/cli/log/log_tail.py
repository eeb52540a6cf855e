# SPDX-License-Identifier: Apache-2.0
"""``filterd log tail``: lookups as they happen."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

from rich.text import Text

from filterd import control
from filterd.cli.console import as_json
from filterd.cli.context import Context, JsonOption, Options, option
from filterd.cli.school_clock import wording_of
from filterd.cli.target_options import seat
from filterd.control import UnansweredError
from filterd.operations.live_log import FollowLog
from filterd.overrides.descriptions import Describer
from filterd.policy.field_checks import is_a_grade
from filterd.querylog.querylog_rows import levels_shown
from filterd.texts import words
from filterd.texts.counted import number
from filterd.texts.i18n import say, say_n

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


AGAIN_AFTER_S = 1.0
"""After a stream that broke off: a restart of the daemon takes about as long."""

_COLUMNS, _SEAT, _ACTION = 80, 12, 9


def tail(
    here: Context,
    whom: Annotated[str | None, Options(seat)],
    action: Annotated[
        str, option("--action", "Only this result: blocked, pass, ...", "ACTION")
    ] = "",
    category: Annotated[
        str | None, option("--category", "Only this category: games, ...", "ID")
    ] = None,
    since: Annotated[
        int | None, option("--since", "Begin after the event with this id.", "ID")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Show lookups as they happen, until Ctrl-C.

    To administrators the lookups that the log level of a tier keeps, with name and class; to a
    teacher how many were blocked in own classes. After a restart of filterd it goes on by itself;
    with --json each line is an event. Exit code 0: ended by Ctrl-C; 2: an error.
    """
    seat_key = "grade" if is_a_grade(whom or "") else "class_"
    asked = FollowLog(**{seat_key: whom or ""}, action=action, category=category or "", since=since)
    lines = _Lines(here)
    try:
        for event in _events(here, asked, lines):
            if json:
                here.console.out(as_json(event), highlight=False)
            else:
                lines.show(event)
    except KeyboardInterrupt:
        return


def _events(here: Context, asked: FollowLog, lines: _Lines) -> Iterator[dict[str, Any]]:
    """Yield events for ever; what breaks off goes on behind the last one.

    Raises:
        ControlError: no daemon answers at first, or it refuses.
    """
    has_begun = False
    while True:
        try:
            for events in control.stream(
                here.state.control_socket, asked.command, **asked.arguments
            ):
                has_begun = True
                lines.note(is_silent=False)
                for event in events:
                    asked = replace(asked, since=event.get("id", asked.since))
                    yield event
        except UnansweredError:
            if not has_begun:
                raise
        lines.note(is_silent=True)
        time.sleep(AGAIN_AFTER_S)


class _Lines:
    """Writes a line an event, and dim lines on standard error about the stream."""

    def __init__(self, here: Context) -> None:
        self._here, self._wording = here, wording_of(here)
        self._is_silent = False

    def show(self, event: Mapping[str, Any]) -> None:
        """Write an event."""
        if "levels" in event:
            shown = levels_shown(event["levels"], self._wording, shows_rows=event["shows_rows"])
            for line in shown:
                self._aside(line)
        elif "skipped" in event:
            n = event["skipped"]
            many = say_n("{n} event was too many", "{n} events were too many", n, n=number(n))
            self._aside(self._here.texts(many))
        else:
            self._here.console.print(self._line(event), soft_wrap=True)

    def note(self, *, is_silent: bool) -> None:
        """Write once that the daemon does not answer, and that it answers again."""
        if is_silent is not self._is_silent:
            at = f"{self._wording.clock.shows(self._here.clock.wall()):%H:%M:%S}"
            waits = say("{at}: filterd does not answer; waiting", at=at)
            again = say("{at}: filterd answers again", at=at)
            self._aside(self._here.texts(waits if is_silent else again))
        self._is_silent = is_silent

    def _aside(self, line: str) -> None:
        self._here.errors.print(Text(line, style="dim"), soft_wrap=False)

    def _line(self, event: Mapping[str, Any]) -> Text:
        """Return the line of an event: a name, of a long one the end, or a number."""
        at = f"{self._wording.clock.shows(event['at']):%H:%M:%S}"
        seat = event.get("class") or Describer(*self._wording).grade(event.get("grade", ""))
        action = self._here.texts.word(words.COUNTED, event["action"])
        before = f"{at} {seat[:_SEAT]:{_SEAT}} {action:{_ACTION}} "
        behind = f" ({event['category']})" if event.get("category") else ""
        what, room = event.get("name", number(event["n"])), _COLUMNS - len(before) - len(behind)
        what = f"…{what[1 - room :]}" if len(what) > room else what
        return Text(before + what + behind, style="red" if event["action"] == "blocked" else "")
