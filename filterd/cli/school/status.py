# SPDX-License-Identifier: Apache-2.0
"""Ask the daemon for its state: ``filterd status``."""

from __future__ import annotations

from typing import Annotated, Any

from filterd.base.clock import SystemClock
from filterd.cli.context import Context, JsonOption, option
from filterd.cli.render import show_details
from filterd.monitor.alert_message import ACTIVE
from filterd.monitor.alert_rules import active
from filterd.monitor.status_details import COUNTERS, STATUS
from filterd.operations.status import ReadStatus

_NOW = ReadStatus()
_STATUS = STATUS._replace(columns=(ACTIVE, *STATUS.columns))


def status(
    here: Context,
    verbose: Annotated[
        bool, option("--verbose", "Show upstreams, cache and datagrams, too.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Show the state of the school and of the running daemon.

    Alerts, lists and their age, blocks today, what is open for a time, rooms, exams, and what
    is wrong. Exit code 0: shown; 2: an error, or no daemon runs.
    """
    answer = present_status(here)
    show_details(here, _STATUS, answer, json=json)
    if verbose and not json:
        show_details(here, COUNTERS, answer)


def present_status(here: Context, asked: ReadStatus = _NOW) -> dict[str, Any]:
    """Return the daemon's answer to ``status``, with the alerts that follow from it.

    Raises:
        ControlError: no daemon answers.
    """
    answer = here.send(asked)
    now = SystemClock().wall()
    return {**answer, "alerts": [one.to_plain() for one in active(answer, now)]}
