# SPDX-License-Identifier: Apache-2.0
"""``filterd serve``, ``reload``, ``status`` and ``clock accept``: start and ask the daemon."""

from __future__ import annotations

import os
import signal
import sys
from typing import Annotated, Any

from rich.text import Text

from filterd import control, counted
from filterd.cli.change_request import change, print_change
from filterd.cli.context import Context, JsonOption, ReasonOption, on_named_files, option
from filterd.cli.entry import find_only_what_is_installed
from filterd.cli.render import show_details
from filterd.cli.time_options import school_clock
from filterd.clock import SystemClock
from filterd.monitor.alert_message import ACTIVE
from filterd.monitor.alert_rules import active
from filterd.monitor.status_details import COUNTERS, STATUS, doubts

_STATUS = STATUS._replace(columns=(ACTIVE, *STATUS.columns))


def reload(
    here: Context,
    json: JsonOption = False,
) -> None:
    """Put the site's files and the compiled lists in force.

    If they are wrong, nothing changes. Exit code 0: done; 2: an error.
    """
    done = control.ask(here.state.control_socket, "reload")
    if json:
        here.print_json(done)
        return
    here.console.print(
        here.texts(
            "Reloaded: policy {policy}, {names} on {lists}.",
            policy=done["policy"],
            names=counted.names(done["names"]),
            lists=counted.lists(done["lists"]),
        )
    )
    if done["restart_for"]:
        here.console.print(
            here.texts("Restart filterd to change: {what}", what=", ".join(done["restart_for"]))
        )
    for doubt in doubts(done["doubts"], here.texts):
        line = here.texts("warning: {warning}", warning=doubt)
        here.errors.print(Text(line, style="yellow"), soft_wrap=True)


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
    told = present_status(here)
    show_details(here, _STATUS, told, json=json)
    if verbose and not json:
        show_details(here, COUNTERS, told)


def present_status(here: Context, **asked: Any) -> dict[str, Any]:
    """Return the daemon's answer to ``status``, with the alerts that follow from it.

    Raises:
        ControlError: no daemon answers.
    """
    told = control.ask(here.state.control_socket, "status", **asked)
    now = SystemClock().wall()
    return {**told, "alerts": [one.to_plain() for one in active(told, now)]}


def accept(
    here: Context,
    reason: ReasonOption,
    json: JsonOption = False,
) -> None:
    """Believe the clock of this machine from now on.

    For a clock that filterd does not believe (`filterd status`) although it is right: the last
    known time came from a clock that was ahead, or the clock was set by hand. What was set
    while that was so keeps its length. Exit code 0: done; 2: an error.
    """
    clock = school_clock(here)
    told = change(here, "clock-accept", reason)
    what = here.texts(
        "the machine's clock is believed: {when}", when=f"{clock.shows(clock.now):%H:%M %d/%m/%Y}"
    )
    print_change(here, told, what, json=json)


@on_named_files
def serve(
    here: Context,
    try_it: Annotated[
        bool,
        option(
            "--try",
            "Print commands that show what different classes get, and serve the dashboard, too;"
            " where a port is taken, take the next.",
        ),
    ] = False,
) -> None:
    """Answer lookups until stopped.

    SIGHUP reloads, SIGTERM and Ctrl-C stop. Exit code 0: it was stopped; 2: it
    could not start.
    """
    arguments = [str(here.config), str(here.state.folder), here.texts.language]
    serving = [sys.executable, "-m", "filterd.daemon.main", *arguments, "yes" if try_it else "no"]
    find_only_what_is_installed()
    # Signals wait until the daemon handles them.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
    os.execv(sys.executable, serving)  # noqa: S606 -- it becomes the one that serves
